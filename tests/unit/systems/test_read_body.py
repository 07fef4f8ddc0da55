"""Bodies are unpacked within limits: of what came, of what came out, and after each of several unpackings."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom, SystemClock
from ml_connector.errors import Transient
from ml_connector.redact import Redactor
from ml_connector.systems import read_body
from ml_connector.systems.http import Http
from tests.clock import Clock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = b'{"a": [' + b"1, " * 50_000 + b"1]}"


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "raw": raw_deflate,
}


def bomb(layers: int, size: int) -> bytes:
    """Zeros, packed some times over, without ever standing whole in memory."""
    engine = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    packed = b"".join(engine.compress(bytes(1 << 20)) for _ in range(size >> 20)) + engine.flush()
    for _ in range(layers - 1):
        packed = gzip.compress(packed, 9)
    return packed


class Server(httpx.BaseTransport):
    """Answers with one body in small parts, and tells what was asked."""

    def __init__(self, body: bytes, *codings: str, part: int = 7) -> None:
        self.body, self.codings, self.part, self.asked = body, codings, part, httpx.Headers()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked = request.headers
        body = (self.body[at : at + self.part] for at in range(0, len(self.body), self.part))
        headers = [("Content-Encoding", coding) for coding in self.codings]
        return httpx.Response(200, headers=headers, stream=httpx._content.IteratorByteStream(body))  # type: ignore[arg-type]


def http(transport: Any, base: str = "https://erp.example") -> Http:
    return Http(
        base_url=base,
        vendor="ERP",
        clock=Clock(START),
        rng=SeededRandom(1),
        redactor=Redactor(),
        timeout=30,
        transport=transport,
        insecure=True,
    )


@pytest.mark.parametrize(
    "codings",
    [
        (),
        ("identity",),
        ("gzip",),
        ("x-gzip",),
        ("deflate",),
        ("GZIP , identity",),
        ("deflate", "gzip"),
        ("gzip, gzip",),
        ("UTF-8",),
        ("",),
    ],
)
@pytest.mark.parametrize("part", [7, 1 << 20])
def test_what_is_packed_is_read_as_it_was(codings: tuple[str, ...], part: int) -> None:
    body = TEXT
    for coding in ",".join(codings).split(","):
        body = PACK.get(coding.strip().lower(), bytes)(body)
    assert http(Server(body, *codings, part=part)).get("/x").body == TEXT


def test_deflate_without_its_frame_is_read_too() -> None:
    assert http(Server(raw_deflate(TEXT), "deflate", part=1000)).get("/x").body == TEXT


def test_only_what_is_unpacked_within_limits_is_asked_for() -> None:
    server = Server(b"{}")
    http(server).get("/x")
    assert server.asked["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("layers", "codings", "size"),
    [(1, ("gzip",), 16 << 20), (2, ("gzip", "gzip"), 64 << 20), (3, ("gzip, gzip, gzip",), 64 << 20)],
)
def test_a_bomb_goes_off_within_the_limit(
    layers: int, codings: tuple[str, ...], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_body, "LARGEST", 4 << 20)
    server = Server(bomb(layers, size), *codings, part=4096)
    tracemalloc.start()
    try:
        with pytest.raises(Transient, match="larger than 4 MiB"):
            http(server).get("/x")
        assert tracemalloc.get_traced_memory()[1] < 3 * read_body.LARGEST
    finally:
        tracemalloc.stop()


def test_more_layers_than_anybody_needs_are_not_unpacked() -> None:
    with pytest.raises(Transient, match="packed 40 times over"):
        http(Server(b"x", *["gzip"] * 40)).get("/x")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_junk_that_says_that_it_is_packed_is_passing_trouble(coding: str) -> None:
    with pytest.raises(Transient, match="cannot be unpacked"):
        http(Server(b"<html>not packed at all</html>", coding)).get("/x")


def test_a_refusal_is_bounded_before_anybody_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a login looks at in a 401 is read by httpx itself, in the middle of the exchange."""
    monkeypatch.setattr(read_body, "LARGEST", 1 << 20)
    answer = read_body.Bounded(Server(bomb(2, 4 << 20), "gzip", "gzip", part=4096), SystemClock(), 30).handle_request(
        httpx.Request("GET", "https://erp.example/x")
    )
    with pytest.raises(httpx.ReadError, match="larger"):
        answer.read()


def test_a_bomb_over_a_real_connection_is_asked_for_once(listening: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_body, "LARGEST", 4 << 20)
    packed, guests = bomb(2, 64 << 20), []

    def send(guest: socket.socket) -> None:
        guests.append(1)
        guest.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        guest.sendall(f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n")

    with pytest.raises(Transient, match="larger than 4 MiB"):
        http(None, listening(send)).get("/x")
    assert guests == [1]
