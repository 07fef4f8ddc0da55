"""api1 as the dossier has it: classes, representations, facets, `where`, paging by links, keys, errors."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from infra.sandbox.kit.codec import decode
from tests.contract.sandbox_sage_x3.conftest import BASE, HOST, complaint, page


@pytest.mark.parametrize(
    ("cls", "representation"),
    [
        ("BPSUPPLIER", None),
        ("BPSUPPLIER", "BPSUPPLIER"),
        ("BPSUPPLIER", "PORDER.$query"),
        ("BPSUPPLIER", "BPSUPPLIER.$create"),
        ("BPSUPPLIER", "BPSUPPLIER.$nothing"),
        ("GACCENTRY", "GACCENTRY.$edit"),
    ],
)
def test_a_representation_is_demanded_of_the_class_and_with_a_facet_that_it_has(api, cls, representation):
    reply = api.call("GET", f"{BASE}/{cls}", params={"representation": representation} if representation else None)
    assert reply.status_code == 500 and "found" in complaint(reply)


def test_a_facet_is_for_its_own_verbs_only(api):
    details = f"{BASE}/BPSUPPLIER?representation=BPSUPPLIER.$details"
    assert api.call("GET", details).status_code == 400
    assert api.call("GET", f"{BASE}/BPSUPPLIER('V10000')?representation=BPSUPPLIER.%24query").status_code == 400
    assert api.call("PATCH", details).status_code == 405
    assert api.call("POST", f"{BASE}/BPSUPPLIER?representation=BPSUPPLIER.$create", {}).status_code == 500


def test_endpoint_and_class_are_named_with_case(api):
    assert api.call("GET", "/api1/x3/erp/seed/BPSUPPLIER?representation=BPSUPPLIER.$query").status_code == 404
    assert api.query("BPSUPPLIERS").status_code == 404
    assert api.query("BPSUPPLIER").status_code == 200
    found = page(api.call("GET", "/api1/syracuse/collaboration/syracuse/endPoints?representation=endPoints.$query"))
    assert [row["name"] for row in found["$resources"]] == ["SEED"]


def test_a_page_has_twenty_rows_unless_asked_and_no_more_than_the_server_gives(api, world):
    assert len(api.rows("BPSUPPLIER")) == 20
    world.page_limit = 50
    body = page(api.query("BPSUPPLIER", count=300))
    assert (len(body["$resources"]), body["$itemsPerPage"]) == (50, 50)
    assert api.query("BPSUPPLIER", count="0").status_code == 400


def test_all_rows_come_once_by_the_links_in_every_order(api, world):
    keys = [row["$key"] for row in api.whole("BPSUPPLIER", count=40)]
    assert len(keys) == 305 and keys == sorted(set(keys))
    for order in ("UPDDATTIM", "BPSNAM desc"):
        found = api.whole("BPSUPPLIER", orderBy=order, count=40)
        name, _, down = order.partition(" ")
        values = [row[name] for row in found]
        assert values == sorted(values, reverse=bool(down)) and {row["$key"] for row in found} == set(keys)
    assert {row["$key"] for row in api.whole("GACCOUNT")} >= {"FRA~400001", "FRA~401100"}
    assert api.query("BPSUPPLIER", orderBy="NOSUCH").status_code == 500
    assert api.query("BPSUPPLIER", orderBy="BPSNAM,BPSNUM").status_code == 500


def test_the_next_link_keeps_the_filter_and_may_lack_host_and_count(api, world):
    world.next_link, world.next_count = "relative", False
    body = page(api.query("BPSUPPLIER", count=5, where="ENAFLG eq 2"))
    link = body["$links"]["$next"]["$url"]
    assert link.startswith(BASE) and not link.startswith(HOST)
    options = parse_qs(urlsplit(link).query)
    assert options["where"] == ["ENAFLG eq 2"] and options["key"] == [f"gt.{body['$resources'][-1]['$key']}"]
    assert "count" not in options
    assert len(api.whole("BPSUPPLIER", count=5, where="ENAFLG eq 2")) == 293
    assert "$next" not in page(api.query("BPSUPPLIER", where="BPSNUM eq 'V10001'"))["$links"]


def test_key_counts_from_the_sort_key_and_reads_parts_between_tildes(api):
    assert api.rows("BPSUPPLIER", key="gt.V10004", count=1)[0]["BPSNUM"] == "V10005"
    assert api.rows("BPSUPPLIER", key="ge.V10004", count=1)[0]["BPSNUM"] == "V10004"
    assert api.rows("GACCOUNT", key="ge.FRA~400007", count=1)[0]["ACC"] == "400007"
    assert api.query("GACCOUNT", key="ge.FRA~400007~X").status_code == 400
    assert api.query("GACCOUNT", key="FRA").status_code == 400


def test_paging_by_offset_does_nothing_and_is_noted(api, world):
    assert api.rows("BPSUPPLIER", offset=20) == api.rows("BPSUPPLIER")
    assert "offset" in world.violations[0]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("BPSNUM eq 'V10001'", 1),
        ("(BPSNUM eq 'V10001')", 1),
        ('BPSNUM eq "O\'HARA"', 1),
        ("BPSNUM in ('V10001','V10002','fr053')", 3),
        ("BPSNUM in 'V10001','V10002'", 2),
        ("BPSNUM between 'V10001' and 'V10003'", 3),
        ("BPSNUM like 'V1000%' and (ENAFLG eq 2 or CUR eq 'USD')", 9),
        ("left(BPSNUM,3) eq 'V10' and ENAFLG ne 2", 12),
        ("BPSNUM eq 'Fr053'", 0),
        ("ENAFLG + 1 eq 2", 12),
        ("UPDDATTIM ge @2026-02-09T00:00:00Z@", 0),
        ("UPDDATTIM lt @2026-02-09T00:00:00Z@", 305),
    ],
)
def test_where_is_read_as_written(api, where, count):
    assert len(api.rows("BPSUPPLIER", where=where, count=400)) == count


@pytest.mark.parametrize(
    "where",
    [
        "NOSUCH eq 'V10001'",
        "updatedDate gt @2026-01-01@",
        "UPDDATTIM gt '2026-01-01'",
        "UPDDATTIM gt @2026-01-01@",
        "UPDDATTIM gt @2026-01-01T00:00:00@",
        "ENAFLG eq '2'",
        "BPSNUM eq V10001",
        "BPSNUM = 'V10001'",
        "BPSNUM eq 'V10001' and",
        "BPSNUM eq 'O''HARA'",
        "not BPSNUM eq 'V10001'",
        "PORDERP eq '1'",
    ],
)
def test_what_cannot_be_read_in_a_where_is_500(api, where):
    reply = api.query("BPSUPPLIER", where=where)
    assert reply.status_code == 500 and complaint(reply)


def test_days_are_compared_with_day_literals(api):
    assert api.rows("PORDER", where="ORDDAT ge @2020-01-01@ and ORDDAT lt @2026-02-10@", count=100)
    assert api.query("PORDER", where="ORDDAT ge @2020-01-01T00:00:00Z@").status_code == 500


@pytest.mark.parametrize(("stamp", "there", "away"), [("UPDDAT", "UPDDAT", "UPDDATTIM"), ("none", "BPSNUM", "UPDDAT")])
def test_the_stamp_that_a_representation_lacks_can_neither_be_read_nor_asked_for(api, world, stamp, there, away):
    world.stamp = stamp
    row = api.rows("BPSUPPLIER", count=1)[0]
    assert there in row and away not in row
    assert api.query("BPSUPPLIER", where=f"{away} ge @2026-01-01@").status_code == 500


def test_a_customer_may_have_a_stamp_of_his_own_name(api, world):
    world.stamp = "updatedDate"
    row = api.rows("BPSUPPLIER", where="updatedDate lt @2026-02-09T00:00:00Z@", orderBy="updatedDate", count=1)[0]
    assert row["updatedDate"] == row["$etag"] and "UPDDATTIM" not in row
    assert api.query("BPSUPPLIER", where="UPDDATTIM lt @2026-02-09T00:00:00Z@").status_code == 500


def test_a_record_is_read_by_its_whole_key_in_either_quote(api):
    assert api.read("GACCOUNT", "FRA~401100")["SAC"] == "401"
    reply = api.call("GET", f'{BASE}/BPSUPPLIER("O\'HARA")?representation=BPSUPPLIER.$details')
    assert decode(reply.content)["BPSNUM"] == "O'HARA"
    assert api.read("BPSUPPLIER", "FR053")["BPSNUM"] == "FR053"
    for cls, key in (
        ("BPSUPPLIER", "V99999"),
        ("BPSUPPLIER", "Fr053"),
        ("GACCOUNT", "401100"),
        ("BPSUPPLIER", "FR053~1"),
    ):
        assert api.read(cls, key) == {"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}


def test_absence_may_have_a_status_of_its_own(api, world):
    world.absent_status = 404
    reply = api.call("GET", f"{BASE}/BPSUPPLIER('V99999')?representation=BPSUPPLIER.$details")
    assert reply.status_code == 404 and complaint(reply).startswith("721")


def test_nothing_is_a_space_a_day_long_past_or_a_menu_from_one(api, world):
    row = next(r for r in api.rows("BPSUPPLIER", count=100) if r["BSGCOD"] != "GEN")
    assert row["BSGCOD"] == " " and row["ENAFLG"] in (1, 2)
    assert api.rows("GACCDUDATE", where="FLGCLE eq 1", count=1)[0]["PAYDAT"] == "1753-01-01"
    world.blank = ""
    assert next(r for r in api.rows("BPSUPPLIER", count=100) if r["BSGCOD"] != "GEN")["BSGCOD"] == ""


def test_lines_stand_in_the_details_only_with_uuids_and_may_be_cut(api, world):
    order = max(world.rows("PORDER"), key=lambda row: row["LINNBR"])
    assert order["LINNBR"] > 20
    assert "PORDERP" not in api.rows("PORDER", where=f"POHNUM eq '{order['POHNUM']}'")[0]
    body = api.read("PORDER", order["POHNUM"])
    assert [line["POPLIN"] for line in body["PORDERQ"]] == [1000 * n for n in range(1, order["LINNBR"] + 1)]
    assert all(line["$uuid"] for line in body["PORDERP"]) and body["CUR_REF"]["$title"]
    assert body["CCE"][0].startswith("CC")
    world.nested_limit, world.collections, world.arrays = 20, {"PORDERQ": "POHPOQ"}, "scalar"
    body = api.read("PORDER", order["POHNUM"])
    assert (len(body["POHPOQ"]), len(body["PORDERP"]), body["LINNBR"]) == (20, 20, order["LINNBR"])
    assert body["CCE"].startswith("CC") and "PORDERQ" not in body


def test_invoices_show_the_lines_of_their_kind(api, world):
    bought = next(r for r in world.rows("PINVOICE") if r["NUM"].startswith("PIH"))
    coded = next(r for r in world.rows("PINVOICE") if r["NUM"].startswith("BIS"))
    body = api.read("PINVOICE", bought["NUM"])
    assert (
        body["PINVOICED"][0]["POHNUM"].startswith("POFR")
        and not body["BPSINVLIG"]
        and "ACC" not in body["PINVOICED"][0]
    )
    body = api.read("PINVOICE", coded["NUM"])
    assert body["BPSINVLIG"][0]["ACC"][0].startswith("400") and body["BPSINVLIG"][0]["BPSINVLIGA"][0]["CCE"]
    world.invoice_lines = {"PINVOICED"}
    assert "BPSINVLIG" not in api.read("PINVOICE", coded["NUM"])


def test_prototypes_and_templates_need_the_facet(api):
    reply = api.call("GET", f"{BASE}/GACCENTRY/$prototypes('ZGACCENTRY.$create')")
    assert decode(reply.content)["$properties"]["REFINT"]["$maxLength"] == 25
    assert api.call("GET", f"{BASE}/GACCENTRY/$prototypes('GACCENTRY.$create')").status_code == 500
    reply = api.call("GET", f"{BASE}/GACCENTRY/$template?representation=ZGACCENTRY.$create")
    assert decode(reply.content)["REFINT"] == " "


@pytest.mark.parametrize("auth", [None, ("mlconn", "wrong"), ("nobody", "sandbox-only"), ("MLCONN", "sandbox-only")])
def test_every_call_needs_a_login(api, world, auth):
    api.auth = auth
    reply = api.query("BPSUPPLIER")
    assert reply.status_code == 401 and complaint(reply) and reply.headers["WWW-Authenticate"].startswith("Basic")
    assert "set-cookie" not in reply.headers


def test_basic_is_refused_where_the_server_does_not_take_it(api, world):
    world.auth = {"bearer"}
    assert api.query("BPSUPPLIER").status_code == 401


def test_a_class_may_be_forbidden_to_the_user(api, world):
    world.forbidden = {"GACCENTRY"}
    assert api.query("GACCENTRY").status_code == 403 and api.query("BPSUPPLIER").status_code == 200


def test_sdata_is_for_people(api, world):
    assert api.call("GET", "/sdata/x3/erp/SEED/BPSUPPLIER").status_code == 404
    assert "licence" in world.violations[0]
