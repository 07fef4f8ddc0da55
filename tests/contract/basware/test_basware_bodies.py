"""Every body that we can send fits the vendor's own schema, and our table of limits is the vendor's."""

from __future__ import annotations

import json
import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_connector.errors import Rejected
from ml_connector.flow import Answer
from ml_connector.records import (
    Account,
    Address,
    BankAccount,
    CostCenter,
    Invoice,
    OrderLine,
    Payment,
    PurchaseOrder,
    Receipt,
    Supplier,
)
from ml_connector.systems.basware import limits, subscriptions

REPOSITORY = Path(__file__).parents[3]
SPECS = Path(os.environ.get("ML_CONNECTOR_SPECS", REPOSITORY.parent / "shared" / "specs")) / "basware"
pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="the vendor's OpenAPI files are not here")
KINDS = {
    "vendors": "VendorEntity",
    "accounts": "AccountEntity",
    "costCenters": "CostCenterEntity",
    "orders": "OrderEntity",
    "lines": "OrderLineEntity",
    "requisitions": "PurchaseRequisitionEntity",
}
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def p2p() -> dict[str, Any]:
    return Spec(nulls_allowed(json.loads((SPECS / "basware-p2p-openapi.json").read_text("utf-8"))))


class Spec(dict[str, Any]):
    """The vendor's specification, which nobody wants to see printed whole when a test fails."""

    def __repr__(self) -> str:
        return "the vendor's specification"


def nulls_allowed(node: Any) -> Any:
    """Say OpenAPI 3.0's `nullable` in JSON schema's words; dates without a zone are the vendor's own examples."""
    if isinstance(node, dict):
        node = {k: nulls_allowed(v) for k, v in node.items() if k != "example"}
        if node.pop("nullable", False) is True and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
            if "enum" in node:
                node["enum"] = [*node["enum"], None]
    return [nulls_allowed(v) for v in node] if isinstance(node, list) else node


def fits(p2p: dict[str, Any], kind: str, body: Any) -> None:
    plain = json.loads(msgspec.json.Encoder(decimal_format="number").encode(body))
    jsonschema.validate(plain, {"$ref": f"#/components/schemas/{kind}", "components": p2p["components"]})
    assert not has_null(plain), "a null is left out"


def has_null(node: Any) -> bool:
    if isinstance(node, dict):
        return any(has_null(v) for v in node.values())
    return any(map(has_null, node)) if isinstance(node, list) else node is None


text = st.text(max_size=400)
code = st.text(alphabet="ABC123-/. ", min_size=1, max_size=30)
money = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**11), max_value=10**11)
maybe = st.none() | text


def rendered(bench: Any, p2p: dict[str, Any], record: Any) -> None:
    """Render, and validate what comes out; a refusal is fine where it says why."""
    try:
        target = bench.connection.target(type(record))
        made = target.render(record, bench.codes, "2026-03-02T10:00:00Z")
    except Rejected as error:
        assert str(error).endswith(".")
        return
    for stage in target.stages:
        for entity in made.entities.get(stage, ()):
            fits(p2p, KINDS[stage], entity)


@quick
@given(data=st.data())
def test_suppliers_fit(bench: Any, p2p: dict[str, Any], data: Any) -> None:
    address = st.builds(
        Address,
        key=code,
        name=maybe,
        kind=st.sampled_from(["postal", "remittance", "delivery"]),
        street=maybe,
        city=maybe,
        postal_code=maybe,
        region=maybe,
        country=st.none() | st.text(max_size=3),
    )
    bank = st.builds(
        BankAccount,
        iban=st.none() | code,
        account=st.none() | code,
        bic=st.none() | st.just("NDEAGB2L"),
        bank_name=maybe,
    )
    record = st.builds(
        Supplier,
        key=code,
        code=code,
        name=text,
        active=st.booleans(),
        currency=st.sampled_from([None, "EUR"]),
        tax_id=st.none() | code,
        vat_number=st.none() | code,
        payment_term=st.none() | code,
        payment_term_name=maybe,
        email=maybe,
        phone=maybe,
        website=maybe,
        addresses=st.tuples(address, address),
        bank_accounts=st.tuples(bank),
    )
    rendered(bench, p2p, data.draw(record))


