"""What an emulator never does: throttle, leave keys out, break the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from ml_connector.aws.items import to_attributes, to_item
from ml_connector.aws.partiql import statement
from ml_connector.aws.store import DynamoStore
from ml_connector.errors import Conflict, ConnectorError, Misconfigured, Transient
from ml_connector.ports import Item


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Op")


class FakeDynamo:
    """Answers each call by the next of `answers`, and keeps the requests."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.requests.append(request)
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer(request) if callable(answer) else answer

        return call


def row(sk: str, rev: int = 1) -> dict[str, Any]:
    return to_attributes(Item("p", sk, rev=rev - 1))


def keys(request: dict[str, Any]) -> list[str]:
    return [key["sk"]["S"] for key in request["RequestItems"]["t"]["Keys"]]


def left_out(found: list[str], left: list[str]) -> dict[str, Any]:
    unprocessed = {"t": {"Keys": [{"pk": {"S": "p"}, "sk": {"S": sk}} for sk in left]}} if left else {}
    return {"Responses": {"t": [row(sk) for sk in found]}, "UnprocessedKeys": unprocessed}


def test_keys_that_were_left_out_are_asked_again(clock: Any) -> None:
    client = FakeDynamo(left_out(["a"], ["b", "c"]), left_out([], ["b", "c"]), left_out(["b", "c"], []))
    found = DynamoStore("t", client, clock).get_many("p", ["a", "b", "c", "a"], consistent=True)
    assert sorted(found) == ["a", "b", "c"]
    assert [keys(request) for request in client.requests] == [["a", "b", "c"], ["b", "c"], ["b", "c"]]
    assert all(request["RequestItems"]["t"]["ConsistentRead"] for request in client.requests)
    assert clock.slept == [0.05]


def test_keys_that_are_always_left_out_are_passing_trouble(clock: Any) -> None:
    with pytest.raises(Transient, match="throttles the table t"):
        DynamoStore("t", FakeDynamo(left_out([], ["a"])), clock).get_many("p", ["a"])
    assert clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0]


def test_reads_are_asked_100_at_a_time(clock: Any) -> None:
    client = FakeDynamo({"Responses": {"t": []}})
    DynamoStore("t", client, clock).get_many("p", [str(n) for n in range(250)])
    assert [len(keys(request)) for request in client.requests] == [100, 100, 50]


def errors(*codes: str | None) -> dict[str, Any]:
    return {"Responses": [{"Error": {"Code": code, "Message": "m"}} if code else {"TableName": "t"} for code in codes]}


def test_a_throttled_statement_alone_is_tried_again(clock: Any) -> None:
    client = FakeDynamo(errors(None, "ThrottlingError", "ConditionalCheckFailed"), errors(None))
    items = [Item("p", "a"), Item("p", "b", rev=3), Item("p", "c", rev=1)]
    assert DynamoStore("t", client, clock).put_many(items) == [True, True, False]
    assert client.requests[1]["Statements"] == [client.requests[0]["Statements"][1]]


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded", "InternalServerError"])
def test_a_statement_that_stays_throttled_is_passing_trouble(clock: Any, code: str) -> None:
    with pytest.raises(Transient, match="throttles"):
        DynamoStore("t", FakeDynamo(errors(code)), clock).put_many([Item("p", "a")])


