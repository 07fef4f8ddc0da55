"""How long a call may take: what hangs is asked once more, what drips is cut, what is written is sent once."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom, SystemClock
from ml_connector.errors import OutcomeUnknown, Throttled, Transient, Unreachable
from ml_connector.redact import Redactor
from ml_connector.systems.http import Call, Http, Reply
from tests.clock import Clock

DROP = 10.0
"""Seconds between two bytes of a dripping server."""


START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Scripted:
    """Raises or answers in order, the last for ever; counts the calls."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes, self.calls = list(outcomes), 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        one = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(one, type):
            raise one("planned", request=request)
        return one(request) if callable(one) else one


def client(
    transport: Any, clock: Any = None, timeout: float = 30, base: str = "https://erp.example", **more: Any
) -> Http:
    return Http(
        base_url=base,
        vendor="ERP",
        clock=clock or Clock(START),
        rng=SeededRandom(1),
        redactor=Redactor([]),
        timeout=timeout,
        transport=transport,
        insecure=True,
        **more,
    )


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.WriteTimeout])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_safe_call_that_hangs_is_sent_once_more_and_no_oftener(kind: Any, method: str) -> None:
    server = Scripted(kind)
    with pytest.raises(Transient, match="did not answer in time") as caught:
        client(httpx.MockTransport(server)).call(Call(method, "/x"))
    assert server.calls == 2 and caught.value.spent


def test_a_hang_that_was_passing_costs_nothing() -> None:
    server = Scripted(httpx.ReadTimeout, httpx.Response(200, json={"ok": 1}))
    assert client(httpx.MockTransport(server)).get("/x").json() == {"ok": 1}


def test_two_hangs_are_the_most_whatever_comes_between() -> None:
    server = Scripted(httpx.ReadTimeout, httpx.Response(502), httpx.ReadTimeout, httpx.Response(200, json={}))
    with pytest.raises(Transient):
        client(httpx.MockTransport(server)).get("/x")
    assert server.calls == 3


@pytest.mark.parametrize("kind", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError])
def test_a_write_that_cannot_be_recognised_is_sent_once(kind: Any) -> None:
    server = Scripted(kind)
    with pytest.raises(OutcomeUnknown):
        client(httpx.MockTransport(server)).call(Call("POST", "/x", body={}, safe=False))
    assert server.calls == 1


@pytest.mark.parametrize(
    ("outcome", "raised", "tries"),
    [
        (httpx.ConnectError, Unreachable, 4),
        (httpx.ConnectTimeout, Unreachable, 4),
        (httpx.ReadError, Transient, 4),
        (httpx.Response(503), Throttled, 4),
    ],
)
def test_what_fails_at_once_is_tried_as_ever(outcome: Any, raised: type[Exception], tries: int) -> None:
    server = Scripted(outcome)
    with pytest.raises(raised):
        client(httpx.MockTransport(server)).get("/x")
    assert server.calls == tries


def test_a_vendor_may_be_tried_oftener_and_a_judged_answer_counts_as_a_failed_one() -> None:
    def judge(reply: Reply) -> None:
        if reply.status == 400:
            raise Throttled("flooded")

    server, clock = Scripted(httpx.Response(400)), Clock(START)
    with pytest.raises(Throttled) as caught:
        client(httpx.MockTransport(server), clock, tries=5).call(Call("GET", "/x", expect=(200, 400), judge=judge))
    assert server.calls == 5 and caught.value.spent
    assert all(later > 1.3 * earlier for earlier, later in pairwise(clock.slept))


