"""What a server says that it has: read once for each module, and its names met with the documented ones."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import httpx
import pytest

from infra.sandbox.sage_300.fields import RESOURCES, TYPES
from infra.sandbox.sage_300.metadata import metadata
from ml_connector.bootstrap import wire
from ml_connector.context import TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.runtime import Runtime
from ml_connector.errors import Throttled, Transient
from ml_connector.records import Account, PurchaseOrder, Supplier
from ml_connector.systems.sage_300 import connect
from ml_connector.systems.sage_300.fields import ALIASES
from ml_connector.systems.sage_300.metadata import parse
from ml_connector.tenant import BootstrapOptions

V4 = 'xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"', 'xmlns="http://docs.oasis-open.org/odata/ns/edm"'
V3 = (
    'xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"',
    'xmlns="http://schemas.microsoft.com/ado/2009/11/edm"',
)


ACCEPTED = "application/xml, application/json;q=0.5"


def edmx(sets, children=None, versions=V4, ahead=""):
    """Write a document: set -> fields, `Name` for a text or `Name:Type`, of which the first is the key."""

    def kind(element, name, fields, key=""):
        told = [one.partition(":") for one in fields.split()]
        rows = "".join(f'<Property Name="{n}" Type="{t or "Edm.String"}"/>' for n, _, t in told)
        return f'<{element} Name="{name}">{key and f"<Key><PropertyRef Name={key!r}/></Key>"}{rows}</{element}>'

    types = "".join(
        kind("EntityType", f"{name}Row", fields, fields.split()[0].partition(":")[0]) for name, fields in sets.items()
    ) + "".join(kind("ComplexType", name, fields) for name, fields in (children or {}).items())
    entries = "".join(f'<EntitySet Name="{name}" EntityType="Space.Models.{name}Row"/>' for name in sets)
    text = (
        f'<?xml version="1.0" encoding="utf-8"?>{ahead}<edmx:Edmx Version="4.0" {versions[0]}><edmx:DataServices>'
        f'<Schema Namespace="Space.Models" {versions[1]}>{types}<EntityContainer Name="C">{entries}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )
    return httpx.Response(200, content=text.encode(), headers={"content-type": "application/xml"})


def test_each_module_is_read_once_in_the_words_of_the_web_api(bench):
    bench.server.described["AP"] = edmx({"APVendors": "VendorNumber VendorName"})
    for _ in range(3):
        bench.all(Supplier)
        bench.all(Account)
    asked = [(one.url.path.rpartition("/SAMLTD/")[2], one.headers["accept"]) for one in bench.server.descriptions]
    assert asked == [("AP/$metadata", ACCEPTED), ("GL/$metadata", ACCEPTED)]


@pytest.mark.parametrize("versions", [V4, V3], ids=["OData 4", "OData 3"])
def test_sets_keys_fields_and_children_are_told(versions):
    kinds = "VendorNumber Age:Edm.Decimal Notes:Collection(Space.Models.Note)"
    model = parse(edmx({"APVendors": kinds}, {"Note": "Text"}, versions).content)
    vendor = model.kind("APVendors")
    assert (vendor.key, vendor.type_of("Age"), vendor.type_of("Notes")) == (("VendorNumber",), "Decimal", "Note")
    assert (vendor.has("Age"), vendor.has("Text"), model.kind("APTerms")) == (True, False, None)
    assert model.offers("apvendors") and not model.offers("APTerms")


def test_sets_of_very_old_installations_are_listed_without_the_letters_of_the_module():
    assert parse(edmx({"Vendors": "VendorNumber"}).content).kind("APVendors").has("VendorNumber")


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


SORRY = {"error": {"code": "InternalServerError", "message": {"value": "Sorry"}}}
SPOILED = {
    "bomb": edmx({"APVendors": "VendorNumber"}, ahead=BOMB).content,
    "external": edmx({"APVendors": "VendorNumber"}, ahead='<!DOCTYPE b SYSTEM "file:///etc/passwd">').content,
    "half": edmx({"APVendors": "VendorNumber"}).content[:-40],
    "no sets": edmx({}).content,
    "error": json.dumps(SORRY).encode(),
}
OTHERS = {"page": b"<html><body>Sign in</body></html>", "list": b'{"value": []}', "nothing": b"", "bytes": b"\x00\xff"}


@pytest.mark.parametrize("body", [*SPOILED.values(), *OTHERS.values()], ids=[*SPOILED, *OTHERS])
def test_what_is_no_description_is_never_an_empty_one(body):
    with pytest.raises(ValueError, match="It "):
        parse(body)


PASSING = {
    "500": httpx.Response(500, json=SORRY),
    "502": httpx.Response(502, text="<html>Bad Gateway</html>"),
    "501 of a proxy": httpx.Response(501, text="<html>Not Implemented</html>"),
} | {name: httpx.Response(200, content=body) for name, body in SPOILED.items()}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
def test_passing_trouble_is_not_taken_for_a_server_that_tells_nothing(bench, answer):
    bench.server.described["AP"] = answer
    with pytest.raises(Transient):
        bench.all(Supplier)
    assert not bench.server.requests
    del bench.server.described["AP"]
    assert bench.all(Supplier)


ANYBODYS = {
    "404 of a proxy": httpx.Response(404, text="404 page not found"),
    "404 page": httpx.Response(404, text="<html>404 - File or directory not found.</html>"),
    "404 of a gateway": httpx.Response(404, json={"error": {"code": 404, "message": "no route"}}),
    "405 of a proxy": httpx.Response(405, json={"detail": "Method Not Allowed"}),
    "403 page": httpx.Response(403, text="<html>Forbidden</html>"),
    "400 of a proxy": httpx.Response(400),
} | {name: httpx.Response(200, content=body) for name, body in OTHERS.items()}


@pytest.mark.parametrize("answer", ANYBODYS.values(), ids=ANYBODYS.keys())
def test_where_something_else_answers_for_it_the_documented_names_are_used(bench, answer, caplog):
    bench.server.described["AP"] = answer
    before = bench.clock.now()
    assert bench.all(Supplier)
    assert bench.clock.now() == before, "it was asked again and again for what it can do without"
    assert bench.server.asked("AP/APVendors", "$select") == [None]
    assert "the documented names are used alone" in caplog.text


def test_a_server_that_is_flooded_is_asked_again_for_what_it_has(bench, fault):
    bench.server.described["AP"] = fault(429, "TooManyRequests", "flooded")
    with pytest.raises(Throttled):
        bench.all(Supplier)


UNSERVED = [
    (404, "ResourceNotFound"),
    (404, "RecordNotFound"),
    (405, "MethodNotAllowed"),
    (501, "NotImplemented"),
    (400, "InvalidAction"),
    (403, "Forbidden"),
]


@pytest.mark.parametrize(("status", "code"), UNSERVED)
def test_without_it_the_documented_names_are_used_alone_and_ping_says_so(bench, fault, status, code):
    bench.server.described["AP"] = fault(status, code, "There is no such thing.")
    bench.server.described["GL"] = edmx({"GLAccounts": "UnformattedAccount"})
    bench.all(Supplier, since="2026-02-05")
    assert bench.server.asked("AP/APVendors", "$select") == [None]
    told = {check.what: check for check in bench.connection.ping()}["metadata"]
    assert (told.ok, told.warning) == (True, True)
    assert told.detail == "this server does not serve $metadata of AP, PO, CS, so their documented names are used"


def test_ping_says_where_it_is_served_and_fails_where_that_is_not_known(bench):
    for module in ("AP", "GL", "PO", "CS"):
        bench.server.described[module] = edmx({f"{module}Things": "Key"})
    (told,) = (check for check in bench.connection.ping() if check.what == "metadata")
    assert (told.ok, told.warning, told.detail) == (True, False, "served for AP, GL, PO, CS")


def test_ping_fails_where_it_is_not_known_whether_it_is_served(bench):
    bench.server.described["PO"] = PASSING["502"]
    (told,) = (check for check in bench.connection.ping() if check.what == "metadata")
    assert not told.ok and "Bad Gateway" in told.detail


def test_only_what_is_there_is_selected(bench):
    bench.server.described["AP"] = edmx({"APVendors": "VendorNumber VendorName Terms NotOurs"})
    bench.server.rows("AP/APVendors", {"VendorNumber": "1", "VendorName": "A", "Terms": "N30"})
    (one,) = bench.all(Supplier)
    assert one.payment_term == "N30"
    assert bench.server.asked("AP/APVendors", "$select") == ["VendorNumber,VendorName,Terms"]


def test_a_filter_by_a_field_that_there_is_not_is_never_asked(bench, caplog):
    bench.server.described["AP"] = edmx({"APVendors": "VendorNumber"})
    assert [one.key for one in bench.all(Supplier, since="2026-02-05")] == ["1200"]
    assert bench.server.asked("AP/APVendors") == [None]
    assert "DateLastMaintained" in caplog.text


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("LastPostingDate PurchaseOrderDate", "LastPostingDate gt {0} or PurchaseOrderDate gt {0}"),
        ("PurchaseOrderDate DateCompleted", None),
        ("LASTPOSTINGDATE", "LASTPOSTINGDATE gt {0}"),
    ],
)
def test_changed_orders_are_asked_for_by_the_days_that_there_are(bench, told, asked):
    bench.server.described["PO"] = edmx({"POPurchaseOrders": f"PurchaseOrderSequenceKey {told}"})
    bench.all(PurchaseOrder, since="2026-02-05")
    assert bench.server.asked("PO/POPurchaseOrders") == [asked and asked.format("2026-02-03T00:00:00Z")]


@pytest.mark.parametrize("kind", ["Edm.DateTimeOffset", "Edm.DateTime"])
def test_a_day_is_written_as_its_type_wants_it(bench, kind):
    bench.server.described["AP"] = edmx({"APVendors": f"VendorNumber DateLastMaintained:{kind}"})
    bench.all(Supplier, since="2026-02-05")
    day = "2026-02-03T00:00:00Z" if kind.endswith("Offset") else "datetime'2026-02-03T00:00:00'"
    assert bench.server.asked("AP/APVendors") == [f"DateLastMaintained gt {day}"]


ORDER = {
    "PONumber": "PO1",
    "VendorNumber": "1200",
    "CurrencyCode": "CAD",
    "CompletionStatus": "NotCompleted",
    "purchaseorderdate": "2026-01-15",
    "PurchaseOrderDetails": [
        {
            "DetailLineNumber": 1,
            "ItemNumber": "A1",
            "OrderedQuantity": "10",
            "UnitCost": "5.25",
            "OrderUnit": "Ea.",
            "GLAccount": "6260-200",
        },
    ],
}
TOLD = "PONumber VendorNumber CurrencyCode CompletionStatus purchaseorderdate"
LINE = "DetailLineNumber ItemNumber OrderedQuantity UnitCost OrderUnit GLAccount"


def test_aliases_and_other_letters_are_met_with_the_documented_names(bench):
    sets = {"POPurchaseOrders": f"{TOLD} PurchaseOrderDetails:Collection(Space.Models.Line)"}
    bench.server.described["PO"] = edmx(sets, {"Line": LINE})
    bench.server.rows("PO/POPurchaseOrders", ORDER)
    (one,) = bench.all(PurchaseOrder)
    assert (one.key, one.supplier, one.currency, one.status, one.created.isoformat()) == (
        "PO1",
        "1200",
        "CAD",
        "open",
        "2026-01-15",
    )
    (line,) = one.lines
    assert (line.number, line.quantity, line.net, line.unit, line.account) == (
        "1",
        Decimal(10),
        Decimal("52.50"),
        "Ea.",
        "6260200",
    )
    list(bench.connection.source(PurchaseOrder).reread(["PO1 eq PurchaseOrderNumber eq 'x'"]))
    assert bench.server.asked("PO/POPurchaseOrders")[-1] == "PONumber eq 'PO1 eq PurchaseOrderNumber eq ''x'''"


def test_without_it_an_alias_is_nobodys_name(bench):
    bench.server.rows("PO/POPurchaseOrders", ORDER)
    (page,) = bench.pages(PurchaseOrder)
    assert not page.records and [bad.reason for bad in page.broken]


def test_a_row_that_cannot_be_read_costs_only_itself_where_names_differ_too(bench):
    bench.server.described["AP"] = edmx({"APVendors": "VENDORNUMBER VENDORNAME"})
    bench.server.rows(
        "AP/APVendors", {"VENDORNUMBER": "1", "VENDORNAME": "A"}, {"VENDORNUMBER": "2", "VENDORNAME": [1]}
    )
    (page,) = bench.pages(Supplier)
    assert [(one.key, one.name) for one in page.records] == [("1", "A")]
    assert [(bad.key, "[1]" in bad.raw) for bad in page.broken] == [("2", True)]


@pytest.mark.parametrize("served", [True, False])
def test_before_2022_2_receipts_are_read_where_they_are_created(bench, fault, served):
    lines = [{"LineNumber": 10, "ItemNumber": "A1", "QuantityReceived": 4}]
    received = {"ReceiptNumber": "RC1", "PurchaseOrderNumber": "PO1", "Vendor": "1200", "ReceiptLine2s": lines}
    line = {"LineNumber": 1000, "ItemNumber": "A1", "QuantityOrdered": 10}
    row = {"PurchaseOrderNumber": "PO1", "Vendor": "1200", "Currency": "CAD", "PurchaseOrderLines": [line]}
    bench.server.rows("PO/POPurchaseOrders", row)
    bench.server.rows("PO/POReceipts", received)
    bench.server.answers["PO/POGetReceipts"] = lambda _: fault(404, "ResourceNotFound", "no such resource")
    if served:
        bench.server.described["PO"] = edmx({"POReceipts": "ReceiptNumber PurchaseOrderNumber Vendor ReceiptDate"})
    assert len(bench.all(PurchaseOrder)[0].lines[0].receipts) == 1
    assert ("PO/POGetReceipts" in {one.url.path.rpartition("/SAMLTD/")[2] for one in bench.server.requests}) != served


@pytest.mark.parametrize(("kind", "path"), [("Edm.Decimal", "(58)"), ("Edm.String", "('58')")])
def test_a_record_is_named_as_the_type_of_its_key_wants_it(bench, kind, path):
    bench.server.described["AP"] = edmx({"APInvoiceBatches": f"BatchNumber:{kind} Description"})
    bench.server.answers[f"AP/APInvoiceBatches{path}"] = lambda _: httpx.Response(200, json={"BatchNumber": 58})
    assert bench.connection.api.get("AP/APInvoiceBatches", "(58)") == {"BatchNumber": 58}
    bench.server.answers[f"PATCH AP/APInvoiceBatches{path}"] = lambda _: httpx.Response(204)
    assert bench.connection.api.change("AP/APInvoiceBatches", "(58)", {"BatchStatus": "ReadyToPost"}) is None
    assert bench.server.requests[-1].url.path.endswith(path)


def test_types_that_hold_one_another_come_to_an_end(bench):
    note = "Text NOTES:Collection(Space.Models.Note)"
    model = parse(edmx({"POPurchaseOrders": f"PONumber {note}"}, {"Note": f"PONumber {note}"}).content)
    row = {"PONumber": "1", "NOTES": [{"PONumber": "2", "NOTES": [{"PONumber": "3"}, 7, None]}]}
    told = model.kind("POPurchaseOrders").ours(row)
    assert told["NOTES"][0]["NOTES"] == [{"PurchaseOrderNumber": "3"}, 7, None]


@pytest.mark.parametrize("name", ALIASES)
def test_every_documented_name_is_one_of_the_sandbox_which_writes_the_documented_ones(name):
    model = parse(metadata(RESOURCES[name].module).get_data())
    assert not model.kind(name).renames
    assert not {alias for aliases in ALIASES[name].values() for alias in aliases} & set(ALIASES[name])
    assert set(TYPES[RESOURCES[name].type]) == set(model.kind(name)._shape.properties)


# ── read for all connections of a process ───────────────────────────────────────────────────────────────────


def again(bench):
    """Connect as the next reading of a flow does."""
    bench.connection.close()
    bench.connection = connect(bench.settings, bench.context)


@pytest.mark.parametrize("served", [True, False])
def test_a_description_is_read_once_an_hour_however_many_connections_there_are(bench, served):
    if served:
        bench.server.described["AP"] = edmx({"APVendors": "VendorNumber VendorName"})
    for _ in range(12):
        bench.all(Supplier)
        again(bench)
        bench.clock.sleep(300)
    assert len(bench.server.descriptions) == 1
    bench.all(Supplier)
    assert len(bench.server.descriptions) == 2


def test_each_tenant_and_each_company_has_a_description_of_its_own(bench):
    bench.server.described["AP"] = edmx({"APVendors": "VendorNumber VendorName"})
    bench.all(Supplier)
    context, settings = bench.context, bench.settings
    for its, its_wiring in (
        (settings, replace(context, tenant="b")),
        (settings.model_copy(update={"company_id": "OTHER"}), context),
        (settings.model_copy(update={"api_url": "https://other.example/v1.0/-"}), context),
    ):
        connection = connect(its, its_wiring)
        assert its_wiring.kept is context.kept
        assert connection.api.model("AP") is not bench.connection.api.model("AP")
        connection.close()


def test_what_something_else_answered_for_it_counts_for_one_connection_only(bench):
    bench.server.described["AP"] = ANYBODYS["404 of a proxy"]
    bench.all(Supplier)
    bench.server.described["AP"] = edmx({"APVendors": "VendorNumber VendorName"})
    again(bench)
    bench.all(Supplier)
    assert bench.server.asked("AP/APVendors", "$select") == [None, "VendorNumber,VendorName"]


def test_a_description_that_the_server_outgrew_loses_no_receipts(bench, fault):
    lines = [{"LineNumber": 10, "ItemNumber": "A1", "QuantityReceived": 4}]
    received = {"ReceiptNumber": "RC1", "PurchaseOrderNumber": "PO1", "Vendor": "1200", "ReceiptLine2s": lines}
    line = {"LineNumber": 1000, "ItemNumber": "A1", "QuantityOrdered": 10}
    row = {"PurchaseOrderNumber": "PO1", "Vendor": "1200", "Currency": "CAD", "PurchaseOrderLines": [line]}
    fields = "ReceiptNumber PurchaseOrderNumber Vendor ReceiptDate"
    bench.server.rows("PO/POPurchaseOrders", row)
    bench.server.rows("PO/POReceipts", received)
    bench.server.described["PO"] = edmx({"POReceipts": fields})
    assert len(bench.all(PurchaseOrder)[0].lines[0].receipts) == 1
    bench.server.rows("PO/POGetReceipts", received)
    bench.server.answers["PO/POReceipts"] = lambda _: fault(405, "MethodNotAllowed", "It is created there only.")
    bench.server.described["PO"] = edmx({"POGetReceipts": fields, "POReceipts": fields})
    again(bench)
    assert len(bench.all(PurchaseOrder)[0].lines[0].receipts) == 1
    again(bench)
    bench.all(PurchaseOrder)
    assert len([one for one in bench.server.descriptions if "/PO/" in one.url.path]) == 2


def test_all_connections_of_a_process_share_what_it_keeps(bench):
    runtime = Runtime(bench.store, None, None, bench.clock, SeededRandom(1), boot="b")
    of = {"scope": "s", "integration": "sage_300-basware", "options": TenantSettings(), "active": ()}
    _, context = wire(runtime, BootstrapOptions(vault=MemoryVault()), "acme", "sage_300", bench.settings, "1", **of)
    assert context.kept is runtime.kept


def test_of_sets_that_are_not_read_only_the_names_are_kept():
    model = parse(edmx({"APVendors": "VendorNumber", "APThings": "Key"}, {"Note": "Text"}).content)
    assert model.offers("APThings") and model.kind("APThings") is None and model.kind("APVendors") is not None