def test_a_duplicate_is_tried_once_as_a_row_that_may_have_expired(clock: Any) -> None:
    client = FakeDynamo(errors("DuplicateItem", "DuplicateItem"), {}, refusal("ConditionalCheckFailedException"))
    assert DynamoStore("t", client, clock).put_many([Item("p", "a"), Item("p", "b")]) == [True, False]
    condition = client.requests[1]["ConditionExpression"]
    assert condition == "attribute_not_exists(pk) OR #ttl <= :now"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("AccessDenied", Misconfigured), ("ResourceNotFound", Misconfigured), ("ValidationError", ValueError)],
)
def test_a_statement_refused_for_another_reason_is_not_taken_for_a_conflict(
    clock: Any, code: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=code):
        DynamoStore("t", FakeDynamo(errors(code)), clock).put_many([Item("p", "a", rev=1)])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("ProvisionedThroughputExceededException"), Transient),
        (refusal("ThrottlingException"), Transient),
        (refusal("RequestLimitExceeded"), Transient),
        (refusal("Unheard", 503), Transient),
        (refusal("Unheard", 429), Transient),
        (EndpointConnectionError(endpoint_url="http://x"), Transient),
        (ReadTimeoutError(endpoint_url="http://x"), Transient),
        (refusal("AccessDeniedException"), Misconfigured),
        (refusal("ResourceNotFoundException"), Misconfigured),
    ],
)
def test_trouble_has_the_same_name_in_every_call(clock: Any, error: Exception, kind: type[ConnectorError]) -> None:
    store = DynamoStore("t", FakeDynamo(error), clock)
    calls: list[Callable[[], Any]] = [
        lambda: store.get("p", "s"),
        lambda: store.get_many("p", ["s"]),
        lambda: store.put(Item("p", "s")),
        lambda: store.put_many([Item("p", "s")]),
        lambda: store.delete("p", "s"),
        lambda: list(store.query("p")),
        lambda: store.due("p", "s"),
    ]
    for call in calls:
        with pytest.raises(kind, match="table t"):
            call()


def test_an_error_that_a_programmer_must_mend_passes(clock: Any) -> None:
    with pytest.raises(ClientError):
        DynamoStore("t", FakeDynamo(refusal("ValidationException")), clock).get("p", "s")


def test_a_failed_condition_is_a_conflict(clock: Any) -> None:
    with pytest.raises(Conflict, match="p s"):
        DynamoStore("t", FakeDynamo(refusal("ConditionalCheckFailedException")), clock).put(Item("p", "s", rev=2))


def test_pages_go_on_where_the_last_ended(clock: Any) -> None:
    client = FakeDynamo(
        {"Items": [row("a"), row("b")], "LastEvaluatedKey": {"k": 1}},
        {"Items": [], "LastEvaluatedKey": {"k": 2}},
        {"Items": [row("c")]},
    )
    assert [item.sk for item in DynamoStore("t", client, clock).query("p", limit=5)] == ["a", "b", "c"]
    assert [r.get("ExclusiveStartKey") for r in client.requests] == [None, {"k": 1}, {"k": 2}]
    assert [r["Limit"] for r in client.requests] == [5, 3, 3]
    assert all(r["ConsistentRead"] for r in client.requests)


def test_a_page_is_read_when_it_is_needed(clock: Any) -> None:
    client = FakeDynamo({"Items": [row("a")], "LastEvaluatedKey": {}}, {"Items": [row("b")]})
    reader = DynamoStore("t", client, clock).query("p")
    assert client.requests == []
    next(reader)
    assert len(client.requests) == 1


def test_statements_are_of_the_documented_form() -> None:
    """AWS shows `UPDATE "Music" SET … SET … WHERE …`, and `REMOVE` by itself; never the two in one statement."""
    assert statement("t", Item("p", "s", {"a": 1})) == {
        "Statement": "INSERT INTO \"t\" VALUE {'pk': ?, 'sk': ?, 'data': ?, 'rev': ?}",
        "Parameters": [{"S": "p"}, {"S": "s"}, {"S": '{"a":1}'}, {"N": "1"}],
    }
    assert statement("t", Item("p", "s", {}, rev=4)) == {
        "Statement": 'UPDATE "t" SET "data" = ? SET "rev" = ? WHERE "pk" = ? AND "sk" = ? AND "rev" = ?',
        "Parameters": [{"S": "{}"}, {"N": "5"}, {"S": "p"}, {"S": "s"}, {"N": "4"}],
    }


def test_a_row_goes_to_attributes_and_back() -> None:
    item = Item("p", "s", {"n": 2**70, "x": [None, True]}, 3, "d", "2026", 9, b"\x00")
    assert to_item(to_attributes(item)) == Item("p", "s", item.data, 4, "d", "2026", 9, b"\x00")
