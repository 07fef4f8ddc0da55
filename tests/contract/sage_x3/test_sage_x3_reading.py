"""What is read of a Sage X3 folder is the same by api1 and by GraphQL, and never less than there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from infra.sandbox.sage_x3 import back_office
from ml_connector.errors import Misconfigured, Transient
from ml_connector.records import Account, CostCenter, PurchaseOrder, Supplier
from tests.contract.conformance.wire import ALWAYS, instead, page, truncated
from tests.contract.sage_x3.conftest import START, Bench, Maker, both

ALL = (Supplier, Account, CostCenter, PurchaseOrder)
KINDS = pytest.mark.parametrize("kind", ALL)


def same(record: Any) -> Any:
    """Leave out what only one dialect shows: tax numbers of partners, the tax code and description of a line."""
    if isinstance(record, Supplier):
        return msgspec.structs.replace(record, vat_number=None)
    if isinstance(record, PurchaseOrder):
        lines = (
            msgspec.structs.replace(one, tax_code=None, description=None, cost_center=None, dimensions=())
            for one in record.lines
        )
        return msgspec.structs.replace(record, lines=tuple(lines))
    return record


@KINDS
def test_both_dialects_give_the_same_records(make: Maker, kind: Any) -> None:
    found = [make(api=api, dimensions=("PRJ",)).read(kind) for api in ("api1", "graphql")]
    assert found[0] and {key: same(one) for key, one in found[0].items()} == {k: same(v) for k, v in found[1].items()}


@both
def test_each_record_of_the_folder_is_read(make: Maker, api: str) -> None:
    bench = make(api=api, dimensions=("PRJ",))
    rows = bench.world.rows
    assert bench.read(Supplier).keys() == {row["BPSNUM"] for row in rows("BPSUPPLIER")}
    assert bench.read(Account).keys() == {row["ACC"] for row in rows("GACCOUNT") if row["COA"] == "FRA"}
    kinds = {"CCT": "", "PRJ": "PRJ~"}
    assert bench.read(CostCenter).keys() == {f"{kinds[row['DIE']]}{row['CCE']}" for row in rows("CACCE")}
    open_orders = {r["POHNUM"] for r in rows("PORDER") if r["CLEFLG"] == 1 and r["POHTYP"] == 1}
    assert bench.read(PurchaseOrder).keys() == open_orders


@pytest.mark.parametrize("next_link", ["absolute", "relative"])
def test_small_pages_and_bare_links_lose_nothing(make: Maker, next_link: str) -> None:
    bench = make()
    bench.world.page_limit, bench.world.next_link, bench.world.next_count = 7, next_link, False
    assert len(bench.read(Supplier)) == len(bench.world.rows("BPSUPPLIER"))


@pytest.mark.parametrize("fault", ["no-next", "repeated-page", "page-loop", "wrong-host", "truncated", "empty-page"])
@KINDS
def test_a_spoiled_page_is_never_taken_for_the_end(make: Maker, fault: str, kind: Any) -> None:
    """What is read is all that there is, or an error; a foreign host is never called."""
    whole = make().read(kind).keys()
    for skip in range(3):
        bench = make()
        bench.world.page_limit = 9
        bench.world.faults.add(fault, r"query&count", skip=skip)
        try:
            found = bench.read(kind).keys()
        except (Transient, Misconfigured):
            continue
        assert found == whole
        assert {one.url.host for one in bench.wire.seen} == {"x3.example"}


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def stamp(bench: Bench, kind: Any) -> str | None:
    return max((page.stamp for page in bench.pages(kind) if page.stamp), default=None)


@both
def test_what_changed_since_the_last_reading_is_read_and_little_else(make: Maker, api: str) -> None:
    bench = make(api=api)
    since = stamp(bench, Supplier)
    bench.clock.sleep(3600)
    back_office.change(bench.world, "BPSUPPLIER", {"BPSNUM": "FR053", "BPSNAM": "Changed"})
    found = bench.again().read(Supplier, since)
    assert found["FR053"].name == "Changed" and len(found) < 30


def test_an_edit_later_on_the_same_day_is_not_lost_where_stamps_are_days(make: Maker) -> None:
    bench = make()
    bench.world.stamp = "UPDDAT"
    back_office.change(bench.world, "BPSUPPLIER", {"BPSNUM": "V10000", "BPSNAM": "First"})
    since = stamp(bench, Supplier)
    assert since == START.date().isoformat()
    bench.clock.sleep(3600)
    back_office.change(bench.world, "BPSUPPLIER", {"BPSNUM": "FR053", "BPSNAM": "Later"})
    assert bench.again().read(Supplier, since)["FR053"].name == "Later"
    assert any("%40" in str(one.url) for one in bench.wire.seen), "asked for by day"


def test_without_a_stamp_everything_is_compared(make: Maker) -> None:
    bench = make()
    bench.world.stamp = "none"
    assert stamp(bench, Supplier) is None
    assert len(bench.again().read(Supplier, "2026-02-09")) == len(bench.world.rows("BPSUPPLIER"))


def test_an_unknown_change_field_is_said_and_never_asked_for(make: Maker) -> None:
    """X3 answers an unknown property of a condition with 500, which would look like any trouble."""
    bench = make(classes={"supplier": {"changed_field": "ZCHANGED"}})
    with pytest.raises(Misconfigured, match=r"classes\.supplier\.changed_field"):
        bench.read(Supplier)
    assert not [one for one in bench.world.log if one.status == 500]


# ── set-up ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "entity"),
    [(Supplier, "supplier"), (Account, "account"), (CostCenter, "dimension"), (PurchaseOrder, "purchase_order")],
)
@pytest.mark.parametrize("field", ["class", "representation"])
def test_a_missing_class_or_representation_is_one_sentence_with_the_fields_name(
    make: Maker, kind: Any, entity: str, field: str
) -> None:
    bench = make(classes={entity: {field: "ZNOTHING"}})
    with pytest.raises(Misconfigured, match=rf"classes\.{entity}\.representation"):
        bench.read(kind)
    assert len([one for one in bench.wire.seen if "ZNOTHING.$query" in str(one.url)]) == 1


def test_a_missing_right_is_said(make: Maker) -> None:
    bench = make()
    bench.world.forbidden = {"GACCOUNT"}
    with pytest.raises(Misconfigured, match="right to read"):
        bench.read(Account)


def test_another_class_and_representation_are_read_where_the_secret_names_them(make: Maker) -> None:
    bench = make(classes={"journal": {"representation": "ZGACCENTRY"}, "supplier": {"representation": "ZSUP"}})
    shown = bench.world.representations["BPSUPPLIER", "BPSUPPLIER"]
    bench.world.representations["BPSUPPLIER", "ZSUP"] = replace(shown, name="ZSUP")
    assert len(bench.read(Supplier)) == len(bench.world.rows("BPSUPPLIER"))


@both
def test_accounts_are_those_of_one_chart(make: Maker, api: str) -> None:
    bench = make(api=api)
    back_office.change(bench.world, "GACCOUNT", {"COA": "USA", "ACC": "401000", "DES": "Payables", "ENAFLG": 2})
    with pytest.raises(Misconfigured, match="'chart'"):
        bench.read(Account)
    chosen = make(api=api, chart="USA")
    back_office.change(chosen.world, "GACCOUNT", {"COA": "USA", "ACC": "401000", "DES": "Payables", "ENAFLG": 2})
    assert chosen.read(Account).keys() == {"401000"}


@both
def test_no_account_at_all_is_an_error_and_no_empty_chart(make: Maker, api: str) -> None:
    for chart in (None, "XXX"):
        bench = make(api=api, **({"chart": chart} if chart else {}))
        if chart is None:
            bench.world.tables["GACCOUNT"].clear()
        with pytest.raises(Misconfigured, match="no accounts"):
            bench.read(Account)


@both
def test_only_the_cost_center_and_listed_dimension_types_are_read(make: Maker, api: str) -> None:
    kinds = {one.dimension for one in make(api=api, dimensions=("PRJ",)).read(CostCenter).values()}
    assert kinds == {None, "PRJ"}
    assert {one.dimension for one in make(api=api).read(CostCenter).values()} == {None}
    alone = make(api=api, cost_center_dimension=None, dimensions=("PRJ",)).read(CostCenter)
    assert {one.dimension for one in alone.values()} == {None, "PRJ"}, "the only type that is not listed"
    with pytest.raises(Misconfigured, match="'cost_center_dimension'"):
        make(api=api, cost_center_dimension=None).read(CostCenter)


def test_a_code_stays_as_it_is_in_case(make: Maker) -> None:
    bench = make()
    for code in ("abc", "ABC"):
        back_office.change(bench.world, "BPSUPPLIER", {"BPSNUM": code, "BPSNAM": code, "ENAFLG": 2})
    found = bench.read(Supplier)
    assert (found["abc"].name, found["ABC"].name) == ("abc", "ABC")


@both
def test_yes_is_two_and_blank_is_nothing(make: Maker, api: str) -> None:
    bench = make(api=api)
    back_office.change(bench.world, "BPSUPPLIER", {"BPSNUM": "FR053", "ENAFLG": 1, "PTE": "", "CUR": ""})
    found = bench.read(Supplier)
    assert not found["FR053"].active and found["V10000"].active == (
        bench.world.find("BPSUPPLIER", "V10000")["ENAFLG"] == 2
    )
    assert found["FR053"].payment_term is None and found["FR053"].currency is None


@both
def test_records_are_read_again_by_their_keys_and_no_others(make: Maker, api: str) -> None:
    bench = make(api=api)
    for kind, key in ((Supplier, "V10001"), (Account, "400000"), (CostCenter, "CC100")):
        pages = list(bench.source(kind).reread([key, key.replace("1", "9") + "X"]))
        assert [one.key for page in pages for one in page.records] == [key]


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────


def lines(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"ITMREF": f"I{n}", "QTYUOM": Decimal(2), "NETPRI": Decimal("1.50"), **more} for n in range(count)]


@both
def test_an_order_has_its_lines_prices_and_coding(make: Maker, api: str) -> None:
    bench = make(api=api)
    bench.world.tables["PORDER"].clear()
    row = back_office.order(bench.world, "V10000", lines(2), number="P1", center="CC100", project="P001")
    (order,) = bench.read(PurchaseOrder).values()
    assert (order.key, order.supplier, order.currency, order.status) == ("P1", "V10000", row["CUR"], "open")
    assert [(one.key, one.quantity, one.unit_price, one.net) for one in order.lines] == [
        ("1000", Decimal(2), Decimal("1.50"), Decimal("3.00")),
        ("2000", Decimal(2), Decimal("1.50"), Decimal("3.00")),
    ]
    if api == "api1":
        assert order.lines[0].cost_center == "CC100"
        assert order.lines[0].dimensions == (("CCT", "CC100"), ("PRJ", "P001"))


def test_an_order_cut_at_twenty_lines_is_an_error_and_never_a_shorter_order(make: Maker) -> None:
    bench = make()
    bench.world.nested_limit = 20
    long = {
        r["POHNUM"] for r in bench.world.rows("PORDER") if r["LINNBR"] > 20 and r["CLEFLG"] == 1 and r["POHTYP"] == 1
    }
    assert long
    found, broken = bench.read(PurchaseOrder), bench.again().broken(PurchaseOrder)
    assert not long & found.keys() and {bad.key for bad in broken if "~" not in bad.key} == long
    assert all("gave only 20" in bad.reason for bad in broken), "of receipts as well"
    assert all(len(one.lines) == bench.world.find("PORDER", key)["LINNBR"] for key, one in found.items())


@pytest.mark.parametrize(
    "spoiled",
    [
        instead(404),
        instead(404, '{"message": "no route"}'),
        instead(200, "{}"),
        instead(200, '{"POHNUM": "OTHER"}'),
        instead(500, '{"$severity": "error", "$dataCode": "InternalServerError", "$source": "Gateway"}'),
        page(200),
        truncated,
    ],
)
def test_an_order_whose_lines_cannot_be_read_is_not_taken_for_gone(make: Maker, spoiled: Any) -> None:
    bench = make()
    bench.wire.spoil(spoiled, lambda request: "PORDER(" in request.url.path, times=ALWAYS)
    with pytest.raises(Transient):
        bench.read(PurchaseOrder)
    with pytest.raises(Transient):
        list(bench.source(PurchaseOrder).reread(["POFR2602-0001"]))


def test_an_order_that_x3_itself_says_is_gone_is_left_out(make: Maker) -> None:
    bench = make()
    gone = instead(200, '{"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}')
    bench.wire.spoil(gone, lambda request: "PORDER('POFR2602-0001')" in request.url.path, times=ALWAYS)
    assert "POFR2602-0001" not in bench.read(PurchaseOrder) and not bench.again().broken(PurchaseOrder)


def test_more_lines_than_a_page_of_graphql_are_all_read(make: Maker) -> None:
    bench = make(api="graphql")
    bench.world.tables["PORDER"].clear()
    back_office.order(bench.world, "V10000", lines(1_003), number="LONG")
    assert len(bench.read(PurchaseOrder)["LONG"].lines) == 1_003


@both
def test_receipts_stand_on_the_lines_that_they_name(make: Maker, api: str) -> None:
    bench = make(api=api)
    bench.world.tables["PORDER"].clear()
    back_office.order(bench.world, "V10000", lines(3), number="P1")
    back_office.receive(bench.world, "P1", {2000: Decimal(1)})
    back_office.receive(bench.world, "P1", {2000: Decimal(1), 3000: Decimal(2)})
    order = bench.read(PurchaseOrder)["P1"]
    assert [[one.quantity for one in line.receipts] for line in order.lines] == [[], [1, 1], [2]]
    assert order.lines[1].receipts[0].received_on == START.date()
    assert order.lines[1].receipts[0].net == Decimal("1.50")


@both
def test_an_order_whose_receipt_alone_changed_is_read_again(make: Maker, api: str) -> None:
    bench = make(api=api)
    since = stamp(bench, PurchaseOrder)
    order = next(r for r in bench.world.rows("PORDER") if r["CLEFLG"] == 1 and r["POHTYP"] == 1 and r["RCPFLG"] == 1)
    kept = order["UPDDATTIM"]
    bench.clock.sleep(7200)
    back_office.receive(bench.world, order["POHNUM"])
    for name in ("PORDER", "PORDERQ"):  # as where a receipt moves nothing of its order
        for row in bench.world.rows(name):
            row["UPDDATTIM"] = min(row["UPDDATTIM"], kept)
    found = bench.again().read(PurchaseOrder, since)
    assert all(line.receipts for line in found[order["POHNUM"]].lines)


@both
def test_an_order_that_closes_is_read_once_more_as_closed(make: Maker, api: str) -> None:
    bench = make(api=api)
    since = stamp(bench, PurchaseOrder)
    number = next(iter(bench.read(PurchaseOrder)))
    bench.clock.sleep(3600)
    back_office.close_order(bench.world, number)
    order = bench.again().read(PurchaseOrder, since)[number]
    assert order.status == "closed" and all(line.closed for line in order.lines)


@both
def test_contracts_are_no_orders(make: Maker, api: str) -> None:
    bench = make(api=api)
    contracts = {row["POHNUM"] for row in bench.world.rows("PORDER") if row["POHTYP"] == 2}
    assert contracts and not contracts & bench.read(PurchaseOrder).keys()


def test_a_line_of_text_alone_is_a_service_of_one(make: Maker) -> None:
    bench = make()
    bench.world.tables["PORDER"].clear()
    text = {"ITMREF": "", "ITMDES1": "Consulting", "QTYUOM": Decimal(0), "NETPRI": Decimal("90.00")}
    back_office.order(bench.world, "V10000", [text], number="P1")
    (line,) = bench.read(PurchaseOrder)["P1"].lines
    assert (line.service, line.quantity, line.net, line.item, line.description) == (True, 1, 90, None, "Consulting")


def test_a_day_before_1900_is_none(make: Maker) -> None:
    bench = make()
    number = next(iter(bench.read(PurchaseOrder)))
    back_office.change(bench.world, "PORDER", {"POHNUM": number, "ORDDAT": date(1753, 1, 1)})
    assert bench.again().read(PurchaseOrder)[number].created is None


def test_lines_under_another_name_are_read(make: Maker) -> None:
    bench = make()
    whole = bench.read(PurchaseOrder)
    bench.world.collections = {"PORDERP": "POHPOP", "PORDERQ": "POHPOQ", "PRECEIPTD": "PTHPTD"}
    assert bench.again().read(PurchaseOrder) == whole


# ── GraphQL alone ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_older_packages_are_found_out_once(make: Maker) -> None:
    bench = make(api="graphql")
    whole = bench.read(Supplier)
    bench.world.prefix = "xtremX3"
    bench.context.kept.clear()
    assert bench.again().read(Supplier) == whole
    before = len([one for one in bench.world.log if one.status == 400])
    assert bench.again().read(Supplier) == whole and before == len(
        [one for one in bench.world.log if one.status == 400]
    )


def test_a_part_that_may_not_be_read_spoils_its_records_and_is_not_taken_for_nothing(make: Maker) -> None:
    bench = make(api="graphql")
    bench.world.unreadable = {"supplier.currency"}
    try:
        found, broken = bench.read(Supplier), bench.again().broken(Supplier)
    except Transient as error:
        assert "currency" in str(error)
    else:
        assert not found and broken


def test_graphql_names_the_endpoint(make: Maker) -> None:
    bench = make(api="graphql")
    bench.read(Account)
    asked = [one for one in bench.wire.seen if one.url.path == "/xtrem/api"]
    assert asked and {one.headers["x-xtrem-endpoint"] for one in asked} == {"SEED"}


def test_a_reading_that_broke_off_goes_on_from_its_place(make: Maker) -> None:
    for api in ("api1", "graphql"):
        bench = make(api=api)
        pages = bench.pages(Supplier)
        rest = list(bench.again().source(Supplier).pages(None, pages[0].position))
        assert [one.key for page in rest for one in page.records] == [o.key for page in pages[1:] for o in page.records]
