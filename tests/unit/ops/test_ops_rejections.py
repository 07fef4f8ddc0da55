"""The number and amount of what was rejected, also where only its record row is left in the run's figures."""

from __future__ import annotations

from typing import Any

from infra.local.rejections import Rejection, rejections
from infra.local.report import Outcome, report
from ml_connector.engine.ledger import audit
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.http_log import Exchange


def test_a_rejected_document_is_named_by_its_latest_finished_chunk(office: Any) -> None:
    old, new = "2026-01-10T08:00:00.000000+00:00", "2026-01-11T08:00:00.000000+00:00"
    done = {"key": "k1", "outcome": "rejected", "rejected": 1, "currency": "EUR"}
    office.done("invoices", **done, number="INV-0", amount="1.00", done_at=old)
    office.done("invoices", **done, number="INV-1", amount="20.5", done_at=new)
    stream = office.workspace.stream("acme", "invoices")
    sheet = FlowTotals(stream.flow)
    sheet.rejected = [{"key": "k1", "reason": "No."}, {"key": "unknown", "reason": "Cannot be read."}]
    found = rejections([(stream.pair, stream.flow, sheet)])
    assert found == {("acme", "sap_b1-basware", "invoices", "k1"): Rejection("INV-1", "20.50", "EUR")}


def test_master_data_has_neither_number_nor_amount(office: Any) -> None:
    stream = office.workspace.stream("acme", "vendors")
    sheet = FlowTotals(stream.flow)
    sheet.rejected = [{"key": "V1", "reason": "No name."}]
    assert rejections([(stream.pair, stream.flow, sheet)]) == {}


def test_the_number_of_one_that_could_not_be_read_is_found_in_what_its_source_said(office: Any) -> None:
    chunk = office.chunk("invoices", key="k1", amount="185.05", currency="EUR", outcome="rejected", rejected=1)
    answer = '{"accountingDocuments": [{"invoiceId": "k1", "invoiceNumber": "RE \\"7\\"", "invoiceDate": "soon"}]}'
    exchanges = [
        Exchange(
            at=chunk.created,
            method="GET",
            url="https://b/v1/accountingDocuments/k1",
            status=200,
            request_headers={},
            response_body=body,
        )
        for body in (answer, '{"invoiceId": "other", "invoiceNumber": "RE-8"}')
    ]
    audit.write(office.workspace.runtime.blobs, chunk, chunk.created, exchanges, {"state": "done"})
    ledger = office.ledger("invoices")
    chunk.state, chunk.done_at = "done", chunk.created
    ledger.archive(chunk)
    stream = office.workspace.stream("acme", "invoices")
    sheet = FlowTotals(stream.flow)
    sheet.rejected = [{"key": "k1", "reason": "Cannot be read."}]
    (found,) = rejections([(stream.pair, stream.flow, sheet)]).values()
    assert found == Rejection('RE "7"', "185.05", "EUR")


def test_the_report_names_what_was_rejected_by_number_and_amount(office: Any) -> None:
    stream = office.workspace.stream("acme", "invoices")
    sheet = FlowTotals(stream.flow)
    sheet.rejected = [{"key": "k1", "reason": "Run `ml-connector held`."}, {"key": "k2", "reason": "Unreadable."}]
    place = ("acme", "sap_b1-basware", "invoices")
    named = {(*place, "k1"): Rejection("INV-1", "20.50", "EUR")}
    made = report(Outcome([], {place: sheet}, 1.0, where="--secrets s", rejections=named))
    first = dict(zip(("tenant", "integration", "flow"), place, strict=True))
    assert made["rejected"] == [
        {
            **first,
            "key": "k1",
            "number": "INV-1",
            "amount": "20.50",
            "currency": "EUR",
            "reason": "Run `ml-connector held --secrets s`.",
        },
        {**first, "key": "k2", "number": None, "amount": None, "currency": None, "reason": "Unreadable."},
    ]
