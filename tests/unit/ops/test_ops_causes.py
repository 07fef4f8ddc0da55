"""One cause is one line on the screen and on the page, with a count; the JSON names each record."""

from __future__ import annotations

from typing import Any

from infra.local.causes import cause, grouped
from infra.local.page import page
from infra.local.report import Outcome, report
from infra.ops.summary import _lines
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.integrations import INTEGRATIONS

WHY = "Record skipped due to wrong or missing CompanyCode"


def outcome(**rejected: list[dict[str, Any]]) -> Outcome:
    flows = {f.name: f for f in INTEGRATIONS[0].flows}
    sheets = {}
    for name, lines in rejected.items():
        sheet = sheets["acme", INTEGRATIONS[0].name, name] = FlowTotals(flows[name])
        sheet.rejected = lines
        sheet.counts["read"] = sheet.counts["rejected"] = len(lines)
    return Outcome([], sheets, 1.0)


def test_hundreds_of_one_reason_are_one_line_with_their_count_and_each_is_in_the_json() -> None:
    ended = outcome(
        vendors=[{"key": f"V{n}", "reason": WHY} for n in range(300)],
        accounts=[{"key": f"{n}", "reason": WHY} for n in range(146)],
    )
    made = report(ended)
    assert len(made["rejected"]) == 446
    said = [line for line in _lines(made, ended, tables=False) if line.startswith("rejected")]
    assert said == [f"rejected  446 records (accounts 146, vendors 300): 0, 1, 2 and 443 more: {WHY}"]
    html = page(made, ended)
    assert html.count(WHY) == 1
    assert "Rejected (446)" in html
    assert "446 records: 0, 1, 2 and 443 more" in html


def test_reasons_that_differ_by_the_records_own_name_are_one_cause_with_its_money() -> None:
    def line(number: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
        reason = f"Invoice {number} has no coding rows. Code it."
        return {
            "tenant": "a",
            "integration": "i",
            "flow": "invoices",
            "key": f"k-{number}",
            "number": number,
            "amount": amount,
            "currency": currency,
            "reason": reason,
        }

    (one,) = grouped("rejected", [line("R-1", "10.00"), line("R-2", "20.50"), line("R-3", "1.00", "USD")])
    assert (one["count"], one["label"]) == (3, "R-1, R-2, R-3")
    assert (one["money"], one["reason"]) == ("30.50 EUR, 1.00 USD", "Invoice … has no coding rows. Code it.")
    alone = line("R-1", "10.00")
    assert grouped("rejected", [alone]) == [alone]
    assert len(grouped("held", [line("R-1", "1"), line("R-2", "1")])) == 2


def test_what_one_confirmation_is_for_is_one_line_among_the_held() -> None:
    whose = {"tenant": "a", "integration": "i", "reason": "2 of 3 vendors are missing in SAP Business One."}
    missing = [{**whose, "flow": "vendors", "key": key, "waiting_for": "approval:vendors"} for key in ("V1", "V2")]
    draft = {**whose, "flow": "invoices", "key": "k1", "waiting_for": "approval:k1"}
    assert [one.get("count", 1) for one in grouped("held", [draft, *missing, draft])] == [1, 2, 1]


def test_a_number_inside_of_a_word_is_no_name() -> None:
    assert cause({"key": "10", "reason": "Account 1000 is wrong, 10 too"}) == "Account 1000 is wrong, … too"


def test_tenants_are_kept_apart() -> None:
    lines = [{"tenant": t, "integration": "i", "flow": "vendors", "key": "1", "reason": WHY} for t in "aab"]
    assert [one.get("count", 1) for one in grouped("rejected", lines)] == [2, 1]
