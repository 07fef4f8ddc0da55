"""A total that the target rounds otherwise is counted as the target holds it, and named."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from infra.local.page import page
from infra.local.report import Outcome, adds_up, report
from tests.unit.engine.bench import ACCOUNTS, INVOICES, account, invoice


@pytest.fixture
def ready(bench):
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    return bench


def go(bench):
    bench.poll(INVOICES)
    bench.work(0.1)
    return bench.sheet(INVOICES)


def test_control_totals_count_what_the_target_holds_and_the_difference_is_named(ready):
    ready.systems.rounds = Decimal("0.03")
    ready.systems.invoices = {"i": invoice("i", "118.97"), "c": invoice("c", "-50.00")}
    sheet = go(ready)
    assert sheet.amounts["EUR"]["read"] == Decimal("68.97")
    assert sheet.amounts["EUR"]["delivered"] == Decimal("119.00") - Decimal("49.97")
    assert sheet.rounding_differences() == {"EUR": Decimal("0.06")} and sheet.reconciled
    assert adds_up(sheet.as_row())
    assert {line["number"]: line["difference"] for line in sheet.rounding} == {"R-i": "0.03", "R-c": "0.03"}


def test_the_report_sums_them_by_currency_with_their_documents(ready):
    ready.systems.rounds = Decimal("-0.04")
    ready.systems.invoices = {"i": invoice("i", "119.04")}
    outcome = Outcome([], {("acme", "erp-ap", "invoices"): go(ready)}, 1.0)
    made = report(outcome)
    assert made["rounding_differences"] == {
        "EUR": {
            "total": "-0.04",
            "documents": [
                {
                    "tenant": "acme",
                    "integration": "erp-ap",
                    "flow": "invoices",
                    "key": "i",
                    "number": "R-i",
                    "posted_as": "100",
                    "approved": "119.04",
                    "posted": "119.00",
                    "difference": "-0.04",
                }
            ],
        }
    }
    row = made["tenants"]["acme"]["erp-ap"]["invoices"]
    assert (row["amounts"]["EUR"]["delivered"], row["rounding_differences"]) == ("119.00", {"EUR": "-0.04"})
    assert "Total -0.04 EUR" in page(made, outcome) and "R-i" in page(made, outcome)


def test_without_a_difference_there_is_none(ready):
    ready.systems.invoices = {"i": invoice("i")}
    sheet = go(ready)
    assert sheet.rounding == [] and "rounding_differences" not in sheet.as_row()


@pytest.mark.parametrize(
    ("currency", "gross", "rounds", "held"),
    [
        ("JPY", "1105", "5", False),
        ("JPY", "1105", "6", True),
        ("KWD", "10.125", "0.005", False),
        ("KWD", "10.125", "0.006", True),
        ("EUR", "119.00", "0.05", False),
        ("EUR", "119.00", "0.06", True),
    ],
)
def test_the_tolerance_is_said_in_cents_and_meant_in_the_smallest_amount(ready, currency, gross, rounds, held):
    ready.systems.rounds = Decimal(rounds)
    ready.systems.invoices = {"i": msgspec.structs.replace(invoice("i", gross), currency=currency)}
    assert bool(go(ready).held) is held
