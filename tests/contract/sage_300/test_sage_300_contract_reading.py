"""Everything a company has is read, in every dialect, whatever the server does on the way."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from infra.sandbox.sage_300 import back_office, order_lines
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.records import Account, CostCenter, PurchaseOrder, Supplier


@pytest.mark.parametrize(
    "dialect",
    [
        {},
        {"annotations": "odata."},
        {"next_link": "keep"},
        {"date_tail": "T00:00:00"},
        {"filter_ge": False},
        {"page_size": 7},
        {"page_size": 1000},
    ],
    ids=str,
)
def test_every_vendor_is_read_in_every_dialect(bench, dialect):
    for name, value in dialect.items():
        setattr(bench.world, name, value)
    assert [one.key for one in bench.all(Supplier)] == [row["VendorNumber"] for row in bench.world.rows("APVendors")]
    changed = bench.all(Supplier, since="2026-01-20")
    expected = {r["VendorNumber"] for r in bench.world.rows("APVendors") if r["DateLastMaintained"] >= "2026-01-19"}
    assert {one.key for one in changed} == expected


def test_the_older_date_literal_is_asked_for_by_the_setting(make):
    bench = make(date_literal="datetime")
    bench.world.date_literal = "datetime"
    assert 0 < len(bench.all(Supplier, since="2026-01-20")) < 100


def test_a_vendor_keeps_its_odd_number_and_name(bench):
    odd = {one.key: one for one in bench.all(Supplier)}["O'BRIEN"]
    assert odd.name == bench.world.find("APVendors", "O'BRIEN")["VendorName"]
    (again,) = bench.connection.source(Supplier).reread(["O'BRIEN"])
    assert again.records == [odd]


@pytest.mark.parametrize("kind", ["500", "502", "503", "429", "session", "200-html", "200-error", "truncated", "401",
                                  "drop-before", "drop", "wrong-host"])  # fmt: skip
def test_one_fault_in_the_middle_costs_no_record(bench, kind):
    bench.all(CostCenter)  # the credentials are proven
    rule = bench.world.faults.add(kind, r"APVendors.*")
    rule.skip = 1
    assert len(bench.all(Supplier)) == len(bench.world.rows("APVendors"))


@pytest.mark.parametrize(
    ("kind", "skip", "times"),
    [("page-loop", 1, 50), ("repeated-page", 1, 50), ("repeated-page", 2, 1), ("repeated-page", 3, 1)],
)
def test_a_loop_of_pages_is_an_error_and_no_end(bench, kind, skip, times):
    bench.all(CostCenter)
    bench.world.faults.add(kind, "APVendors", times=times).skip = skip
    with pytest.raises(Transient, match="loop"):
        bench.all(Supplier)


def test_an_empty_page_in_the_middle_is_no_end(bench):
    bench.all(CostCenter)
    bench.world.faults.add("empty-page", "APVendors", times=1).skip = 1
    with pytest.raises(Transient):
        bench.all(Supplier)


def test_accounts_come_as_natural_accounts_and_cost_centres_as_segment_codes(bench):
    accounts = {one.key: one for one in bench.all(Account)}
    assert set(accounts) == {row["AccountSegmentCode1"] for row in bench.world.rows("GLAccounts")}
    centres = {one.key for one in bench.all(CostCenter)}
    assert centres == {f"CC{100 + n}" for n in range(20)}


def test_without_the_setting_accounts_are_whole_and_there_are_no_cost_centres(make):
    bench = make(cost_center_segment=None)
    assert [one.key for one in bench.all(Account)] == [r["UnformattedAccount"] for r in bench.world.rows("GLAccounts")]
    assert bench.all(CostCenter) == []


def test_open_orders_are_read_with_lines_receipts_and_returns(bench):
    orders = {one.key: one for one in bench.all(PurchaseOrder)}
    rows = {
        row["PurchaseOrderNumber"]: row
        for row in bench.world.rows("POPurchaseOrders")
        if row["Completed"] == "No" and row["PurchaseOrderType"] not in {"Standing", "Future"}
    }
    assert set(orders) == set(rows)
    for number, row in rows.items():
        order = orders[number]
        assert (order.supplier, order.currency) == (row["Vendor"], row["Currency"])
        for line, had in zip(order.lines, row["PurchaseOrderLines"], strict=True):
            assert (line.quantity, line.net) == (had["QuantityOrdered"], had["ExtendedCost"])
            received = sum((r.quantity for r in line.receipts if r.quantity > 0), Decimal(0))
            assert received >= had["QuantityReceived"]


def test_returns_name_the_receipt_that_they_take_back(bench):
    lines = [line for order in bench.all(PurchaseOrder, since="2025-01-01") for line in order.lines]
    returned = [r for line in lines for r in line.receipts if r.quantity < 0]
    kept = {r.key for line in lines for r in line.receipts}
    assert len({r.number for r in returned}) == len(bench.world.rows("POReturns"))
    assert all(r.reverses in kept for r in returned)


def test_orders_speak_in_natural_accounts_and_cost_centres(bench):
    known = {(one.order_number, str(one.line_number)): one for one in order_lines(bench.world)}
    for order in bench.all(PurchaseOrder):
        for line in order.lines:
            had = known[order.number, line.number]
            assert (line.account, line.cost_center or "") == (had.natural, had.cost_centre)


def test_a_receipt_a_return_and_a_completion_are_each_seen_by_the_next_pass(bench):
    one, other = [line for line in order_lines(bench.world) if line.open and line.outstanding > 5][:2]
    since = bench.world.today().isoformat()
    bench.clock.moment += timedelta(days=1)
    receipt = back_office.receive(bench.world, one.order_key, {one.line_number: Decimal(2)})
    back_office.give_back(bench.world, receipt["ReceiptSequenceKey"], {one.item: Decimal(1)})
    back_office.complete(bench.world, other.order_key if other.order_key != one.order_key else one.order_key)
    changed = {order.key: order for order in bench.all(PurchaseOrder, since=since)}
    line = next(x for x in changed[one.order_number].lines if x.number == str(one.line_number))
    assert sum(r.quantity for r in line.receipts) % 1 == 0
    assert [r.quantity for r in line.receipts][-2:] == [Decimal(2), Decimal(-1)]
    assert changed[other.order_number].status == "closed"


def test_a_hundred_orders_cost_few_calls(bench):
    bench.all(PurchaseOrder)
    orders = len(bench.world.rows("POPurchaseOrders"))
    assert len(bench.world.log) < orders / 3


def test_a_wrong_password_is_tried_once_by_the_whole_tenant(make):
    bench = make(password="wrong")
    for record in (Supplier, Account, PurchaseOrder):
        with pytest.raises(LoginRefused):
            bench.all(record)
    assert bench.world.users.refused == 1


def test_a_password_in_small_letters_needs_the_setting(make):
    bench = make(password="Mixed-Case1", uppercase_password=False)
    bench.world.users.add("WEBAPI", "Mixed-Case1")
    assert bench.all(CostCenter)


def test_windows_authentication_is_explained(bench):
    bench.world.windows_login = True
    with pytest.raises(LoginRefused, match="Windows Authentication disabled"):
        bench.all(Supplier)


def test_admin_is_told_of_the_rule(make):
    bench = make(user="admin", password=PASSWORD)
    with pytest.raises(Misconfigured, match="AllowWebApiAccessForAdmin"):
        bench.all(Supplier)


def test_ping_reads_everything_it_may_and_names_the_module_of_what_it_may_not(make):
    checks = {check.what: check for check in make().connection.ping()}
    assert all(check.ok for check in checks.values()), checks
    poor = {check.what: check for check in make(user="aponly", password=PASSWORD).connection.ping()}
    assert poor["vendors"].ok
    assert "module GL" in poor["accounts"].detail
    assert not poor["fiscal calendar"].ok


PASSWORD = "SANDBOX-ONLY"
