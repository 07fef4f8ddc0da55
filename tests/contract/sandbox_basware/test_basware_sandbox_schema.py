"""The sandbox against the vendor's own OpenAPI files, which are not part of this repository."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from infra.sandbox.basware import schema_extract, seed
from infra.sandbox.basware.schema import schemas
from infra.sandbox.basware.scopes import SCOPES

ROOT = Path(__file__).parents[3]
SPECS = Path(os.environ.get("ML_CONNECTOR_SPECS", ROOT.parent / "shared" / "specs")) / "basware"
pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason=f"the vendor's OpenAPI files are not at {SPECS}")


def load(name):
    return json.loads((SPECS / f"basware-{name}-openapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def p2p():
    return load("p2p")


def with_nulls(node):
    """Turn OpenAPI 3.0's nullable into a JSON Schema type, and nothing else."""
    if isinstance(node, list):
        return [with_nulls(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {key: with_nulls(value) for key, value in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        out["type"] = [node["type"], "null"]
    return out


@pytest.fixture(scope="module")
def valid(p2p):
    """Check a body against one of the vendor's schemas, read straight from the vendor's file."""
    whole = {"components": with_nulls(p2p["components"])}

    def check(name, body):
        schema = {"$ref": f"#/components/schemas/{name}", **whole}
        jsonschema.Draft4Validator(schema).validate(body)

    return check


def test_the_committed_schemas_are_what_the_vendor_publishes(p2p):
    fresh = schema_extract.extract(p2p, load("push-notification"))
    committed = (Path(schema_extract.__file__).parent / "schemas.json").read_text(encoding="utf-8")
    assert schemas() == fresh
    assert committed == schema_extract.dump(fresh)


@pytest.mark.parametrize("name", schema_extract.P2P_ROOTS)
def test_fields_types_lengths_and_required_agree(p2p, name):
    raw, ours = p2p["components"]["schemas"][name], schemas()[name]
    assert ours["properties"].keys() == raw["properties"].keys()
    assert ours.get("required", []) == raw.get("required", [])
    assert ours["additionalProperties"] is False
    for field, facts in raw["properties"].items():
        for fact in ("maxLength", "maximum"):
            if fact in facts:
                assert ours["properties"][field][fact] == facts[fact], field


def test_the_scopes_are_the_vendors(p2p):
    flow = p2p["components"]["securitySchemes"]["oauth2authentication"]["flows"]["clientCredentials"]
    assert set(flow["scopes"]) == SCOPES


def test_seeded_invoices_and_their_answers_are_valid(make, valid):
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    basware = make.sandbox(seed.seeded_world(clock=lambda: start))
    broken = {expected.invoice_id for expected in seed.expectations() if expected.breaks_schema}
    sound = sorted(set(basware.world.documents) - broken)
    for invoice_id in broken:
        del basware.world.documents[invoice_id]
    listed = basware.follow(basware.get("/v1/accountingDocuments", params={"pageSize": 100})).json()
    valid("AccountingDocumentResponse", listed)
    assert len(listed["accountingDocuments"]) == len(sound)
    first = sound[0]
    valid("AccountingDocumentsStatusResponseEntity", status(basware, first))
    basware.post(f"/v1/accountingDocuments/{first}/transferResponses", make.transfer())
    basware.later(1)
    basware.post(f"/v1/accountingDocuments/{first}/paymentResponses", make.payment())
    basware.later(1)
    single = basware.follow(basware.get(f"/v1/accountingDocuments/{first}")).json()
    valid("AccountingDocumentResponse", single)
    assert single["accountingDocuments"][0]["attachments"]


def status(basware, invoice_id):
    record = basware.world.documents[invoice_id].record
    asked = {name: record[name] for name in ("companyCode", "invoiceNumber", "invoiceDate")}
    return basware.get("/v1/accountingDocuments/status", params=asked).json()[0]


def test_master_data_and_verdicts_are_valid(basware, make, valid):
    basware.post("/v1/vendors", [make.vendor(paymentTerms={"paymentTermCode": "N30"}), make.vendor("V2", companies=[])])
    basware.post("/v1/accounts", [make.account()])
    basware.post("/v1/matchingOrders", [make.order()])
    basware.post("/v1/matchingOrderLines", [make.line()])
    basware.post("/v1/lists/ACC_LIST_1", [{"externalCode": "P1"}])
    basware.later(1)
    valid("VendorResponse", basware.get("/v1/vendors").json())
    valid("VendorEntity", basware.get("/v1/vendors/V1").json())
    valid("AccountResponse", basware.get("/v1/accounts").json())
    valid("OrderResponse", basware.get("/v1/matchingOrders").json())
    lines = basware.get("/v1/matchingOrderLines", params={"orderExternalCode": "O1"})
    valid("OrderLineResponse", lines.json())
    valid("GenericListResponse", basware.get("/v1/lists/ACC_LIST_1").json())
    valid("RequestStatusResponse", basware.get("/v1/requestStatus", params={"system": "P2P"}).json())


def test_refusals_and_deletes_are_valid(basware, make, valid):
    valid("ResponseEntityList", basware.post("/v1/vendors", [{}]).json())
    valid("ResponseEntityList", basware.post("/v1/vendors", [make.vendor(), make.vendor()]).json())
    valid("DeleteResponse", basware.ask("DELETE", "/v1/vendors", json={"externalCode": "V1"}).json())
    valid("DeleteResponse", basware.ask("DELETE", "/v1/vendors", json={"lastUpdated": "0001-01-01"}).json())