@quick
@given(data=st.data())
def test_accounts_and_cost_centres_fit(bench: Any, p2p: dict[str, Any], data: Any) -> None:
    kind = data.draw(st.sampled_from([Account, CostCenter]))
    rendered(bench, p2p, data.draw(st.builds(kind, key=code, code=code, name=text, active=st.booleans())))


@pytest.fixture
def requesting(make: Any) -> Any:
    from infra.sandbox.basware import World

    owned = {"requisition_owner_email": "buyer@example.com", "category_code": "6200"}
    return make(World(), purchase_order_target="purchase_requisitions", **owned)


@quick
@given(data=st.data())
def test_orders_fit_as_matching_orders_and_as_requisitions(
    bench: Any, requesting: Any, p2p: dict[str, Any], data: Any
) -> None:
    receipt = st.builds(
        Receipt,
        key=code,
        number=code,
        quantity=money,
        received_on=st.none() | st.dates(),
        net=st.none() | money,
        reverses=st.none() | code,
    )
    line = st.builds(
        OrderLine,
        key=code,
        number=code,
        quantity=money,
        net=money,
        unit_price=st.none() | money,
        service=st.booleans(),
        item=maybe,
        description=maybe,
        unit=maybe,
        tax_code=st.none() | code,
        tax_percent=st.none() | money.map(lambda d: d / 10**3),
        account=st.none() | code,
        cost_center=st.none() | code,
        closed=st.booleans(),
        receipts=st.tuples(receipt, receipt),
    )
    record = st.builds(
        PurchaseOrder,
        key=code,
        number=code,
        supplier=code,
        currency=st.just("EUR"),
        status=st.sampled_from(["open", "closed", "cancelled"]),
        created=st.none() | st.dates(),
        description=maybe,
        payment_term=st.none() | code,
        lines=st.tuples(line, line),
    )
    order = data.draw(record)
    rendered(bench, p2p, order)
    rendered(requesting, p2p, order)


def test_answers_payments_and_subscriptions_fit(make: Any, p2p: dict[str, Any]) -> None:
    from infra.sandbox.basware import World

    bench = make(World(), webhook_url="https://h.example.com/x", webhook_secret="ö")
    source, target = bench.connection.source(Invoice), bench.connection.target(Payment)
    for answer in (
        Answer("a.0", True, "m" * 300, "1" * 26, "2", date(2026, 3, 1)),
        Answer("b.1.2026-03-02T10:00:00.123Z", False, " "),
    ):
        fits(p2p, "TransferResponseEntity", source._body(source._code("k" * 36, answer), answer, True))
    record = Payment(key="1~2", invoice="2", number="P" * 9, amount=Decimal("0.30"), currency="EUR", method="m" * 30)
    body = target._body(record, target._code(record), {"paymentBlock": False, "paymentTermCode": "N30"})
    fits(p2p, "PaymentResponseEntity", body)
    push = json.loads((SPECS / "basware-push-notification-openapi.json").read_text("utf-8"))
    seen: list[Any] = []
    bench.connection.client.post = lambda _, sent, **__: seen.extend(sent) or type("A", (), {"ok": True})
    subscriptions.ensure(bench.connection.client, bench.settings)
    assert len(seen) == 1
    for subscription in seen:
        schema = {"$ref": "#/components/schemas/Subscription-Input", "components": push["components"]}
        jsonschema.validate(subscription, schema)


@pytest.mark.parametrize("kind", sorted({*limits.CODES, *limits.TEXTS}))
def test_our_limits_are_the_vendors(p2p: dict[str, Any], kind: str) -> None:
    properties = p2p["components"]["schemas"][kind]["properties"]
    for name, limit in {**limits.CODES.get(kind, {}), **limits.TEXTS.get(kind, {})}.items():
        assert properties[name]["maxLength"] == limit, f"{kind}.{name}"
