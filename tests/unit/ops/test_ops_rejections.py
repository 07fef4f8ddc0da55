"""The number and amount of what was rejected, also where only its record row is left in the run's figures."""

from __future__ import annotations

from typing import Any

from infra.local.rejections import Rejection, rejections
from ml_connector.engine.balance import Sheet


def test_a_rejected_document_is_named_by_its_latest_finished_chunk(office: Any) -> None:
    old, new = "2026-01-10T08:00:00.000000+00:00", "2026-01-11T08:00:00.000000+00:00"
    done = {"key": "k1", "outcome": "rejected", "rejected": 1, "currency": "EUR"}
    office.done("invoices", **done, number="INV-0", amount="1.00", done_at=old)
    office.done("invoices", **done, number="INV-1", amount="20.5", done_at=new)
    stream = office.desk.stream("acme", "invoices")
    sheet = Sheet(stream.flow)
    sheet.rejected = [{"key": "k1", "reason": "No."}, {"key": "unknown", "reason": "Cannot be read."}]
    found = rejections([(stream.pair, stream.flow, sheet)])
    assert found == {("acme", "sap_b1-basware", "invoices", "k1"): Rejection("INV-1", "20.50", "EUR")}


def test_master_data_has_neither_number_nor_amount(office: Any) -> None:
    stream = office.desk.stream("acme", "vendors")
    sheet = Sheet(stream.flow)
    sheet.rejected = [{"key": "V1", "reason": "No name."}]
    assert rejections([(stream.pair, stream.flow, sheet)]) == {}
