"""Orders as purchase requisitions against the simulated Basware: created once, and never sent a second time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.basware.exported import decided
from infra.sandbox.basware.model import Fault, ForcedVerdict
from infra.sandbox.basware.world import World
from ml_connector.errors import ConnectorError, Held, NotYet, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Rendered
from ml_connector.records import OrderLine, PurchaseOrder, Receipt, Supplier
from ml_connector.systems.basware import connect

PATH = "/v1/purchaseRequisitions"
POST = f"POST {PATH}"
SETTINGS = {
    "purchase_order_target": "purchase_requisitions",
    "requisition_owner_email": "buyer@example.com",
    "category_code": "6200",
    "dimension_lists": {"PRJ": "ACC_LIST_2"},
}


@pytest.fixture
def bench(make: Any) -> Any:
    made = make(World(), **SETTINGS)
    target = made.connection.target(Supplier)
    target.send("vendors", [target.render(Supplier(key="V1", code="V1", name="Paper Ltd"), made.codes)])
    made.later(5)
    yield made
    made.connection.close()


def line(number: str = "1", **changes: Any) -> OrderLine:
    plain: dict[str, Any] = {
        "key": number,
        "number": number,
        "quantity": Decimal(10),
        "net": Decimal("3.00"),
        "unit_price": Decimal("0.30"),
        "item": "P-100",
        "description": "Paper, white",
        "unit": "PCE",
        "account": "400010",
        "cost_center": "CC1",
        "tax_code": "V1",
        "tax_percent": Decimal(19),
        "dimensions": (("PRJ", "P7"),),
    }
    return OrderLine(**{**plain, **changes})


def order(n: int = 1, *lines: OrderLine, **changes: Any) -> PurchaseOrder:
    plain: dict[str, Any] = {"number": f"PO{n}", "supplier": "V1", "currency": "EUR", "description": "For the office"}
    return PurchaseOrder(key=f"po{n}", lines=lines or (line(),), **{**plain, **changes})


def rendered(bench: Any, *orders: PurchaseOrder) -> tuple[Any, list[Rendered]]:
    target = bench.connection.target(PurchaseOrder)
    return target, [target.render(one, bench.codes) for one in orders]


def create(bench: Any, *orders: PurchaseOrder) -> dict[str, Any]:
    target, batch = rendered(bench, *orders)
    assert target.once and target.standing(batch) == {}
    sent = target.send("requisitions", batch)
    bench.later(2)
    said = target.verdicts("requisitions", [r for r in batch if r.key not in sent.refused], sent.tokens)
    assert said is not None
    return {**sent.refused, **said}


def imported(bench: Any) -> list[dict[str, Any]]:
    bench.world.settle()
    return list(bench.world.imported.get("purchaseRequisitions", {}).values())


def standing(bench: Any, *orders: PurchaseOrder, known: bool = False) -> dict[str, Any]:
    target, batch = rendered(bench, *orders)
    return dict(target.standing([replace(r, known=known) for r in batch]))


def test_an_order_becomes_a_requisition_with_all_that_p2p_buys_and_books_by(bench: Any) -> None:
    freight = line("2", service=True, quantity=Decimal(0), net=Decimal("12.50"), unit_price=None, item=None, unit=None)
    assert create(bench, order(1, line(), freight))["po1"].outcome == "delivered"
    (made,) = imported(bench)
    assert made["extDocumentNumber"] == "PO1" and made["purpose"] == "For the office"
    assert made["organizationUnitCode"] == "1000" and made["ownerEmail"] == "buyer@example.com"
    assert made["sendToProcess"] is True and made["orderType"] == "Standard"
    first, second = made["lines"]
    plain = {"externalCode", "codingRows"}
    assert {k: v for k, v in first.items() if k not in plain} == {
        "extRequisitionLineNumber": "1",
        "categoryCode": "6200",
        "supplierCode": "V1",
        "buyerProductCode": "P-100",
        "supplierProductName": "Paper, white",
        "description": "Paper, white",
        "quantity": 10,
        "quantityUnitCode": "PCE",
        "priceType": "Net",
        "refundLine": False,
        "unitPrice": Decimal("0.3"),
        "currencyCode": "EUR",
        "taxCode": "V1",
        "taxPercent": 19,
    }
    (coding,) = first["codingRows"]
    assert (coding["accountCode"], coding["costCenterCode"], coding["dimCode2"]) == ("400010", "CC1", "P7")
    assert (second["quantity"], second["unitPrice"]) == (1, Decimal("12.5")), "a service is one of its sum"
    assert all(len(one["externalCode"]) <= 36 for one in made["lines"])


@pytest.mark.parametrize(
    ("changes", "price"),
    [
        ({"net": Decimal("2.70")}, Decimal("0.27")),  # with a discount
        ({"quantity": Decimal(3), "net": Decimal(1), "unit_price": None}, Decimal("0.3333333333")),
        ({"quantity": Decimal(-10), "net": Decimal("-3.00")}, Decimal("-0.3")),
    ],
)
def test_p2p_reckons_the_sum_of_a_line_from_its_price(bench: Any, changes: Any, price: Decimal) -> None:
    _, (made,) = rendered(bench, order(1, line(**changes), line("2")))
    first = made.entities["requisitions"][0]["lines"][0]
    assert first["unitPrice"] == price and first["quantity"] > 0
    assert first["refundLine"] is (price < 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (order(1, number="P" * 101), "takes 100 characters"),
        (order(1, number="P"), "needs two"),
        (order(1, line(number="7" * 101)), "takes 100 characters"),
        (order(1, line(unit="TWELVE PIECES")), "takes 10 characters"),
        (order(1, line(account="4" * 26)), "takes 25 characters"),
        (order(1, line(cost_center="4" * 26)), "takes 25 characters"),
        (order(1, line(dimensions=(("PRJ", "4" * 26),))), "takes 25 characters"),
        (order(1, line(item="4" * 251)), "takes 250 characters"),
        (order(1, *(line(str(n)) for n in range(201))), "1 to 200"),
        (order(1, line(net=Decimal(-3))), "only gives back"),
    ],
)
def test_what_is_too_long_or_too_much_is_refused_with_the_limit_and_never_cut(
    bench: Any, wrong: Any, said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        rendered(bench, wrong)


def test_an_order_without_lines_is_refused_and_a_code_without_a_mapping_held(bench: Any) -> None:
    with pytest.raises(Rejected, match="0 lines"):
        rendered(bench, PurchaseOrder(key="x", number="PO9", supplier="V1", currency="EUR"))
    bench.codes.missing["account"] = "400010"
    with pytest.raises(Held, match="not mapped"):
        rendered(bench, order())


def test_what_stands_is_found_and_receipts_texts_and_settings_are_no_change(bench: Any) -> None:
    create(bench, order())
    receipt = Receipt(key="r", number="GR1", quantity=Decimal(4))
    assert standing(bench, order(1, line(receipts=(receipt,))))["po1"].outcome == "unchanged"
    assert standing(bench, order(1, line(description="Paper"), description="New"))["po1"].outcome == "unchanged"
    changed = {"category_code": "1", "requisition_owner_email": "other@example.com"}
    bench.connection = connect(bench.settings.model_copy(update=changed), bench.context)
    assert standing(bench, order())["po1"].outcome == "unchanged"
    assert bench.world.calls[POST] == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (order(1, line(), line("2")), "line 2 is new"),
        (order(1, line("2")), "line 2 is new; line 1 is gone"),
        (order(1, line(quantity=Decimal(7), net=Decimal("2.10"))), "the quantity of line 1 is 7 and was 10"),
        (order(1, line(unit_price=Decimal("0.4"), net=Decimal(4))), "the price of line 1 is 0.4 and was 0.3"),
        (order(1, line(item=None)), "the product of line 1 is empty and was P-100"),
        (order(1, line(account="400020")), "the account of line 1 is 400020 and was 400010"),
        (order(1, line(dimensions=())), "the dimension 2 of line 1 is empty and was P7"),
        (order(1, supplier="V2"), "the supplier of line 1 is V2 and was V1"),
        (order(1, status="cancelled"), "it was cancelled"),
        (order(1, *(line(str(n)) for n in range(1, 10))), "line 6 is new and 3 more"),
    ],
)
def test_a_changed_order_says_what_changed_and_is_not_sent(bench: Any, changed: Any, said: str) -> None:
    create(bench, order())
    verdict = standing(bench, changed, known=True)["po1"]
    assert (verdict.outcome, verdict.waiting_for) == ("held", "conflict:po1")
    assert said in verdict.reason and verdict.reason.startswith("Order PO1 was created in Basware as a requisition")
    assert "P2P" in verdict.reason
    assert bench.world.calls[POST] == 1


def test_a_closed_order_is_not_created_and_one_that_was_stays(bench: Any) -> None:
    create(bench, order())
    said = standing(bench, order(1, status="closed"), order(2, status="closed"), order(3, status="cancelled"))
    assert {key: verdict.outcome for key, verdict in said.items()} == dict.fromkeys(("po1", "po2", "po3"), "unchanged")
    assert "stays as it is" in said["po1"].reason and "closed before" in said["po2"].reason


def test_what_p2p_refused_was_never_created_and_may_be_sent_again(bench: Any) -> None:
    bench.world.companies = set()
    assert create(bench, order())["po1"].outcome == "rejected"
    assert bench.world.entities["purchaseRequisitions"], "the API layer has it all the same"
    bench.world.companies = {"1000"}
    bench.later(60)
    assert create(bench, order())["po1"].outcome == "delivered"
    assert standing(bench, order())["po1"].outcome == "unchanged"


def test_what_p2p_created_is_never_taken_for_refused_though_somebody_sent_it_again(bench: Any) -> None:
    create(bench, order())
    bench.later(3 * 86_400)
    target, batch = rendered(bench, order())
    sent = target.send("requisitions", batch)  # as a client that does not look would
    bench.later(2)
    assert target.verdicts("requisitions", batch, sent.tokens)["po1"].outcome == "unchanged"
    assert bench.world.requests[sent.tokens[0]].items[0].status == "Error"
    assert standing(bench, order())["po1"].outcome == "unchanged"


def test_one_that_p2p_is_still_at_is_waited_for_and_after_a_day_taken_as_it_stands(bench: Any) -> None:
    bench.world.forced = [ForcedVerdict("PurchaseRequisition", status="InProgress")]
    target, batch = rendered(bench, order())
    sent = target.send("requisitions", batch)
    bench.later(60)
    assert target.verdicts("requisitions", batch, sent.tokens) is None
    with pytest.raises(NotYet, match="still at"):
        target.standing(batch)
    assert target.read_back("requisitions", batch)["po1"].outcome == "delivered"
    bench.later(86_400)
    assert target.standing(batch)["po1"].outcome == "unchanged"


def test_a_post_whose_answer_is_lost_is_an_unknown_outcome_and_is_found(bench: Any) -> None:
    target, batch = rendered(bench, order(1), order(2))
    bench.world.faults = [Fault(kind="act_then_drop", path=PATH, method="POST", times=1)]
    with pytest.raises(OutcomeUnknown):
        target.send("requisitions", batch)
    bench.later(2)
    assert {v.outcome for v in target.standing(batch).values()} == {"unchanged"}
    assert len(imported(bench)) == 2 and bench.world.calls[POST] == 1


@pytest.mark.parametrize(
    "kind", ["status", "gateway", "html", "error_envelope", "truncated", "drop", "act_then_drop", "hang"]
)
def test_whatever_happens_to_a_post_each_is_created_once(bench: Any, kind: str) -> None:
    target, batch = rendered(bench, order(1), order(2))
    bench.world.faults = [Fault(kind=kind, path=PATH, method="POST", times=1, status=500, seconds=1)]
    with suppress(ConnectorError):
        sent = target.send("requisitions", batch)
        assert not sent.refused, "nobody refused one"
    bench.later(1000)
    there = target.standing(batch)
    assert {verdict.outcome for verdict in there.values()} <= {"unchanged"}
    left = [one for one in batch if one.key not in there]
    if left:
        assert not target.send("requisitions", left).refused
    bench.later(5)
    sent_items = [i for r in bench.world.requests.values() if r.entity_type == "PurchaseRequisition" for i in r.items]
    assert len(imported(bench)) == len(sent_items) == 2
    assert {item.status for item in sent_items} == {"Success"}


def test_absence_is_only_believed_of_basware(bench: Any) -> None:
    target, batch = rendered(bench, order())
    for kind in ("gateway", "html", "error_envelope"):
        bench.world.faults = [Fault(kind=kind, path=f"{PATH}/.*", times=-1)]
        with pytest.raises(Transient):
            target.standing(batch)


def test_a_hundred_go_in_one_call(bench: Any) -> None:
    said = create(bench, *(order(n) for n in range(1, 151)))
    assert {v.outcome for v in said.values()} == {"delivered"}
    assert bench.world.calls[POST] == 2


def test_a_refused_one_is_named_and_the_others_are_created(bench: Any) -> None:
    target, batch = rendered(bench, order(1), order(2))
    spoiled: dict[str, Any] = {**batch[0].entities["requisitions"][0], "purpose": ""}
    sent = target.send("requisitions", [replace(batch[0], entities={"requisitions": [spoiled]}), batch[1]])
    assert list(sent.refused) == ["po1"]
    bench.later(2)
    assert [one["extDocumentNumber"] for one in imported(bench)] == ["PO2"]


def test_a_missing_supplier_is_waited_for(bench: Any) -> None:
    bench.world.forced = [ForcedVerdict("PurchaseRequisition", message="Supplier V1 was not found", times=1)]
    said = create(bench, order())["po1"]
    assert (said.outcome, said.waiting_for) == ("held", "parent:V1")
    bench.later(60)
    assert create(bench, order())["po1"].outcome == "delivered"


def test_an_order_that_is_gone_in_the_erp_is_not_withdrawn_and_says_so(bench: Any) -> None:
    create(bench, order())
    target, _ = rendered(bench)
    sent = target.deactivate(["po1", "po9"])
    assert not sent.tokens and list(sent.refused) == ["po1"]
    assert "PO1 is gone in the ERP" in sent.refused["po1"] and "cancel it in P2P" in sent.refused["po1"]


def test_both_kinds_of_notices_are_subscribed_and_nothing_that_comes_of_them_is_acknowledged(make: Any) -> None:
    hook = {"webhook_url": "https://hooks.example.com/webhooks/basware/acme", "webhook_secret": "secret-1"}
    bench = make(World(), **SETTINGS | hook)
    bench.context.__dict__["flows"] = lambda: ("purchase_orders", "invoices", "order_notices")
    made = [done.partition("/")[0] for done in bench.connection.subscribe()]
    assert made == ["AccountingDocuments", "ExportedPurchaseOrders", "ExportedPurchaseRequisitions"]
    assert bench.connection.subscribe() == []
    create(bench, order())
    (code,) = bench.world.imported["purchaseRequisitions"]
    decided(bench.world, code, "Canceled")
    found = bench.connection.exported_requisitions().fetch(f"P2P-{code}"[:100])
    assert (found.erp_number, found.status, found.export) == ("PO1", "Canceled", "WaitingForExport")
    assert not [call for call in bench.world.calls if call.endswith("acknowledge")]
    bench.connection.close()


def test_the_right_to_read_exported_requisitions_is_asked_for_only_where_orders_become_them(make: Any) -> None:
    right = "exportedPurchaseRequisitions.read"
    for settings, wanted in ((SETTINGS, True), ({}, False)):
        bench = make(World(), webhook_secret="s", **settings)
        bench.context.__dict__["flows"] = lambda: ("purchase_orders", "order_notices")
        assert (right in bench.connection.client.scopes()) is wanted
        assert "exportedPurchaseOrders.read" in bench.connection.client.scopes()
        bench.connection.close()


def test_ping_asks_for_the_rights_of_requisitions_and_names_what_nobody_can_look_up(bench: Any) -> None:
    checks = {check.what: check for check in bench.connection.ping()}
    assert checks["purchaseRequisitions"].ok and "buyer@example.com, category 6200" in checks["requisitions"].detail
    assert "matchingOrders" not in checks
    assert {s for s in bench.connection.client.scopes() if "Orders" in s or "Requis" in s} == {
        "purchaseRequisitions.read",
        "purchaseRequisitions.write",
    }


def test_ping_warns_where_requisitions_have_no_owner_or_category(make: Any) -> None:
    made = make(World(), purchase_order_target="purchase_requisitions")
    check = next(one for one in made.connection.ping() if one.what == "requisitions")
    assert check.ok and check.warning
    assert "'requisition_owner_email' and 'category_code'" in check.detail and "None" not in check.detail
    made.connection.close()