class Drip(httpx.SyncByteStream):
    """A byte each ten seconds, for as long as anybody listens (a day at most)."""

    def __init__(self, clock: Clock, body: bytes) -> None:
        self.clock, self.body, self.closed = clock, body, False

    def __iter__(self) -> Iterator[bytes]:
        for n in range(8640):
            self.clock.sleep(DROP)
            yield self.body[n : n + 1] if n < len(self.body) else b" "

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_that_drips_is_cut_after_twice_the_timeout_and_not_asked_for_again(packed: bool) -> None:
    clock = Clock(START)
    began, text = clock.now(), b'{"value": [' + b"0," * 5000
    drip = Drip(clock, gzip.compress(text) if packed else text)
    headers = {"content-encoding": "gzip"} if packed else {}
    server = Scripted(lambda _: httpx.Response(200, stream=drip, headers=headers))
    with pytest.raises(Transient, match="trickled"):
        client(httpx.MockTransport(server), clock).get("/x")
    assert server.calls == 1 and drip.closed
    assert clock.now() - began <= timedelta(seconds=2 * 30 + DROP)


def test_a_slow_body_within_its_time_is_read_whole() -> None:
    clock = Clock(START)
    body = iter([b'{"a"', b": 1", b"}"])

    class Slow(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for part in body:
                clock.sleep(15)
                yield part

    server = Scripted(lambda _: httpx.Response(200, stream=Slow()))
    assert client(httpx.MockTransport(server), clock).get("/x").json() == {"a": 1}


# ── over a real connection ──────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_never_answers_costs_two_timeouts(listening: Any) -> None:
    guests: list[int] = []

    def hang(guest: socket.socket) -> None:
        guests.append(1)
        guest.recv(1)  # until the client gives up

    base, began = listening(hang), time.monotonic()
    with pytest.raises(Transient, match="did not answer in time"):
        client(None, SystemClock(), timeout=0.3, base=base).get("/x")
    assert len(guests) == 2 and time.monotonic() - began < 10


def test_a_server_that_drips_is_cut_over_a_real_connection(listening: Any) -> None:
    def drip(guest: socket.socket) -> None:
        guest.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            guest.sendall(b" ")
            time.sleep(0.1)

    base, began = listening(drip), time.monotonic()
    with pytest.raises(Transient, match="trickled"):
        client(None, SystemClock(), timeout=0.3, base=base).get("/x")
    assert time.monotonic() - began < 10  # of the 20 s that it would drip


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS = {
    "headers": (b"", b"HTTP/1.1 200 OK\r\n" + b"X-Drop: 1\r\n" * 40),
    "one endless header": (HEAD + b"X: ", b"x" * 400),
    "answers before the answer": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" " * 400),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 100),
    "the size of a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 400),
}


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("name", DRIPS)
def test_whatever_drips_ends_with_the_exchange_and_is_not_asked_for_again(
    listening: Any, name: str, safe: bool
) -> None:
    at_once, drops = DRIPS[name]
    guests: list[int] = []

    def drip(guest: socket.socket) -> None:
        guests.append(1)
        guest.sendall(at_once)
        for n in range(len(drops)):
            guest.sendall(drops[n : n + 1])
            time.sleep(0.02)

    base, began = listening(drip), time.monotonic()
    with pytest.raises(Transient if safe else OutcomeUnknown, match="trickled"):
        client(None, SystemClock(), timeout=0.2, base=base).call(Call("POST", "/x", body={}, safe=safe))
    assert time.monotonic() - began < 2 and len(guests) == 1


def test_an_exchange_within_its_time_may_take_longer_than_one_step(listening: Any) -> None:
    def slow(guest: socket.socket) -> None:
        for part in (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 2\r\n", b"\r\n", b"{", b"}"):
            guest.sendall(part)
            time.sleep(0.12)

    assert client(None, SystemClock(), timeout=0.5, base=listening(slow)).get("/x").json() == {}


def test_a_connection_that_is_used_again_has_its_time_anew(listening: Any) -> None:
    def twice(guest: socket.socket) -> None:
        for _ in range(4):
            time.sleep(0.15)
            guest.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            guest.recv(65_536)

    http = client(None, SystemClock(), timeout=0.2, base=listening(twice))
    assert [http.get("/x").json() for _ in range(4)] == [{}] * 4
