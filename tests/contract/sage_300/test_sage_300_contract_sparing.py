"""A Web API that offers the least: only the resources and fields whose names are known for sure.

It is written from the vendor's documentation and shares nothing with the sandbox. It knows no parentheses, no `ge`
and no field that it does not keep; it lacks receipts, returns, calendars, posted documents and posting errors, each
in a way of its own; and it answers a creation as sparingly as it is told.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from urllib.parse import parse_qs

import httpx
import pytest

from infra.sandbox import basware, fixtures_sage_300, sage_300
from infra.sandbox.server import serving
from ml_connector.errors import Transient
from ml_connector.records import Account, PurchaseOrder, Supplier
from ml_connector.systems.sage_300 import connect

ROOT = "/Sage300WebApi/v1.0/-/SAMLTD/"
VENDOR = ("VendorNumber", "VendorName", "Status", "DateLastMaintained", "CurrencyCode", "Terms", "City", "Country")
ACCOUNT = ("UnformattedAccount", "Description", "Status", "AccountSegmentCode1", "AccountSegmentCode2")
SEGMENT = ("SegmentNumber", "SegmentCodeKey", "Description")
ORDER = ("PurchaseOrderNumber", "PurchaseOrderDate", "Vendor", "Description")
LINE = ("LineNumber", "ItemNumber", "Location", "UnitOfMeasure", "QuantityOrdered", "UnitCost")
KNOWN = {
    "AP/APVendors": {*VENDOR, "AddressLine1", "Email", "TaxRegistrationCode1", "TaxGroup"},
    "GL/GLAccounts": {*ACCOUNT},
    "GL/GLSegmentCodes": {*SEGMENT},
    "PO/POPurchaseOrders": {*ORDER},
    "AP/APInvoiceBatches": {"BatchNumber", "BatchDate", "BatchStatus", "Description"},
}
SPELLINGS = {"number": lambda n: n, "decimal": float, "text": lambda n: f"{n:06d}"}


class Sparing:
    """The server: a WSGI application. `answer` is what a creation is answered with."""

    def __init__(self, erp, answer="whole", spelling="number", puzzled=(400, "InvalidParameters")):
        self.answer, self.spell, self.puzzled = answer, SPELLINGS[spelling], puzzled
        self.log, self.batches = [], []
        orders = [
            {
                **{n: row.get(n) for n in ORDER},
                "PurchaseOrderLines": [{n: x.get(n) for n in LINE} for x in row["PurchaseOrderLines"]],
            }
            for row in erp.rows("POPurchaseOrders")
        ]
        self.tables = {
            "AP/APVendors": [{n: row.get(n) for n in VENDOR} for row in erp.rows("APVendors")],
            "GL/GLAccounts": [{n: row.get(n) for n in ACCOUNT} for row in erp.rows("GLAccounts")],
            "GL/GLSegmentCodes": [{n: row.get(n) for n in SEGMENT} for row in erp.rows("GLSegmentCodes")],
            "PO/POPurchaseOrders": orders,
            "AP/APInvoiceBatches": self.batches,
        }

    def __call__(self, environ, start_response):
        status, body = self.dispatch(environ)
        page = isinstance(body, str)
        raw = body.encode() if page else json.dumps(body, default=float).encode() if body is not None else b""
        start_response(f"{status} .", [("Content-Type", "text/html" if page else "application/json")])
        return [raw]

    def dispatch(self, environ):
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        assert len(environ.get("QUERY_STRING", "")) < 2048
        self.log.append((method, path, environ.get("QUERY_STRING", "")))
        if environ.get("CONTENT_TYPE") != "application/json":
            return 500, error("InternalServerError")
        login = base64.b64encode(b"WEBAPI:PASS-1").decode()
        if environ.get("HTTP_AUTHORIZATION") != f"Basic {login}":
            return 401, error("Unauthorized")
        assert path.startswith(ROOT), path
        resource, key = re.fullmatch(r"([A-Z]+/[$\w]+)(?:\((.*)\))?", path.removeprefix(ROOT)).groups()
        if resource not in self.tables:
            return self.lacking(resource)
        if method == "GET" and key is None:
            return self.listing(resource, {n: v[0] for n, v in parse_qs(environ["QUERY_STRING"]).items()})
        assert resource == "AP/APInvoiceBatches", (method, path)
        size = int(environ.get("CONTENT_LENGTH") or 0)
        sent = json.loads(environ["wsgi.input"].read(size), parse_float=Decimal) if size else {}
        return self.create(sent) if method == "POST" else self.one(method, int(key), sent)

    def one(self, method, number, sent):
        batch = next((b for b in self.batches if int(b["BatchNumber"]) == number), None)
        if batch is None or method == "GET":
            return (200, batch) if batch else (404, error("RecordNotFound"))
        assert method == "PATCH"
        batch.update({n: v for n, v in sent.items() if n != "BatchNumber"})
        return 204, None

    @staticmethod
    def lacking(resource):
        """Each lacks in another way."""
        return {
            "PO/POGetReceipts": (404, error("ResourceNotFound")),
            "PO/POReceipts": (405, error("MethodNotAllowed")),
            "PO/POReturns": (404, error("ResourceNotFound")),
            "CS/CSFiscalCalendars": (403, error("Forbidden")),
        }.get(resource, (404, error("ResourceNotFound")))

    def listing(self, resource, options):
        assert set(options) <= {"$skip", "$top", "$count", "$filter", "$select"}
        named = options.get("$select", "").split(",") if "$select" in options else []
        rows = self.tables[resource]
        try:
            if set(named) - KNOWN[resource]:
                raise ValueError(named)
            if "$filter" in options:
                rows = [row for row in rows if self.fits(resource, row, options["$filter"])]
        except (ValueError, TypeError):
            return self.puzzled[0], error(self.puzzled[1]) if self.puzzled[1] else None
        skip, top = int(options.get("$skip", 0)), int(options.get("$top", 100))
        shown = rows[skip : skip + min(top, 100)]
        body = {"value": [{n: row.get(n) for n in named} if named else row for row in shown]}
        if skip + 100 < len(rows) and "$top" not in options:
            body["@odata.nextLink"] = f"http://localhost{ROOT}{resource}?$skip={skip + 100}"
        return 200, body

    def fits(self, resource, row, where):
        return any(all(self.holds(resource, row, one) for one in part.split(" and ")) for part in where.split(" or "))

    def holds(self, resource, row, said):
        field, operator, literal = re.fullmatch(r"(\w+) (eq|ne|gt|lt|le) (.+)", said).groups()
        if field not in KNOWN[resource]:
            raise ValueError(field)
        if literal.startswith("'"):
            wanted, value = literal[1:-1].replace("''", "'"), str(row.get(field) or "")
        elif re.fullmatch(r"\d+", literal):
            wanted, value = int(literal), int(row[field])
        else:
            wanted, value = literal.rstrip("Z"), str(row.get(field) or "").rstrip("Z")
        return {"eq": value == wanted, "ne": value != wanted, "gt": value > wanted}[operator]

    def create(self, sent):
        assert next(iter(sent["Invoices"][0])) == "VendorNumber"
        allowed = {
            "VendorNumber",
            "DocumentNumber",
            "DocumentType",
            "InvoiceDescription",
            "DocumentDate",
            "DueDate",
            "PostingDate",
            "CurrencyCode",
            "Terms",
            "TaxGroup",
            "TaxAmount1",
            "DocumentTotalBeforeTaxes",
            "DocumentTotalIncludingTax",
            "InvoiceDetails",
        }
        if set(sent["Invoices"][0]) - allowed:
            return 400, error("InvalidPayload")
        number = len(self.batches) + 1
        entry = {**sent["Invoices"][0], "BatchNumber": self.spell(number), "EntryNumber": self.spell(1)}
        batch = {**sent, "BatchNumber": self.spell(number), "Invoices": [entry]}
        self.batches.append(batch)
        whole = {"whole": (201, batch), "number": (200, {"BatchNumber": self.spell(number)}), "nothing": (204, None)}
        return whole[self.answer]


def error(code):
    return {"error": {"code": code, "message": {"lang": "en-US", "value": f"{code}."}}}


@pytest.fixture
def served():
    """This server has no $metadata."""
    return False


@pytest.fixture
def company(make):
    """A connection to such a server."""

    def maker(*, segment="2", **ways):
        bench = make(password="pass-1", timezone="UTC", cost_center_segment=segment)
        server = Sparing(fixtures_sage_300.seeded_systems().erp, **ways)
        context = replace(bench.context, transport=httpx.WSGITransport(app=server))
        bench.connection.close()
        bench.connection = connect(bench.settings, context)
        return bench, server

    return maker


@pytest.mark.parametrize("puzzled", [(400, "InvalidParameters"), (400, "")], ids=str)
def test_masters_and_orders_are_read_whole(company, puzzled):
    bench, server = company(segment=None, puzzled=puzzled)
    assert len(bench.all(Supplier)) == len(server.tables["AP/APVendors"])
    assert len(bench.all(Account)) == len(server.tables["GL/GLAccounts"])
    orders = bench.all(PurchaseOrder)
    assert len(orders) == len(server.tables["PO/POPurchaseOrders"])
    assert all(order.lines and order.currency for order in orders)
    last = max(str(row["DateLastMaintained"]) for row in server.tables["AP/APVendors"])
    assert 0 < len(bench.all(Supplier, since=last)) < len(server.tables["AP/APVendors"])
    assert len(bench.all(PurchaseOrder, since=last)) == len(orders)  # they carry no stamp that is known for sure


@pytest.mark.parametrize("answer", ["whole", "number", "nothing"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_invoice_needs_vendors_accounts_and_batches_only(company, invoice, row, answer, spelling):
    bench, server = company(answer=answer, spelling=spelling)
    account = next(a for a in server.tables["GL/GLAccounts"] if a["AccountSegmentCode2"] and a["Status"] == "Active")
    vendor = next(v for v in server.tables["AP/APVendors"] if v["CurrencyCode"] == "EUR")
    coded = {"account": account["AccountSegmentCode1"], "cost_center": account["AccountSegmentCode2"]}
    for key in ("inv-1", "inv-2"):
        fields = {"key": key, "number": key, "supplier": vendor["VendorNumber"]}
        prepared = bench.target.prepare(
            invoice("119.00", row(net="100.00", tax="19.00", **coded), **fields), bench.codes
        )
        assert bench.target.look(prepared) == []
        found = bench.target.read_back(bench.target.send(prepared))
        assert found.amount == Decimal(119)
        assert [one.id for one in bench.target.look(prepared)] == [found.id]
    assert [(b["BatchStatus"], b["Invoices"][0]["DocumentTotalIncludingTax"]) for b in server.batches] == [
        ("ReadyToPost", Decimal(119)),
        ("ReadyToPost", Decimal(119)),
    ]
    assert {b["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] for b in server.batches} == {
        account["UnformattedAccount"]
    }


def test_a_whole_company_runs_against_it(tmp_path):
    scene = fixtures_sage_300.seeded_systems()
    server, folder = Sparing(scene.erp, spelling="decimal"), tmp_path / "secrets" / "acme"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(server))
        ap_url = stack.enter_context(serving(basware.create_app(scene.ap)))
        ap = {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "base_url": ap_url,
            "companies": ["1000"],
            "source_system": "SAGE300",
        }
        erp = {
            "api_url": f"{erp_url}{ROOT.removesuffix('SAMLTD/').rstrip('/')}",
            "company": "samltd",
            "user": "webapi",
            "password": "pass-1",
            "cost_center_segment": "2",
        }
        (folder / "basware.json").write_text(json.dumps(ap))
        (folder / "sage_300.json").write_text(json.dumps(erp))
        report = run(tmp_path)
    flows = report["tenants"]["acme"]["sage_300-basware"]
    assert {name: (flow["pending"], flow["error"]) for name, flow in flows.items()} == dict.fromkeys(flows, (0, None))
    entered = [b["Invoices"][0]["DocumentNumber"] for b in server.batches if b["BatchStatus"] == "ReadyToPost"]
    assert sorted(entered) == sorted(set(entered))
    wanted = {f.invoice_number for f in scene.fates.values() if f.fate == "post"}
    assert wanted <= set(entered)
    assert len(scene.ap.imported["matchingOrders"]) > 0
    assert len(server.log) < 40 * len(entered)


def run(place):
    """Run the command line over the folder and give its report."""
    out = place / "report.json"
    command = [
        sys.executable,
        "-c",
        "from infra.ops.main import main; main()",
        "local",
        "run",
        "--secrets",
        str(place / "secrets"),
        "--report",
        str(out),
        "--max-seconds",
        "200",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(out.read_text())
    assert report["reconciled"], report
    return report


# ── servers, and what stands before them, that say nothing of what they have ────────────────────────────────


def untelling(app, status, kind, text):
    """Let something else than the Web API answer for `$metadata`, always."""

    def answer(environ, start_response):
        if not environ["PATH_INFO"].endswith("$metadata"):
            return app(environ, start_response)
        start_response(f"{status} Whatever", [("Content-Type", kind)])
        return [text.encode()]

    return answer


def before(bench, *answer):
    """Connect again, with something in front of the server."""
    app = untelling(sage_300.create_app(bench.world), *answer)
    bench.connection.close()
    bench.connection = connect(bench.settings, replace(bench.context, transport=httpx.WSGITransport(app=app)))


ANYBODYS = [
    (404, "text/plain", "404 page not found"),
    (404, "text/html", "<html><h1>Not Found</h1></html>"),
    (404, "application/json", '{"error": "no route"}'),
    (404, "application/json", ""),
    (410, "text/html", "<html>Gone</html>"),
    (405, "text/plain", "no"),
    (200, "text/html", "<html>Sign in</html>"),
    (200, "application/json", '{"value": []}'),
    (200, "text/plain", ""),
    (400, "application/json", '{"error": {"code": "", "message": {"value": "What?"}}}'),
]
TROUBLE = [(503, ""), (500, "<html>"), (502, "bad gateway"), (200, "<?xml?><edmx:Edmx")]


@pytest.mark.parametrize("answer", ANYBODYS, ids=lambda one: f"{one[0]} {one[1]} {one[2][:12]}")
def test_documented_names_do_without_a_description(make, answer):
    bench = make(cost_center_segment=None, orders=40)
    whole = {type_: [record.key for record in bench.all(type_)] for type_ in (Supplier, Account, PurchaseOrder)}
    before(bench, *answer)
    assert {type_: [record.key for record in bench.all(type_)] for type_ in whole} == whole
    assert all(whole.values())


@pytest.mark.parametrize(("status", "text"), TROUBLE)
def test_a_server_in_trouble_is_asked_again_for_its_description(make, status, text):
    bench = make(cost_center_segment=None)
    before(bench, status, "text/html", text)
    with pytest.raises(Transient):
        bench.all(Supplier)
