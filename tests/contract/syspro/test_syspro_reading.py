"""What is read of SYSPRO, alike by OData and by e.net."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.syspro import back_office
from ml_connector.errors import Misconfigured
from ml_connector.records import Account, CostCenter, PurchaseOrder, Record, Supplier

both = pytest.mark.parametrize("read_via", ["odata", "enet"])
ORDER = "000000000100001"


def read(bench: Any, record: type[Record], since: str | None = None) -> dict[str, Any]:
    pages = list(bench.connection.source(record).pages(since, None))
    assert not [bad for page in pages for bad in page.broken]
    return {one.key: one for page in pages for one in page.records}


def order(bench: Any, key: str = ORDER) -> PurchaseOrder:
    pages = list(bench.connection.source(PurchaseOrder).reread([key]))
    assert not [bad for page in pages for bad in page.broken]
    (one,) = [one for page in pages for one in page.records]
    assert isinstance(one, PurchaseOrder)
    return one


def fields(bench: Any, table: str, key: Any, **values: Any) -> None:
    back_office.change(bench.world, table, dict(bench.world.tables[table][key]) | values)


@both
def test_suppliers_have_their_keys_as_they_stand_and_codes_as_people_write_them(make: Any, read_via: str) -> None:
    bench = make(read_via=read_via)
    found = read(bench, Supplier)
    assert len(found) == 304
    assert found[" 00001"].code == "00001" and found["0000001200"].code == "0000001200"
    assert not found["V10007"].active, "on hold"
    assert found["V10000"].addresses[0].street == "Königstraße 1, Köln, DE"


def test_both_ways_of_reading_give_the_same(make: Any) -> None:
    one, other = make(), make(read_via="enet")
    for record in (Supplier, Account, CostCenter, PurchaseOrder):
        assert read(one, record) == read(other, record)


@both
def test_accounts_are_those_of_the_company_without_pseudo_codes(make: Any, read_via: str) -> None:
    bench = make(read_via=read_via)
    codes = {row["GlCode"] for row in bench.world.rows("GenMaster") if row["Company"] == "A"}
    assert set(read(bench, Account)) == codes - {"FORCED", "RETAINED"}


def test_accounts_may_lie_in_another_companys_database(make: Any) -> None:
    """The simulated server has one company's tables; what is asked of the other one's is answered by these."""
    bench, asked = make(ledger_company="B"), set[str]()

    def elsewhere(request: httpx.Request) -> None:
        if request.url.path.endswith("/GenMaster"):
            asked.add(request.url.path.rsplit("/", 2)[1])
            request.url = httpx.URL(str(request.url).replace("/B/GenMaster", "/A/GenMaster"))

    bench.wire.outgoing = elsewhere
    assert len(read(bench, Account)) == 2409 and asked == {"B"}


@both
def test_no_account_at_all_is_an_error_and_not_the_deletion_of_each(make: Any, read_via: str) -> None:
    bench = make(read_via=read_via)
    for key in list(bench.world.tables["GenMaster"]):
        if key[0] == "A":
            del bench.world.tables["GenMaster"][key]
    for record in (Account, CostCenter):
        with pytest.raises(Misconfigured, match="Set 'ledger_company'"):
            list(bench.connection.source(record).pages(None, None))


def test_without_a_setting_there_are_no_cost_centers(make: Any) -> None:
    bench = make(cost_centers=None)
    assert read(bench, CostCenter) == {} and not bench.wire.seen
    assert order(bench).lines[0].cost_center is None


@both
@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"OrderStatus": "*"}, "cancelled"),
        ({"OrderStatus": "/"}, "cancelled"),
        ({"CancelledFlag": "Y"}, "cancelled"),
        ({"OrderStatus": "9"}, "closed"),
        ({"DatePoCompleted": "2026-02-09"}, "closed"),
        ({}, "open"),
    ],
)
def test_an_order_stands_as_any_of_its_fields_says(
    make: Any, read_via: str, values: dict[str, str], status: str
) -> None:
    bench = make(read_via=read_via)
    fields(bench, "PorMasterHdr", ORDER, **values)
    assert order(bench).status == status


def test_an_amendment_shows(bench: Any) -> None:
    before = order(bench)
    fields(bench, "PorMasterHdr", ORDER, AmendedCount=Decimal(1))
    assert (before.revision, order(bench).revision) == ("0", "1") and before != order(bench)


@both
def test_charges_are_lines_and_comments_are_none(make: Any, read_via: str) -> None:
    bench = make(read_via=read_via)
    charge = next(row for row in bench.world.rows("PorMasterDetail") if row["NMscChargeValue"])
    comment = dict(charge) | {
        "Line": 90,
        "LineType": "6",
        "NComment": "Call before delivery",
        "NMscChargeValue": Decimal(0),
    }
    back_office.change(bench.world, "PorMasterDetail", comment)
    found = order(bench, charge["PurchaseOrder"])
    (line,) = [one for one in found.lines if one.service and one.key == str(charge["Line"])]
    assert (line.quantity, line.net) == (Decimal(1), charge["NMscChargeValue"])
    assert line.description == charge["NComment"] and "90" not in {one.key for one in found.lines}


@both
@pytest.mark.parametrize("grn_system", [True, False])
def test_receipts_and_returns_come_from_either_table(make: Any, read_via: str, grn_system: bool) -> None:
    bench = make(read_via=read_via)
    bench.world.grn_system = grn_system
    key = next(row["PurchaseOrder"] for row in bench.world.rows("PorMasterHdr") if not _received(bench, row))
    back_office.receive(bench.world, key, {1: Decimal(4)})
    back_office.receive(bench.world, key, {1: Decimal(-1)})
    receipts = order(bench, key).lines[0].receipts
    assert [one.quantity for one in receipts] == [Decimal(4), Decimal(-1)]
    assert all(one.number and one.received_on == date(2026, 2, 10) for one in receipts)
    assert len({one.key for one in receipts}) == 2
    assert key in read(bench, PurchaseOrder, "2026-02-10"), "a receipt leads to its order"


def _received(bench: Any, row: dict[str, Any]) -> bool:
    taken = {one["PurchaseOrder"] for one in bench.world.rows("GrnDetails")}
    lines = [one for one in bench.world.rows("PorMasterDetail") if one["PurchaseOrder"] == row["PurchaseOrder"]]
    return row["PurchaseOrder"] in taken or row["OrderStatus"] != "1" or lines[0]["LineType"] != "1"


@both
@pytest.mark.parametrize("date_literal", ["both", "datetime", "date"])
def test_changes_are_found_whatever_form_of_days_the_server_takes(make: Any, read_via: str, date_literal: str) -> None:
    bench = make(read_via=read_via)
    bench.world.date_literal = date_literal
    fields(bench, "PorMasterHdr", ORDER, OrderEntryDate="2026-02-10")
    found = read(bench, PurchaseOrder, "2026-02-10")
    assert ORDER in found and len(found) < 176


@pytest.mark.parametrize("wrapping", ["raw", "json", "string"])
@pytest.mark.parametrize("tail", ["", "\n "])
def test_answers_are_taken_out_of_any_wrapping(make: Any, wrapping: str, tail: str) -> None:
    bench = make(read_via="enet")
    bench.world.wrapping, bench.world.tail = wrapping, tail
    assert read(bench, Supplier)["V10000"].addresses[0].street == "Königstraße 1, Köln, DE"


@pytest.mark.parametrize("limit", [3, 250])
@pytest.mark.parametrize("link", ["", "relative", "absolute"])
def test_pages_that_are_shorter_than_asked_for_are_no_end(make: Any, limit: int, link: str) -> None:
    bench = make()
    bench.world.page_limit, bench.world.next_link = limit, link
    codes = [row["Supplier"] for row in bench.connection.client.rows("ApSupplier", ("Supplier",))]
    assert len(codes) == len(set(codes)) == 304


def test_a_currency_of_the_customers_own_is_kept_as_it_is_and_ping_proposes_its_mapping(bench: Any) -> None:
    back_office.respell_currency(bench.world, "EUR", "$")
    assert order(bench).currency == "$"
    (check,) = [one for one in bench.connection.ping() if one.what == "company"]
    assert check.warning and "mappings set acme currency CODE '$'" in check.detail


def test_ping_says_what_is_not_licensed_and_writes_nothing(make: Any) -> None:
    bench = make()
    bench.world.unlicensed = {"APSTIN", "GENTJL"}
    object.__setattr__(bench.context, "flows", lambda: ("invoices",))
    checks = {one.what: one for one in bench.connection.ping()}
    assert not checks["APSTIN"].ok and "not licensed: APSTIN" in checks["APSTIN"].detail
    assert checks["GENTJL"].ok and checks["GENTJL"].warning, "not used here"
    assert checks["APSSSP"].ok and not checks["APSSSP"].warning
    assert all("ValidateOnly%3EY" in str(one.url) for one in bench.wire.seen if "/Transaction/Post" in str(one.url))
    assert "2026-02-10" in checks["company"].detail and "EUR" in checks["company"].detail


def test_ping_says_that_a_journal_creates_no_payable(make: Any) -> None:
    bench = make(post_as="gl_journal", payable_account="2010")
    (check,) = [one for one in bench.connection.ping() if one.what == "invoices"]
    assert check.warning and "creates no payable" in check.detail
