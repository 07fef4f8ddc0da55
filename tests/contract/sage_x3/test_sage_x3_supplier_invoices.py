"""Which supplier invoices of the simulated Sage X3 are offered, and how they are coded."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.fixtures_avidxchange import unpaid
from infra.sandbox.sage_x3 import back_office
from infra.sandbox.sage_x3.supplier_invoices import Line
from ml_connector.errors import Held, Misconfigured, Transient
from tests.contract.sage_x3.conftest import Maker, both
from tests.contract.sage_x3.submitting import enter, fetch, item, listed, opened

FLOW = "supplier_invoices"


def coded(record: Any) -> list[tuple[str, str]]:
    return [(one.account, f"{one.net}") for one in record.rows]


@both
def test_the_first_reading_offers_exactly_what_is_posted_and_nothing_was_paid_of(make: Maker, api: str) -> None:
    """So a first run never pays the past."""
    bench = opened(make, api=api)
    offers = listed(bench)
    assert {key for key, one in offers.items() if not one.void} == {row["NUM"] for row in unpaid(bench.world)}
    one = next(iter(unpaid(bench.world)))
    offer = offers[one["NUM"]]
    assert (offer.number, offer.partner, offer.currency) == (one["BPRVCR"], one["BPR"], one["CUR"])
    assert abs(offer.amount) == one["AMTATI"]


@both
def test_every_unpaid_invoice_is_read_with_lines_that_make_its_net_amount(make: Maker, api: str) -> None:
    bench = opened(make, api=api)
    for row in unpaid(bench.world):
        record = fetch(bench, row["NUM"]).record
        sign = -1 if row["INVTYP"] == 2 else 1
        assert (record.gross, record.net, record.tax) == (
            sign * row["AMTATI"], sign * row["AMTNOT"], sign * row["AMTTAX"],
        )  # fmt: skip
        assert sum(one.net for one in record.rows) == record.net == record.gross - record.tax
        assert all(one.account and one.account != "445660" for one in record.rows)
        assert (record.supplier, record.number, record.company) == (row["BPR"], row["BPRVCR"], "FR10")


def test_what_is_not_posted_is_not_offered_until_it_is(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench, posted=False)
    assert row["NUM"] not in listed(bench)
    assert fetch(bench, row["NUM"]).standing == "gone"


@both
def test_a_start_date_leaves_out_what_is_older_and_what_is_paid_is_void(make: Maker, api: str) -> None:
    bench = opened(make, api=api, starts={FLOW: date(2026, 2, 1)})
    old, new = (enter(bench, source=n, dated=date(2026, m, 5)) for n, m in (("OLD", 1), ("NEW", 2)))
    done = enter(bench, source="DONE", dated=date(2026, 2, 6))
    back_office.pay(bench.world, done["NUM"])
    found = listed(bench)
    assert old["NUM"] not in found and not found[new["NUM"]].void and found[done["NUM"]].void


@both
def test_a_partly_paid_invoice_is_not_submitted_and_says_why(make: Maker, api: str) -> None:
    bench = opened(make, api=api)
    row = enter(bench)
    before = listed(bench)[row["NUM"]]
    back_office.pay(bench.world, row["NUM"], Decimal("19.00"))
    after = listed(bench)[row["NUM"]]
    assert after.void and after.stamp != before.stamp
    document = fetch(bench, row["NUM"])
    assert document.void and "is left to be paid" in document.detail


def test_a_payment_that_is_entered_and_not_posted_counts_as_paid(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench)
    bench.world.change("GACCDUDATE", item(bench, row["NUM"]), {"TMPCUR": Decimal("119.00")})
    document = fetch(bench, row["NUM"])
    assert document.void and document.record.unpaid == 0


@both
def test_closed_without_a_payment_is_taken_back_and_not_paid(make: Maker, api: str) -> None:
    bench = opened(make, api=api)
    row = enter(bench)
    seen = f"{bench.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    bench.clock.sleep(4 * 3600)
    back_office.reverse(bench.world, "PIINV", row["NUM"])
    assert listed(bench, seen)[row["NUM"]].void, "its item changed, the invoice did not"
    document = fetch(bench, row["NUM"])
    assert document.record is None and document.standing == "gone" and "taken back" in document.detail


@both
def test_what_changed_is_read_again_and_only_that(make: Maker, api: str) -> None:
    bench = opened(make, api=api)
    bench.clock.sleep(24 * 3600)
    seen = f"{bench.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    bench.clock.sleep(3600)
    row = enter(bench)
    assert set(listed(bench, seen)) == {row["NUM"]}


def test_lines_of_a_bp_invoice_bring_their_own_account_and_dimensions(make: Maker) -> None:
    bench = opened(make)
    lines = (Line("400001", Decimal(60), "FRNOR", "CC101", "Cleaning"), Line("400002", Decimal(40), "FREXO", "CC102"))
    record = fetch(bench, enter(bench, *lines)["NUM"]).record
    assert coded(record) == [("400001", "60"), ("400002", "40")]
    assert [one.dimensions for one in record.rows] == [(("CCT", "CC101"),), (("CCT", "CC102"),)]
    assert [one.tax for one in record.rows] == [Decimal("11.40"), 0] and record.rows[0].description == "Cleaning"


def test_the_account_is_that_of_the_chart_of_the_company(make: Maker) -> None:
    bench = opened(make, chart="FRA")
    row = enter(bench)
    line = next(one for one in bench.world.rows("BPSINVLIG") if one["NUM"] == row["NUM"])
    bench.world.change("BPSINVLIG", line, {"COA": ["IAS", "FRA"], "ACC": ["999999", "400003"]})
    assert coded(fetch(bench, row["NUM"]).record) == [("400003", "100.00")]


def test_a_purchase_invoice_has_its_account_from_the_journal_and_its_order_from_its_line(make: Maker) -> None:
    bench = opened(make)
    line = Line("400001", Decimal("100.00"), "FRNOR", "CC101", "Paper", order="PO-50231", order_line=1000)
    record = fetch(bench, enter(bench, line, kind="PIH")["NUM"]).record
    assert coded(record) == [("400001", "100.00")]
    assert (record.rows[0].order_number, record.rows[0].order_line) == ("PO-50231", "1000")
    assert record.rows[0].dimensions == (("CCT", "CC101"),) and record.rows[0].tax == Decimal("19.00")


def test_without_embedded_lines_the_journal_tells_the_coding(make: Maker) -> None:
    """GraphQL never shows them: then no order number is told."""
    bench = opened(make)
    bench.world.invoice_lines = set()
    lines = [Line("400001", Decimal(60), "FRNOR", "CC101"), Line("400002", Decimal(40), "FRNOR", "CC102")]
    row = enter(bench, *lines, kind="PIH")
    for api in ("api1", "graphql"):
        mine = opened(make, api=api) if api == "graphql" else bench
        key = row["NUM"] if mine is bench else enter(mine, *lines, kind="PIH")["NUM"]
        record = fetch(mine, key).record
        assert coded(record) == [("400001", "60"), ("400002", "40")] and record.rows[0].order_number is None
        assert record.rows[0].dimensions == (("CCT", "CC101"),)


def test_lines_that_were_cut_are_noticed(make: Maker) -> None:
    bench = opened(make)
    lines = [Line("400001", Decimal(1), "FREXO", "CC101", f"L{n}") for n in range(25)]
    row = enter(bench, *lines)
    bench.world.nested_limit = 20
    with pytest.raises(Transient, match="not as a whole"):
        fetch(bench, row["NUM"])
    bench.world.nested_limit = 0
    assert len(fetch(bench, row["NUM"]).record.rows) == 25


def test_lines_that_do_not_make_the_invoice_are_not_all_of_them(make: Maker) -> None:
    """Then its journal entry, which does, tells the coding."""
    bench = opened(make)
    row = enter(bench, Line("400001", Decimal(60), "", "CC101"), Line("400002", Decimal(40), "", "CC102"))
    lost = [line for line in bench.world.rows("BPSINVLIG") if line["NUM"] == row["NUM"]][1]
    bench.world.change("BPSINVLIG", lost, {"AMTNOTLIN": Decimal(0)})
    assert coded(fetch(bench, row["NUM"]).record) == [("400001", "60"), ("400002", "40")]


def test_no_account_anywhere_holds_in_words(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench, kind="PIH")
    for line in [one for one in bench.world.rows("GACCENTRYD") if one["NUM"] == row["NUM"]]:
        bench.world.change("GACCENTRYD", line, {"BPR": "V10001"})
    with pytest.raises(Held, match="GL accounts of supplier invoice") as caught:
        fetch(bench, row["NUM"])
    assert caught.value.waiting_for == f"account:{row['NUM']}"


@pytest.mark.parametrize(
    ("table", "name", "waits"), [("GACCOUNT", "400001", "account:400001"), ("CACCE", "CC101", "dimension:CCT/CC101")]
)
def test_what_the_ledger_lets_nobody_post_to_holds_before_it_is_mapped(
    make: Maker, table: str, name: str, waits: str
) -> None:
    bench = opened(make)
    row = enter(bench)
    master = next(one for one in bench.world.rows(table) if name in (one.get("ACC"), one.get("CCE")))
    bench.world.change(table, master, {"ENAFLG": 1})
    with pytest.raises(Held) as caught:
        fetch(bench, row["NUM"])
    assert caught.value.waiting_for == waits
    bench.world.change(table, master, {"ENAFLG": 2})
    assert fetch(bench, row["NUM"]).record is not None


@both
def test_a_credit_memo_is_negative_in_all_its_amounts(make: Maker, api: str) -> None:
    bench = opened(make, api=api)
    row = enter(bench, credit=True)
    record = fetch(bench, row["NUM"]).record
    assert (record.gross, record.net, record.unpaid) == (-119, -100, -119)
    assert [one.net for one in record.rows] == [-100] and listed(bench)[row["NUM"]].amount == -119


def test_another_companys_invoices_are_none_of_ours(make: Maker) -> None:
    bench = opened(make)
    row = enter(bench)
    bench.world.change("PINVOICE", row, {"CPY": "US10"})
    assert row["NUM"] not in listed(bench) and fetch(bench, row["NUM"]).standing == "gone"


def test_without_a_stamp_everything_open_is_read_each_time(make: Maker) -> None:
    bench = opened(make)
    bench.world.stamp = "none"
    row = enter(bench)
    before = listed(bench, "2026-02-10T09:00:00Z")[row["NUM"]].stamp
    assert before == listed(bench)[row["NUM"]].stamp


def test_a_representation_that_is_not_there_is_one_sentence(make: Maker) -> None:
    bench = opened(make, classes={"supplier_invoice": {"representation": "NONE"}})
    with pytest.raises(Misconfigured, match=r"classes\.supplier_invoice\.representation"):
        listed(bench)
