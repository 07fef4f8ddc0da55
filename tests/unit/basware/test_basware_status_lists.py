"""The list of request statuses only grows, as nobody acknowledges them: it is read from what is awaited on, or not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from ml_connector.flow import Answer, Found, Prepared
from ml_connector.records import Invoice, Payment
from ml_connector.systems.basware.verdicts import MARGIN, find

SINCE = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))
FROM = "2026-03-01T07:30:00Z"
"""A day before that, in UTC."""


class Kept:
    """Basware with an invoice that shows no response yet, and refuses a second one."""

    def __init__(self, server: Any, *, standing: str = "WaitingForTransferResponse", taken: int = 409) -> None:
        self.standing, self.taken, self.code = standing, taken, ""
        server.answer = self.answer

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v1/requestStatus"):
            return httpx.Response(200, json={"requestStatus": []})
        if request.method == "POST":
            said = json.loads(request.content) if self.taken == 200 else {"code": "X"}
            return httpx.Response(self.taken, json=said, headers={"x-amzn-RequestId": "req-1"})
        return httpx.Response(200, json=[{"invoiceId": "d1", "processingStatus": self.standing}])


def listed(server: Any) -> list[dict[str, str]]:
    """The queries of the lists of request statuses that were read."""
    return [dict(r.url.params) for r in server.calls() if r.url.path == "/v1/requestStatus"]


def test_an_answer_in_doubt_is_looked_for_from_when_it_can_have_been_given(bench: Any, server: Any) -> None:
    Kept(server, standing="TransferInProgress")
    with pytest.raises(Exception, match="refused the answer"):
        bench.connection.source(Invoice).answer("d1", Answer("a.1", True, "said", since=SINCE))
    (query,) = listed(server)
    assert (query["entityType"], query["lastUpdated"]) == ("TransferResponse", FROM)


def test_a_payment_in_doubt_is_looked_for_from_when_it_can_have_been_sent(bench: Any, server: Any) -> None:
    Kept(server)
    target = bench.connection.target(Payment)
    prepared = Prepared("k", {}, {"document": "d1", "externalCode": "c", "number": "9"}, 1, "EUR", since=SINCE)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="did not take the payment"):
        target.send(prepared)
    with pytest.raises(Exception, match="has not confirmed yet"):
        target.read_back(Found("d1:c", "9", since=SINCE))
    assert {query["lastUpdated"] for query in listed(server)} == {FROM}
    assert {query["entityType"] for query in listed(server)} == {"PaymentResponse"}


def test_what_has_a_request_id_is_asked_for_by_it_and_nothing_is_listed(bench: Any, server: Any) -> None:
    Kept(server, taken=200, standing="TransferInProgress")
    source = bench.connection.source(Invoice)
    token = source.answer("d1", Answer("a.1", True, "said", since=SINCE))
    assert source.answered("d1", token, Answer("a.1", True, "said", since=SINCE)) is None
    assert listed(server) == []
    assert [r.url.path for r in server.calls() if "requestStatus" in r.url.path] == ["/v1/requestStatus/req-1"]


def test_where_nothing_is_awaited_nothing_is_asked(bench: Any, server: Any) -> None:
    server.answer = lambda _: httpx.Response(200, json={"accountingDocuments": []})
    assert [page.documents for page in bench.connection.source(Invoice).list_documents(None, None)] == [[]]
    assert not [r for r in server.calls() if "requestStatus" in r.url.path]


def test_the_margin_covers_clocks_that_differ() -> None:
    assert timedelta(hours=12) <= MARGIN <= timedelta(days=7)


def test_without_a_time_everything_is_listed(bench: Any, server: Any) -> None:
    Kept(server)
    assert find(bench.connection.client, "TransferResponse", "c", None) is None
    assert "lastUpdated" not in listed(server)[0]
    find(bench.connection.client, "TransferResponse", "c", datetime(2026, 1, 1, tzinfo=UTC))
    assert listed(server)[1]["lastUpdated"] == "2025-12-31T00:00:00Z"
