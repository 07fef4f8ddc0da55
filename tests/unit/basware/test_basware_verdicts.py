"""What a request's status means for each record."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Rendered
from ml_connector.records import PurchaseOrder, Supplier
from ml_connector.systems.basware.verdicts import missing_parent, read


def item(code: str, status: str, *messages: str) -> dict[str, Any]:
    return {"externalCode": code, "status": status, "errors": [{"message": m} for m in messages]}


def status(*systems: Any, overall: str | None = "Success") -> dict[str, Any]:
    return {"requestId": "r1", "requestStatus": overall, "systems": [{"items": list(s)} for s in systems]}


def ask(bench: Any, server: Any, body: Any, kind: type = Supplier, stage: str = "vendors") -> Any:
    server.answer = lambda _: httpx.Response(200, json=body) if body is not None else httpx.Response(404)
    batch = [Rendered(k, k, {stage: [{"externalCode": f"e{k}"}]}) for k in ("1", "2")]
    found = bench.connection.target(kind).verdicts(stage, batch, ["r1"])
    return None if found is None else {k: v.outcome for k, v in found.items()}


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        (status([item("e1", "Success"), item("e2", "Warning", "w")]), ("delivered", "delivered")),
        (status([item("e1", "NotProcessed"), item("e2", "RecordExpired")]), ("unchanged", "unchanged")),
        (status([item("e1", "Error", "bad")], overall="Error"), ("rejected", "delivered")),
        (status([item("e1", "Error", "bad"), item("e2", "Success")], overall="Error"), ("rejected", "delivered")),
        (status([item("e1", "Success")], [item("e1", "Error", "bad")]), ("rejected", "delivered")),
        (status([item("e1", "Success")], [item("e1", "NotProcessed")]), ("delivered", "delivered")),
        (status(), ("delivered", "delivered")),
        ({"requestStatus": "Success", "systems": None}, ("delivered", "delivered")),
        (status(overall="AcknowledgedError"), ("rejected", "rejected")),
        (status([item("e1", "Success"), item("e2", "Success")], overall=None), ("delivered", "delivered")),
        (status([item("e1", "Success"), item("e2", "Error", "x")], overall="Partly"), ("delivered", "rejected")),
    ],
)
def test_the_gravest_word_counts(bench: Any, server: Any, body: Any, outcomes: tuple[str, str]) -> None:
    for shape in (body, [body], {"requestStatus": [body]}, {"requestStatus": [{"requestId": "other"}, body]}):
        if shape is body or body.get("requestId"):
            assert ask(bench, server, shape) == dict(zip("12", outcomes, strict=True))


@pytest.mark.parametrize(
    "body",
    [
        None,
        status(overall="InProgress"),
        status([item("e1", "InProgress"), item("e2", "Unpublished")], overall="InProgress"),
        status([item("e1", "Success")], [item("e2", "InProgress")], overall="InProgress"),
        status([item("e1", "Success")], [item("e1", "InProgress")], overall="InProgress"),
        {"requestId": "r1"},
        {"requestStatus": []},
    ],
)
def test_what_is_not_decided_is_waited_for(bench: Any, server: Any, body: Any) -> None:
    assert (
        ask(bench, server, body if body is None else {"requestStatus": [body]} if "requestId" in body else body) is None
    )


def judged(bench: Any, server: Any, body: Any, present: dict[str, Any] | None = None) -> Any:
    """Ask about two vendors of a finished request; `present` is what Basware shows of each."""

    def answer(request: httpx.Request) -> httpx.Response:
        shown = {"requestStatus": [body]} if "requestStatus" in request.url.path else present
        return httpx.Response(200, json=shown) if shown is not None else httpx.Response(404)

    server.answer = answer
    batch = [Rendered(k, k, {"vendors": [{"externalCode": f"e{k}", "name": "A"}]}) for k in ("1", "2")]
    return bench.connection.target(Supplier).verdicts("vendors", batch, ["r1"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (status([item("e1", "Success"), item("e2", "Unpublished", "no route")]), "'Unpublished' of it (no route)"),
        (status([item("e1", "Success"), item("e2", "SomethingNew")]), "'somethingnew' of it"),
        (status([item("e1", "Success"), item("e2", "InProgress", "queued")]), "'InProgress' of it (queued)"),
        (status([item("e1", "Success"), item("e9", "Error", "x")], overall="Error"), "nothing of it"),
        (status([item("e1", "Success"), item("e2", "InProgress")], overall="Error"), "'InProgress' of it"),
    ],
)
def test_an_unclear_word_in_a_finished_request_holds_its_own_record_only(
    bench: Any, server: Any, body: Any, words: str
) -> None:
    found = judged(bench, server, body, {"externalCode": "e2", "name": "A"})
    assert found["1"].outcome == "delivered"
    assert (found["2"].outcome, found["2"].waiting_for) == ("held", "lookup:2")
    assert words in found["2"].reason and "in P2P" in found["2"].reason and "sent again" in found["2"].reason


def test_a_record_left_in_progress_by_a_good_request_is_read(bench: Any, server: Any) -> None:
    body = status([item("e1", "Success"), item("e2", "InProgress")])
    assert judged(bench, server, body, {"externalCode": "e2", "name": "A"})["2"].outcome == "delivered"
    other = judged(bench, server, body, {"externalCode": "e2", "name": "B"})
    assert (other["1"].outcome, other["2"].outcome) == ("delivered", "held") and "name" in other["2"].reason
    assert judged(bench, server, body, None)["2"].waiting_for == "lookup:2"


@pytest.mark.parametrize(
    ("said", "off", "outcome"),
    [("Unpublished", True, "rejected"), ("InProgress", True, None), ("InProgress", False, "rejected")],
)
def test_a_record_is_not_taken_for_switched_off_on_an_unclear_word(
    bench: Any, server: Any, said: str, off: bool, outcome: str | None
) -> None:
    target = bench.connection.target(Supplier)
    code = target.code_of("V1")
    shown = {"externalCode": code, "processingStatus": {"active": not off}}
    body = {"requestStatus": [status([item(code, said)])]}
    server.answer = lambda r: httpx.Response(200, json=body if "requestStatus" in r.url.path else shown)
    found = target.deactivated(["V1"], ["r1"])
    assert (found["V1"].outcome if found else None) == outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Order PO1 was not found", True),
        ("Supplier V1 was not found", True),
        ("Order header does not exist for externalCode x", True),
        ("Record skipped: supplierCode 'V1' is unknown", True),
        ("Missing order", True),
        ("Vendor not found in P2P", True),
        ("Record skipped due to wrong or missing CompanyCode", False),
        ("Order line quantity is missing", False),
        ("Account 400010 was not found", False),
        ("orderNumber is already used", False),
    ],
)
def test_a_missing_parent_is_recognised(text: str, expected: bool) -> None:
    assert missing_parent(text) is expected


def test_only_orders_wait_for_parents(bench: Any, server: Any) -> None:
    body = {"requestStatus": [status([item("e1", "Error", "Supplier V9 was not found")], overall="Error")]}
    assert ask(bench, server, body)["1"] == "rejected"
    assert ask(bench, server, body, PurchaseOrder, "orders")["1"] == "held"


def test_nothing_in_it_is_an_error() -> None:
    found = read({"requestStatus": None, "systems": [None, {"items": [None, {"externalCode": None}]}]})
    assert found.overall == "wait" and not found.items


# ── refused batches ─────────────────────────────────────────────────────────────────────────────────────────────


def batch(*keys: str) -> list[Rendered]:
    return [Rendered(k, k, {"vendors": [{"externalCode": k, "addresses": [{"externalCode": f"a{k}"}]}]}) for k in keys]


def errors(*codes: str | None, status: int = 400, code: str = "SCHEMA_VALIDATION_ERROR") -> httpx.Response:
    entries = [{"externalCode": c, "code": code, "message": "bad"} for c in codes]
    return httpx.Response(status, json={"hasErrors": True, "errors": entries})


def taken() -> httpx.Response:
    return httpx.Response(200, json=[], headers={"X-AMZN-REQUESTID": "r"})


def test_one_complaint_at_a_time_ends_with_the_good_ones_in(bench: Any, server: Any) -> None:
    answers = [errors("2"), errors("a3"), taken()]
    server.answer = lambda _: answers.pop(0)
    sent = bench.connection.target(Supplier).send("vendors", batch("1", "2", "3", "4"))
    assert set(sent.refused) == {"2", "3"} and sent.tokens == ("r",)
    assert [r.content.count(b'"addresses"') for r in server.calls()] == [4, 3, 2]


def test_a_refusal_that_names_nobody_is_for_the_engine(bench: Any, server: Any) -> None:
    server.answer = lambda _: errors(None)
    with pytest.raises(Rejected, match="named none"):
        bench.connection.target(Supplier).send("vendors", batch("1", "2"))
    assert set(bench.connection.target(Supplier).send("vendors", batch("1")).refused) == {"1"}


def test_a_record_still_being_processed_is_tried_again(bench: Any, server: Any) -> None:
    server.answer = lambda _: errors("1", status=409, code="CONFLICT_IN_POST")
    with pytest.raises(Transient):
        bench.connection.target(Supplier).send("vendors", batch("1", "2"))


def test_a_batch_that_is_too_large_is_halved(bench: Any, server: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return taken() if request.content.count(b'"addresses"') < 3 else httpx.Response(413)

    server.answer = answer
    sent = bench.connection.target(Supplier).send("vendors", batch("1", "2", "3", "4", "5"))
    assert sent.tokens == ("r", "r", "r") and not sent.refused


def test_a_body_keeps_below_six_megabytes(bench: Any, server: Any) -> None:
    server.answer = lambda _: taken()
    large = [Rendered(str(i), "", {"vendors": [{"externalCode": str(i), "x": "ä" * 40_000}]}) for i in range(200)]
    assert len(bench.connection.target(Supplier).send("vendors", large).tokens) == 3
    assert all(len(r.content) < 6_000_000 for r in server.calls())


@pytest.mark.parametrize("other", ["InProgress", "Unpublished", "SomethingNew"])
@pytest.mark.parametrize("overall", ["InProgress", None])
@pytest.mark.parametrize(
    ("own", "outcome"),
    [("Success", "delivered"), ("Warning", "delivered"), ("NotProcessed", "unchanged"), ("Error", "rejected")],
)
def test_what_every_system_has_finished_is_decided_though_its_request_goes_on_for_another(
    bench: Any, server: Any, own: str, outcome: str, overall: str | None, other: str
) -> None:
    body = status([item("e1", own), item("e2", other)], overall=overall)
    if overall is None:
        body["systems"][0]["systemStatus"] = "InProgress"
    assert ask(bench, server, body) == {"1": outcome}
    twice = status([item("e1", own), item("e2", other)], [item("e1", "NotProcessed"), item("e2", "Success")])
    twice["requestStatus"] = "InProgress"
    assert ask(bench, server, twice) == {"1": outcome}


class Unsaid(list[Rendered]):
    """Records that nobody may look at."""

    def __iter__(self) -> Any:
        raise AssertionError("looked at")

    __len__ = __getitem__ = __iter__  # type: ignore[assignment]


@pytest.mark.parametrize(
    "body", [None, status(overall="InProgress"), status([item("e1", "InProgress")], overall="InProgress")]
)
def test_a_request_under_way_as_a_whole_is_told_without_a_look_at_its_records(
    bench: Any, server: Any, body: Any
) -> None:
    """To look at them is to make them again, as often as their request is asked about."""
    server.answer = lambda _: httpx.Response(200, json=body) if body is not None else httpx.Response(404)
    assert bench.connection.target(Supplier).verdicts("vendors", Unsaid(), ["r1"]) is None
