"""Master data and orders against the simulated Basware."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.basware.model import Fault, ForcedVerdict
from infra.sandbox.basware.world import World
from ml_connector.errors import LoginRefused, OutcomeUnknown, Throttled, Transient, Unexplained
from ml_connector.flow import Rendered
from ml_connector.records import Account, CostCenter, OrderLine, PurchaseOrder, Receipt, Supplier
from ml_connector.systems.basware import CHUNKING


def supplier(n: int, **more: Any) -> Supplier:
    return Supplier(key=f"V{n}", code=f"V{n}", name=f"Supplier {n}", **more)


def order(n: int, lines: int = 2, **more: Any) -> PurchaseOrder:
    rows = tuple(
        OrderLine(
            key=str(i),
            number=str(i + 1),
            quantity=Decimal(10),
            net=Decimal("12345678901.23"),
            unit_price=Decimal("0.30"),
            account="400010",
            cost_center="CC1",
            receipts=(
                Receipt(key="r1", number="GR1", quantity=Decimal(4), received_on=date(2026, 2, 3)),
                Receipt(key="r2", number="GR2", quantity=Decimal(-1), reverses="r1"),
            ),
        )
        for i in range(lines)
    )
    given: dict[str, Any] = {"number": f"PO{n}", "supplier": "V1", "currency": "EUR", "lines": rows, **more}
    return PurchaseOrder(key=f"po{n}", **given)


def sync(bench: Any, kind: type, records: Sequence[Any], touch: str | None = None) -> dict[str, Any]:
    """Send all stages and collect the last verdicts, as the engine does."""
    target = bench.connection.target(kind)
    batch: list[Rendered] = [target.render(record, bench.codes, touch) for record in records]
    said: dict[str, Any] = {}
    for stage in target.stages:
        sent = target.send(stage, batch)
        said.update(sent.refused)
        batch = [one for one in batch if one.key not in sent.refused]
        assert target.verdicts(stage, batch, sent.tokens) is None or not sent.tokens, "no verdict yet"
        bench.later(2)
        verdicts = target.verdicts(stage, batch, sent.tokens)
        assert verdicts is not None and set(verdicts) == {one.key for one in batch}
        said.update(verdicts)
    return said


def test_a_thousand_vendors_take_five_posts(bench: Any) -> None:
    target = bench.connection.target(Supplier)
    batch = [target.render(supplier(n), bench.codes) for n in range(1000)]
    sent = target.send("vendors", batch)
    assert len(sent.tokens) == 5 and not sent.refused
    assert bench.world.calls["POST /v1/vendors"] == 5
    assert len(bench.world.entities["vendors"]) == 1000


def test_a_thousand_order_lines_take_ten_posts(bench: Any) -> None:
    sync(bench, Supplier, [supplier(1)])
    records = [order(n, lines=25) for n in range(40)]
    limit, weigh = CHUNKING[PurchaseOrder]
    assert sum(map(weigh, records)) == limit
    said = sync(bench, PurchaseOrder, records)
    assert {v.outcome for v in said.values()} == {"delivered"}
    assert bench.world.calls["POST /v1/matchingOrderLines"] == 10
    assert bench.world.calls["POST /v1/matchingOrders"] == 1


def test_the_same_again_is_unchanged_and_a_touch_is_imported(bench: Any) -> None:
    records: list[tuple[type, Any]] = [
        (Supplier, supplier(1)),
        (Account, Account(key="a", code="400010", name="Paper")),
        (CostCenter, CostCenter(key="c", code="CC1", name="X")),
        (PurchaseOrder, order(1)),
    ]
    for kind, record in records:
        assert {v.outcome for v in sync(bench, kind, [record]).values()} == {"delivered"}
        bench.later(5)
        assert {v.outcome for v in sync(bench, kind, [record]).values()} == {"unchanged"}
        bench.later(5)
        assert {v.outcome for v in sync(bench, kind, [record], touch="2026-03-02").values()} == {"delivered"}
        bench.later(5)


def test_money_arrives_to_the_last_digit(bench: Any) -> None:
    sync(bench, Supplier, [supplier(1)])
    sync(bench, PurchaseOrder, [order(1)])
    line = next(iter(bench.world.imported["matchingOrderLines"].values()))
    assert line["netSum"] == Decimal("12345678901.23")
    assert line["netPrice"] == Decimal("0.30")
    assert {r["quantity"] for r in line["goodsReceipts"]} == {4, -1}
    back = next(r for r in line["goodsReceipts"] if r["quantity"] < 0)
    assert back["referenceGRExternalCode"] in {r["externalCode"] for r in line["goodsReceipts"]}


def test_an_order_whose_supplier_is_not_there_waits_for_it(bench: Any) -> None:
    target = bench.connection.target(PurchaseOrder)
    batch = [target.render(order(1), bench.codes)]
    sent = target.send("orders", batch)
    bench.later(2)
    verdict = target.verdicts("orders", batch, sent.tokens)["po1"]
    assert (verdict.outcome, verdict.waiting_for) == ("held", "parent:V1")


def test_lines_whose_order_is_not_there_wait_for_it(bench: Any) -> None:
    target = bench.connection.target(PurchaseOrder)
    batch = [target.render(order(1), bench.codes)]
    sent = target.send("lines", batch)
    bench.later(2)
    verdict = target.verdicts("lines", batch, sent.tokens)["po1"]
    assert (verdict.outcome, verdict.waiting_for) == ("held", "parent:po1")


def test_an_unknown_company_is_rejected_with_the_words_of_p2p(make: Any) -> None:
    from infra.sandbox.basware import World

    bench = make(World(companies={"2000"}))
    verdict = sync(bench, Supplier, [supplier(1)])["V1"]
    assert verdict.outcome == "rejected" and "CompanyCode" in verdict.reason


def test_a_refused_record_is_taken_out_and_the_others_go(bench: Any) -> None:
    target = bench.connection.target(Supplier)
    batch = [target.render(supplier(n), bench.codes) for n in range(3)]
    spoiled = dict(batch[1].entities["vendors"][0], name="")
    batch[1] = replace(batch[1], entities={"vendors": [spoiled]})
    sent = target.send("vendors", batch)
    assert list(sent.refused) == ["V1"] and "name" in sent.refused["V1"]
    assert len(sent.tokens) == 1
    assert len(bench.world.entities["vendors"]) == 2


def test_a_record_posted_again_within_a_second_is_no_error(bench: Any) -> None:
    target = bench.connection.target(Supplier)
    first = [target.render(supplier(1), bench.codes)]
    one = target.send("vendors", first)
    target.send("vendors", [target.render(supplier(1, active=False), bench.codes)])
    bench.later(2)
    assert target.verdicts("vendors", first, one.tokens)["V1"].outcome == "unchanged"


def test_retired_records_are_inactive_and_unknown_ones_no_error(bench: Any) -> None:
    sync(bench, Supplier, [supplier(1)])
    sync(bench, Account, [Account(key="a", code="400010", name="Paper")])
    sync(bench, CostCenter, [CostCenter(key="c", code="CC1", name="Sales")])
    sync(bench, PurchaseOrder, [order(1)])
    for kind, key in ((Supplier, "V1"), (Account, "a"), (CostCenter, "c"), (PurchaseOrder, "po1")):
        sent = bench.connection.target(kind).deactivate([key, "never-there"])
        assert len(sent.tokens) == 1 and not sent.refused
    bench.later(2)
    bench.connection.target(Supplier).read_back("vendors", [])
    held = bench.world.entities
    assert next(iter(held["vendors"].values())).record["processingStatus"]["active"] is False
    assert next(iter(held["accounts"].values())).record["companies"][0]["active"] is False
    assert next(iter(held["costCenters"].values())).record["companies"][0]["active"] is False
    assert next(iter(held["matchingOrders"].values())).record["isClosed"] is True


def test_read_back_compares_what_was_sent(bench: Any) -> None:
    sync(bench, Supplier, [supplier(1)])
    sync(bench, PurchaseOrder, [order(1)])
    target = bench.connection.target(PurchaseOrder)
    same = target.render(order(1), bench.codes)
    other = target.render(order(1, description="other"), bench.codes)
    absent = target.render(order(2), bench.codes)
    assert target.read_back("orders", [same])["po1"].outcome == "delivered"
    assert target.read_back("lines", [same])["po1"].outcome == "delivered"
    assert target.read_back("orders", [other])["po1"].waiting_for == "lookup:po1"
    assert "description" in target.read_back("orders", [other])["po1"].reason
    assert target.read_back("orders", [absent])["po2"].outcome == "held"


def test_a_verdict_that_never_comes_is_none(bench: Any) -> None:
    bench.world.forced.append(ForcedVerdict("Vendor", "InProgress", times=-1))
    target = bench.connection.target(Supplier)
    batch = [target.render(supplier(1), bench.codes)]
    sent = target.send("vendors", batch)
    bench.later(3600)
    assert target.verdicts("vendors", batch, sent.tokens) is None
    assert target.verdicts("vendors", batch, ["no-such-request"]) is None


def test_one_unpublished_record_keeps_nobody_else_waiting(bench: Any) -> None:
    target = bench.connection.target(Supplier)
    batch = [target.render(supplier(n), bench.codes) for n in range(49)]
    code = batch[7].entities["vendors"][0]["externalCode"]
    bench.world.forced.append(ForcedVerdict("Vendor", "Unpublished", "No route to P2P", code=code))
    sent = target.send("vendors", batch)
    bench.later(2)
    said = target.verdicts("vendors", batch, sent.tokens)
    assert {k for k, v in said.items() if v.outcome != "delivered"} == {"V7"}
    assert said["V7"].waiting_for == "lookup:V7" and "No route to P2P" in said["V7"].reason

    bench.later(300)
    again = target.send("vendors", [batch[7]])
    bench.later(2)
    assert target.verdicts("vendors", [batch[7]], again.tokens)["V7"].outcome == "delivered"


def test_a_call_without_a_request_id_is_confirmed_by_reading(bench: Any) -> None:
    target = bench.connection.target(Supplier)
    batch = [target.render(supplier(1), bench.codes)]
    target.send("vendors", batch)
    assert target.verdicts("vendors", batch, [""])["V1"].outcome == "delivered"


@pytest.mark.parametrize("kind", ["drop", "act_then_drop", "truncated", "html"])
def test_a_master_post_survives_what_leaves_it_in_doubt(bench: Any, kind: str) -> None:
    bench.world.faults.append(Fault(kind, path="/v1/vendors", method="POST"))
    target = bench.connection.target(Supplier)
    batch = [target.render(supplier(1), bench.codes)]
    try:
        sent = target.send("vendors", batch)
    except (Transient, OutcomeUnknown):
        sent = target.send("vendors", batch)
    bench.later(2)
    assert target.verdicts("vendors", batch, sent.tokens)["V1"].outcome in {"delivered", "unchanged"}


def test_an_error_in_a_200_is_not_believed(bench: Any) -> None:
    bench.world.faults.append(Fault("error_envelope", path="/v1/vendors", method="POST"))
    target = bench.connection.target(Supplier)
    with pytest.raises(Unexplained, match="trouble of its own"):
        target.send("vendors", [target.render(supplier(1), bench.codes)])


def test_throttling_keeps_the_time_asked_for(bench: Any) -> None:
    bench.world.faults.append(Fault("status", path="/v1/vendors", status=429, retry_after="120", times=-1))
    target = bench.connection.target(Supplier)
    with pytest.raises(Throttled) as caught:
        target.send("vendors", [target.render(supplier(1), bench.codes)])
    assert caught.value.retry_after == 120


def test_a_missing_scope_is_named(bench: Any) -> None:
    from infra.sandbox.basware.scopes import SCOPES

    bench.world.granted = SCOPES - {"vendors.write"}
    target = bench.connection.target(Supplier)
    with pytest.raises(LoginRefused, match=r"vendors\.write"):
        target.send("vendors", [target.render(supplier(1), bench.codes)])


def test_a_line_that_an_order_has_no_more_is_closed_and_deleted(bench: Any) -> None:
    sync(bench, Supplier, [supplier(1)])
    sync(bench, PurchaseOrder, [order(1, lines=3), order(2)])
    target = bench.connection.target(PurchaseOrder)
    reads = bench.world.calls["GET /v1/matchingOrderLines"]
    shorter = target.render(order(1, lines=1), bench.codes)

    def sent(rendered: Rendered) -> list[tuple[Any, Any, Any]]:
        target.verdicts("lines", [rendered], target.send("lines", [rendered]).tokens)
        bench.later(2)
        lines = [row.record for row in bench.world.entities["matchingOrderLines"].values()]
        return sorted(
            (r["lineNumber"], r.get("isDeleted"), r["isClosed"])
            for r in lines
            if r["orderExternalCode"] == rendered.target_id
        )

    assert sent(shorter) == [
        ("1", False, False),
        ("2", False, False),
        ("3", False, False),
    ]  # no earlier one is known
    assert bench.world.calls["GET /v1/matchingOrderLines"] == reads
    assert sent(replace(shorter, known=True)) == [("1", False, False), ("2", True, True), ("3", True, True)]
    posted = bench.world.calls["POST /v1/matchingOrderLines"]
    assert sent(replace(shorter, known=True))[1:] == [("2", True, True), ("3", True, True)]
    assert bench.world.calls["POST /v1/matchingOrderLines"] == posted + 1  # the line that is left, and none besides
    other = target.render(order(2), bench.codes)
    assert [one[1] for one in sent(other)] == [False, False]


def test_an_order_of_which_a_line_could_not_be_taken_out_is_refused(bench: Any) -> None:
    sync(bench, Supplier, [supplier(1)])
    sync(bench, PurchaseOrder, [order(1, lines=2), order(2)])
    target = bench.connection.target(PurchaseOrder)
    batch = [replace(target.render(one, bench.codes), known=True) for one in (order(1, lines=1), order(2))]
    rows = bench.world.entities["matchingOrderLines"]
    gone = next(c for c, row in rows.items() if row.record["lineNumber"] == "2")
    bench.world.forced.append(ForcedVerdict("MatchingOrderLine", "Error", "It is matched", code=gone))
    tokens = target.send("lines", batch).tokens
    bench.later(2)
    said = target.verdicts("lines", batch, tokens)
    assert [(said[one.key].outcome, "It is matched" in (said[one.key].reason or "")) for one in batch] == [
        ("rejected", True),
        ("unchanged", False),
    ]


def test_without_the_right_to_read_lines_none_is_looked_for(make: Any) -> None:
    bench = make(
        World(), scopes=["vendors.write", "matchingOrders.write", "matchingOrderLines.write", "requestStatus.read"]
    )
    target = bench.connection.target(PurchaseOrder)
    target.send("lines", [replace(target.render(order(1), bench.codes), known=True)])
    assert bench.world.calls["GET /v1/matchingOrderLines"] == 0
