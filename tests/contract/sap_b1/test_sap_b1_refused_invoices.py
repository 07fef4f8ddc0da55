"""What the company refuses of an invoice, and what has no certain answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.records import Invoice


@pytest.mark.parametrize(
    ("fields", "waiting_for"),
    [
        ({"account": "157600"}, "account:157600"),
        ({"account": "nowhere"}, "account:nowhere"),
        ({"tax_code": "A2"}, "tax:A2"),
        ({"cost_center": "CC119"}, "cost_center:CC119"),
        ({"cost_center": "CC999"}, "cost_center:CC999"),
    ],
)
def test_a_code_that_the_company_refuses_holds_on_the_platforms_code(
    bench: Any, invoice: Any, row: Any, fields: dict[str, str], waiting_for: str
) -> None:
    ((kind, theirs),) = list(fields.items())
    name = "tax" if kind == "tax_code" else kind
    bench.codes.mapped[name, "P-1"] = theirs
    target = bench.connection.target(Invoice)
    with pytest.raises(Held) as held:
        target.send(target.prepare(invoice("119.00", row(net="100.00", tax="19.00", **{kind: "P-1"})), bench.codes))
    assert held.value.waiting_for == f"{name}:P-1"


def test_a_frozen_supplier_a_currency_and_a_closed_period_hold(bench: Any, invoice: Any, row: Any) -> None:
    bench.world.closed_periods.add("2025-12")
    target = bench.connection.target(Invoice)
    for fields, waiting_for in (
        ({"supplier": "V10039"}, "supplier:V10039"),
        ({"currency": "XXX"}, "currency:XXX"),
        ({"accounting_date": date(2025, 12, 31)}, "period:2025-12"),
    ):
        with pytest.raises(Held) as held:
            target.send(target.prepare(invoice("119.00", row(net="100.00"), **fields), bench.codes))
        assert held.value.waiting_for == waiting_for


def test_a_closed_period_moves_to_the_next_open_one_where_the_tenant_wants_it(
    make: Any, invoice: Any, row: Any
) -> None:
    bench = make(options={"closed_period": "next_open"})
    bench.world.closed_periods |= {"2025-11", "2025-12"}
    document = bench.post(invoice("119.00", row(net="100.00"), accounting_date=date(2025, 11, 30)))
    assert document["DocDate"] == "2026-01-01"
    assert document["Comments"].startswith("Posting date moved from 2025-11-30 to 2026-01-01")


def test_where_every_month_is_refused_the_invoices_own_is_named(make: Any, invoice: Any, row: Any) -> None:
    bench = make(options={"closed_period": "next_open"})
    bench.world.closed_periods |= {f"2025-{month}" for month in ("08", "09", "10", "11", "12")}
    target = bench.connection.target(Invoice)
    one = invoice("119.00", row(net="100.00"), accounting_date=date(2025, 8, 31))
    with pytest.raises(Held, match="2025-08-31") as held:
        target.send(target.prepare(one, bench.codes))
    assert held.value.waiting_for == "period:2025-08"


def test_the_day_that_was_really_posted_on_is_told(make: Any, invoice: Any, row: Any) -> None:
    bench = make(options={"closed_period": "next_open"})
    bench.world.closed_periods |= {"2025-11"}
    target = bench.connection.target(Invoice)
    one = invoice("119.00", row(net="100.00"), accounting_date=date(2025, 11, 30))
    found = target.send(target.prepare(one, bench.codes))
    back = target.read_back(found)
    assert found.posted_on == back.posted_on == date(2025, 12, 1)
    assert back.dated == date(2026, 1, 30), "the supplier's own date is not moved"
    assert found.notes == ("Posting date moved from 2025-11-30 to 2025-12-01: period closed.",)


def test_a_branch_is_taken_from_the_secret_the_mapping_or_the_organization(make: Any, invoice: Any, row: Any) -> None:
    bench = make()
    bench.world.branches = {3: "Nord", 4: "Süd"}
    target = bench.connection.target(Invoice)
    with pytest.raises(Held) as held:
        target.send(target.prepare(invoice("119.00", row(net="100.00"), organization="HH"), bench.codes))
    assert held.value.waiting_for == "branch:HH"
    assert bench.post(invoice("119.00", row(net="100.00"), organization="4", number="a"))["BPLName"] == "Süd"
    bench.codes.mapped["branch", "HH"] = "3"
    assert bench.post(invoice("119.00", row(net="100.00"), organization="HH", number="b"))["BPLName"] == "Nord"
    fixed = make(branch_id=4)
    fixed.world.branches = {4: "Süd"}
    assert fixed.post(invoice("119.00", row(net="100.00"), number="c"))["BPLName"] == "Süd"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"net": "100.001"}, "two decimals"),
        ({"net": None}, "no amount"),
        ({"net": "100.00", "account": None}, "neither an account"),
    ],
)
def test_what_can_never_be_posted_is_rejected(
    bench: Any, invoice: Any, row: Any, fields: dict[str, Any], reason: str
) -> None:
    values = {"net": "100.00", **fields}
    if values["net"] is None:
        values.pop("net")
    with pytest.raises(Rejected, match=reason):
        bench.connection.target(Invoice).prepare(invoice("119.00", row(**values)), bench.codes)


def test_an_invoice_without_rows_or_with_too_long_a_number_is_rejected(bench: Any, invoice: Any, row: Any) -> None:
    target = bench.connection.target(Invoice)
    with pytest.raises(Rejected, match="no coding rows"):
        target.prepare(invoice("119.00"), bench.codes)
    with pytest.raises(Rejected, match="longer than the 100"):
        target.prepare(invoice("119.00", row(net="100.00"), number="9" * 101), bench.codes)


@pytest.mark.parametrize("kind", ["500", "502", "503", "drop", "truncated", "200-html", "late"])
def test_a_doubtful_answer_to_a_posting_is_unknown_and_sent_once(bench: Any, invoice: Any, row: Any, kind: str) -> None:
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    before = bench.world.calls["POST PurchaseInvoices"]
    bench.world.faults.add(kind, "PurchaseInvoices", method="POST", seconds=600)
    with pytest.raises(OutcomeUnknown):
        target.send(prepared)
    assert bench.world.calls["POST PurchaseInvoices"] == before + 1


def test_a_posting_that_met_a_dead_session_is_sent_again_once(bench: Any, invoice: Any, row: Any) -> None:
    for style in ("401", "-5002"):
        bench.world.dead_session_style = style
        target = bench.connection.target(Invoice)
        prepared = target.prepare(invoice("119.00", row(net="100.00"), number=style), bench.codes)
        bench.world.expire_sessions()
        assert target.send(prepared).number
        assert len(target.look(prepared)) == 1


def test_no_connection_at_all_had_no_effect(bench: Any, invoice: Any, row: Any) -> None:
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.00", row(net="100.00")), bench.codes)
    bench.world.sessions.limit_per_user = 0
    bench.world.expire_sessions()
    with pytest.raises(Transient, match="could not open a session"):
        target.send(prepared)
    assert not bench.world.tables["PurchaseInvoices"]


def test_a_rounding_account_that_the_company_refuses_is_named_as_such(make: Any, invoice: Any, row: Any) -> None:
    bench = make(rounding_account="157600")
    target = bench.connection.target(Invoice)
    prepared = target.prepare(invoice("119.02", row(net="100.00", tax="19.00")), bench.codes)
    with pytest.raises(Misconfigured, match="157600 that 'rounding_account'"):
        target.send(prepared)


def test_dimensions_beside_the_cost_centre_go_into_their_own_fields(bench: Any, invoice: Any, row: Any) -> None:
    bench.codes.mapped["cost_center", "P-2"] = "PR2"
    document = bench.post(invoice("119.00", row(net="100.00", dimensions=(("2", "P-2"),))))
    line = document["DocumentLines"][0]
    assert (line["CostingCode"], line["CostingCode2"]) == ("CC101", "PR2")
    with pytest.raises(Held) as held:
        bench.connection.target(Invoice).prepare(
            invoice("119.00", row(net="100.00", dimensions=(("2", "nowhere"),))), bench.codes
        )
    assert held.value.waiting_for == "cost_center:nowhere"
