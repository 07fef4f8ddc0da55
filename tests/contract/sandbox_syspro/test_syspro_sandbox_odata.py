"""The OData service."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.syspro import back_office
from tests.contract.sandbox_syspro.conftest import HOST, ODATA, posted


def test_rows_are_json_with_exact_numbers(api):
    reply = api.odata("A/ApSupplier?$top=1&$orderby=Supplier desc&$select=Supplier,CurrentBalance,LastPurchDate")
    assert (reply.status_code, reply.headers["OData-Version"]) == (200, "4.0")
    assert reply.headers["Content-Type"].startswith("application/json")
    body = reply.json()
    assert body["@odata.context"].endswith("/A/$metadata#ApSupplier")
    assert body["value"] == [{"Supplier": "V10299", "CurrentBalance": 0.0, "LastPurchDate": None}]
    (row,) = api.read("A/PorMasterDetail?$top=1&$filter=LineType eq '1'&$select=MPrice,Line,MOrigDueDate")
    assert isinstance(row["MPrice"], Decimal) and row["MOrigDueDate"].endswith("T00:00:00Z")


def test_the_pair_is_the_one_of_odata_and_known_since_the_service_started(api, world):
    assert api.odata("A/ApSupplier", "MLCONN", "sandbox-only").status_code == 401
    world.odata.enter("new", "one")
    reply = api.odata("A/ApSupplier?$top=1", "new", "one")
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, 'Basic realm="SYSPRO OData"')
    world.odata.restart()
    assert api.odata("A/ApSupplier?$top=1", "new", "one").status_code == 200
    assert api.http.get(f"{ODATA}/A/ApSupplier").status_code == 401


def test_it_is_only_for_reading(api):
    assert api.http.post(f"{ODATA}/A/ApSupplier", auth=("mlconn.odata", "sandbox-odata")).status_code == 405


@pytest.mark.parametrize("path", ["Z/ApSupplier", "A/ApPosting", "A/apsupplier", "A/$metadata"])
def test_what_is_not_there_is_404(api, path):
    assert api.odata(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "$filter=PostDate ge 2026-01-01",
        "$select=Supplier,NoSuch",
        "$orderby=NoSuch",
        "$orderby=Supplier up",
        "$filter=TimeStamp gt 0",
        "$filter=Supplier gt 7",
        "$filter=Supplier eq V1",
        "$filter=(Supplier eq 'V1'",
        "$filter=contains(Supplier,'V1')",
        "$filter=DateSuppAdded ge '2026-01-01'",
        "$top=-1",
        "$skip=x",
        "$expand=X",
        "$top=1&$top=2",
        "$filter=Supplier gt null",
    ],
)
def test_what_the_service_does_not_know_is_400(api, query):
    reply = api.odata(f"A/ApSupplier?{query}")
    assert (reply.status_code, list(reply.json())) == (400, ["error"]), reply.text


def test_filters(api, world):
    def found(text: str) -> int:
        return len(api.read(f"A/PorMasterHdr?$filter={text}&$select=PurchaseOrder"))

    rows = world.rows("PorMasterHdr")
    assert found("DatePoCompleted eq null") == sum(row["DatePoCompleted"] is None for row in rows)
    assert found("OrderStatus eq '*' or OrderStatus eq '/'") == 12
    recent = sum(row["OrderEntryDate"] >= "2026-01-01" for row in rows)
    assert found("OrderEntryDate ge 2026-01-01") == found("OrderEntryDate ge 2026-01-01T00:00:00Z") == recent
    assert found("not (OrderEntryDate ge 2026-01-01)") == found("OrderEntryDate lt 2026-01-01") == len(rows) - recent
    assert len(api.read("A/ApSupplier?$filter=Supplier eq 'O''BRIEN'")) == 1
    assert len(api.read("A/ApSupplier?$filter=Supplier eq 'o''brien'")) == 0


def test_an_installation_may_know_one_spelling_of_a_date_alone(api, world):
    world.date_literal = "datetime"
    assert api.odata("A/PorMasterHdr?$filter=OrderEntryDate ge 2026-01-01").status_code == 400
    assert api.odata("A/PorMasterHdr?$filter=OrderEntryDate ge 2026-01-01T00:00:00Z").status_code == 200
    world.date_literal = "date"
    assert api.odata("A/PorMasterHdr?$filter=OrderEntryDate ge 2026-01-01T00:00:00Z").status_code == 400


def test_a_request_gives_at_most_so_many_rows(api, world):
    world.page_limit = 50
    body = api.odata("A/ApSupplier?$top=100&$orderby=Supplier").json()
    assert len(body["value"]) == 50 and "@odata.nextLink" not in body
    assert len(api.read("A/ApSupplier")) == 50
    world.over_limit = "refused"
    assert api.odata("A/ApSupplier?$top=51").status_code == 400


def test_by_default_it_is_5000(api):
    assert len(api.read("A/GenMaster")) == 2413
    assert api.odata("A/PorMasterDetail?$top=9999").status_code == 200


@pytest.mark.parametrize("style", ["absolute", "relative"])
def test_a_link_may_lead_to_the_rest_and_keeps_the_options(api, world, style):
    world.page_limit, world.next_link = 120, style
    path, found = "A/ApSupplier?$orderby=Supplier&$select=Supplier&$filter=Supplier gt 'V'", []
    for _ in range(9):
        body = api.odata(path).json()
        found += [row["Supplier"] for row in body["value"]]
        if "@odata.nextLink" not in body:
            break
        path = body["@odata.nextLink"].removeprefix(f"{HOST}{ODATA}/")
        path = path if path.startswith("A/") else f"A/{path}"
    assert found == sorted(row["Supplier"] for row in world.rows("ApSupplier") if row["Supplier"] > "V")


def test_pages_without_an_order_hold_rows_twice_or_never(api):
    pages = [api.read(f"A/ApSupplier?$top=152&$skip={skip}&$select=Supplier") for skip in (0, 152)]
    assert len({row["Supplier"] for page in pages for row in page}) < 304


def test_iis_refuses_a_long_query(api):
    long = " or ".join(f"Supplier eq 'V{n}'" for n in range(200))
    reply = api.odata(f"A/ApSupplier?$filter={long}")
    assert reply.status_code == 404 and reply.headers["Content-Type"].startswith("text/html")


def test_genmaster_may_lie_with_another_company(api, world, entry):
    back_office.move_ledger(world, "40")
    assert api.read("A/GenMaster") == [] and api.rows("GenMaster", ["GlCode"]) == []
    assert len(api.read("40/GenMaster?$filter=Company eq 'A'")) == 2411
    assert api.read("40/ApSupplier") == []
    api.log_on(company="40")
    assert len(api.rows("GenMaster", ["GlCode"], ("Company", "EQ", "A"))) == 2411
    api.log_on()
    posted(api.invoice(entry()))
