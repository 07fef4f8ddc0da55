"""Amounts that no ledger can hold are shown by their reason alone, and break neither sums nor reports."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from infra.local.page import page
from infra.local.rejections import rejections
from infra.local.report import Outcome, adds_up, report
from infra.ops.dlq import _group
from infra.ops.workspace import Stream
from ml_connector.engine.ledger.control_totals import FlowTotals, countable, money, total
from ml_connector.engine.ledger.rows import Chunk, dump
from ml_connector.ports import Item
from tests.unit.engine.bench import INVOICES, Bench

HUGE = ["1E+29", "1E+27", "99999999999999999999999999.99", "-1E+29", "1E+999999", "1E-40", "NaN", "Infinity", "?"]


def row(bench: Bench, amount: str, **fields: object) -> Chunk:
    ledger = bench.pair().ledger("invoices")
    return msgspec.structs.replace(
        Chunk(
            id="k1",
            key="k1",
            tenant="acme",
            integration="erp-ap",
            flow="invoices",
            lane="acme.erp.0",
            run="run1",
            created=ledger.now(),
            state="done",
            amount=amount,
            currency="EUR",
            reason="No ledger can hold it.",
        ),
        **fields,
    )


@pytest.mark.parametrize("amount", HUGE)
@pytest.mark.parametrize(
    "fields",
    [
        {"rejected": 1},
        {"delivered": 1, "posted_amount": "1E+29"},
        {"state": "waiting", "waiting_for": "conflict:k1"},
        {"state": "failed", "cause": "x"},
        {"state": "open"},
    ],
    ids=["rejected", "delivered", "held", "failed", "open"],
)
def test_every_report_is_made(bench: Bench, amount: str, fields: dict[str, object]) -> None:
    chunk, pair, sheet = row(bench, amount, **fields), bench.pair(), FlowTotals(INVOICES)
    sheet.add_chunk(chunk)
    sheet.add_chunk(row(bench, "100.00", id="k2", key="k2", delivered=1))
    assert sheet.reconciled and adds_up(sheet.as_row())
    assert sheet.as_row()["amounts"]["EUR"]["read"] == "100.00"
    ledger = pair.ledger("invoices")
    bench.runtime.store.put(Item(ledger.pk, "d#1", dump(chunk)))
    found = rejections([(pair, INVOICES, sheet)])
    outcome = Outcome([], {("acme", "erp-ap", "invoices"): sheet}, 1.0, rejections=found)
    made = report(outcome)
    assert page(made, outcome)
    assert _group("x", [(Stream(pair, INVOICES), chunk)])["amounts"] == {}


def test_sums_are_exact_to_the_last_cent_however_large() -> None:
    largest = Decimal("9999999999999999999.99")
    assert countable(largest) == largest and countable("0E+50") == 0 and countable("1.10000000000000") == Decimal("1.1")
    assert money(total([largest] * 10**5 + [Decimal("0.001")]), "EUR") == "999999999999999999999000.001"


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("1000", "JPY", "1000"),
        ("1000.00", "JPY", "1000"),
        ("0", "JPY", "0"),
        ("1000.5", "JPY", "1000.5"),
        ("10", "EUR", "10.00"),
        ("10.125", "EUR", "10.125"),
        ("1.5", "KWD", "1.500"),
        ("-3", "KWD", "-3.000"),
        ("7", "XYZ", "7.00"),
        ("7", None, "7.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: str, currency: str | None, written: str) -> None:
    assert money(Decimal(amount), currency) == written
