"""Real answers of the in-process sandboxes, recorded once, and played back with one of them spoilt."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.fuzz import mutate
from tests.fuzz.runner import Finding

MOST_REQUESTS = 400
"""More than any operation here needs, with every try and every step back."""
STATUSES = (200, 200, 201, 202, 204, 206, 299, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 412,
413, 422, 429,
            429, 500, 502, 503, 503, 504, 599)  # fmt: skip
RETRY_AFTER = (
    "0",
    "1",
    "-5",
    "²",
    "9" * 30,
    "9" * 5000,
    "1.5",
    "",
    "soon",
    "Mon, 02 Mar 2026 09:00:10 GMT",
    "Mon, 02 Mar 2026 09:00:10 -0000",
    "Mon, 02 Mar 2026 09:00:10 +99999999999999",
    "Mon, 02 Mar 9999 09:00 GMT",
    "Mon, 02 Mar 99999999999999999999 09:00:00 GMT",
    "Wed, 21 Oct 1015 07:28:00 GMT",
    "NaN",
    "1e9",
)
LOCATIONS = (
    "",
    "http://[",
    "https://evil.example/x",
    "//",
    "https://[::1",
    "javascript:1",
    "/b1s/v1/PurchaseInvoices(²)",
    "/b1s/v1/PurchaseInvoices(99999999999999999999999)",
    "/b1s/v1/PurchaseInvoices('x')",
    "https://h:99999/x",
    "https://\u2100.com/",
    "https://ex ample/",
    "?" + "a" * 5000,
    "http://basware.test/v1/other",
    "ftp://h/x",
    "https://" + "a" * 300 + ".com",
    "https://xn--a/",
    "\x00",
    "https://h/\ud800".encode("utf-8", "replace").decode(),
)
TOKENS = ("ü", "x" * 9000, "", " ", "a b", "\x7f", "²", "the-same")
BOMB = 8 * 1024 * 1024


@dataclass
class Tape:
    """Answers by request; what stands on it was said by a sandbox."""

    answers: dict[str, list[httpx.Response]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    absent: str = "-2028"


def key_of(request: httpx.Request) -> str:
    """Name a request by what it asks for."""
    return f"{request.method} {request.url.raw_path.decode()}"


def copy_of(response: httpx.Response) -> httpx.Response:
    """Give an answer that was not read yet."""
    return httpx.Response(response.status_code, headers=response.headers.raw, content=response.content)


class Recorder(httpx.BaseTransport):
    """Passes requests on to a sandbox and keeps its answers."""

    def __init__(self, app: Any, tape: Tape) -> None:
        self.inner, self.tape = httpx.WSGITransport(app=app), tape

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "Prefer" in request.headers:
            request.headers["Prefer"] = "odata.maxpagesize=25"
        response = self.inner.handle_request(request)
        response.read()
        self.tape.answers.setdefault(key_of(request), []).append(copy_of(response))
        self.tape.order.append(key_of(request))
        return copy_of(response)


@dataclass
class Spoilt:
    """What was done to an answer, for judging what came of it."""

    request: httpx.Request
    before: int
    after: int | None
    body: bytes = b""


class Player(httpx.BaseTransport):
    """Plays a tape; the answer to the request of one number is spoilt, and perhaps each like it after that."""

    def __init__(self, tape: Tape, dice: Random, plant: bytes) -> None:
        self.tape, self.dice, self.plant = tape, dice, plant
        self.target = dice.randrange(len(tape.order))
        self.sticky = dice.random() < 0.6
        self.asked: Counter[str] = Counter()
        self.count, self.spoilt = 0, Spoilt(httpx.Request("GET", "http://none"), 0, None)
        self._like = ""
        self._made: httpx.Response | Exception | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.count > MOST_REQUESTS:
            raise Finding(f"asks without end, at last for {key_of(request)[:200]}")
        number, key = self.count, key_of(request)
        self.count += 1
        answer = self._plain(key)
        if number == self.target:
            self._like = f"{request.method} {request.url.path}"
            self._made = self._spoil(request, answer)
        elif not (self.sticky and self._made and self._like == f"{request.method} {request.url.path}"):
            return answer
        if isinstance(self._made, Exception):
            raise self._made
        assert self._made is not None
        return copy_raw(self._made)

    def _plain(self, key: str) -> httpx.Response:
        listed = self.tape.answers.get(key)
        if not listed:
            return httpx.Response(
                404, json={"error": {"code": self.tape.absent, "message": "No matching records found"}}
            )
        self.asked[key] += 1
        return copy_of(listed[min(self.asked[key], len(listed)) - 1])

    # ── spoiling ────────────────────────────────────────────────────────────────────────────────────────────

    def _spoil(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response | Exception:
        dice = self.dice
        status, headers, body = answer.status_code, list(answer.headers.raw), answer.content
        self.spoilt = Spoilt(request, status, None)
        chance = dice.random()
        if chance < 0.05:
            kinds = (httpx.ReadTimeout, httpx.ReadError, httpx.ConnectError, httpx.RemoteProtocolError)
            return dice.choice(kinds)("broken off", request=request)
        if chance < 0.25:
            status = dice.choice(STATUSES)
        if chance > 0.2:
            body = mutate.body(dice, body)
        if (status >= 300 or b"rror" in body) and dice.random() < 0.3:
            body = mutate.planted(dice, body, self.plant)  # refusals echo; what is data is none of our secrets
        if dice.random() < 0.25:
            headers = self._headers(headers)
        if dice.random() < 0.06:
            headers, body = self._packed(headers, body)
        self.spoilt = Spoilt(request, self.spoilt.before, status, body)
        headers = [(k, v) for k, v in headers if k.lower() != b"content-length"]
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    def _headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        dice = self.dice
        name, values = dice.choice(
            (
                ("retry-after", RETRY_AFTER),
                ("location", LOCATIONS),
                ("x-amz-meta-continuationtoken", TOKENS),
                ("x-amzn-requestid", TOKENS),
                (
                    "set-cookie",
                    (
                        "B1SESSION=ü",
                        "B1SESSION=",
                        "=;=",
                        "B1SESSION=a b;",
                        "\xff=x",
                        "B1SESSION=x; Max-Age=99999999999999999999; Expires=Mon, 99 Foo",
                    ),
                ),
                ("content-type", ("text/html", "", "\xff")),
                ("content-encoding", ("gzip", "br", "deflate", "identity, gzip", "x")),
                ("content-length", ("²", "-1", "x")),
            )
        )
        kept = [pair for pair in headers if pair[0].decode("latin-1").lower() != name]
        if dice.random() < 0.2:
            return kept
        return [
            *kept,
            (name.encode(), dice.choice(values).encode("utf-8" if dice.random() < 0.5 else "latin-1", "replace")),
        ]

    def _packed(self, headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
        dice = self.dice
        packed = gzip.compress(body)
        if dice.random() < 0.3:
            packed = gzip.compress((b" " if dice.random() < 0.5 else b"[") * BOMB, 1)
        elif dice.random() < 0.5:
            packed = mutate.body(dice, packed)
        return [*headers, (b"Content-Encoding", b"gzip")], packed


def copy_raw(response: httpx.Response) -> httpx.Response:
    """Give a spoilt answer again, undecoded."""
    stream = response.stream
    assert isinstance(stream, httpx.ByteStream)
    return httpx.Response(response.status_code, headers=response.headers.raw, stream=httpx.ByteStream(b"".join(stream)))
