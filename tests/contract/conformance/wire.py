"""The wire between an adapter and its sandbox: it notes what goes over it, and spoils what a rule says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

Go = Callable[[], httpx.Response]
Damage = Callable[[httpx.Request, Go], httpx.Response]
"""Gives the answer of a request: another one, or a spoilt one of what `go` brings from the server; or raises."""
ALWAYS = 10**9
ELSEWHERE = "elsewhere.invalid"


@dataclass(frozen=True)
class Seen:
    """One request as it left the adapter, and the status that came back (None: none did)."""

    method: str
    url: httpx.URL
    headers: httpx.Headers
    body: bytes
    status: int | None


@dataclass
class Rule:
    """Spoils the requests that `when` picks: the first `skip` pass, the next `times` are hit."""

    damage: Damage
    when: Callable[[httpx.Request], bool]
    skip: int = 0
    times: int = 1
    hits: int = 0

    def takes(self, request: httpx.Request) -> bool:
        if not self.when(request) or self.hits >= self.times:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True


@dataclass
class Wire(httpx.BaseTransport):
    """The sandbox in this process. `outgoing` may change a request first, as for smaller pages."""

    app: Any
    host: str
    outgoing: Callable[[httpx.Request], None] = lambda _: None
    rules: list[Rule] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    strangers: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = httpx.WSGITransport(app=self.app)

    def spoil(self, damage: Damage, when: Callable[[httpx.Request], bool], *, skip: int = 0, times: int = 1) -> Rule:
        """Add a rule and give it back, so that a test can see whether it hit."""
        self.rules.append(Rule(damage, when, skip, times))
        return self.rules[-1]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.host != self.host:
            self.strangers.append(_seen(request, 404))
            return httpx.Response(404, html="<html><body>another host</body></html>")
        self.outgoing(request)
        status: int | None = None
        try:
            response = self._answer(request)
            status = response.status_code
        finally:
            self.seen.append(_seen(request, status))
        return response

    def _answer(self, request: httpx.Request) -> httpx.Response:
        rule = next((rule for rule in self.rules if rule.takes(request)), None)
        return rule.damage(request, lambda: self._serve(request)) if rule else self._serve(request)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        answer = self._server.handle_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


def _seen(request: httpx.Request, status: int | None) -> Seen:
    return Seen(request.method, request.url, httpx.Headers(request.headers), request.content, status)


# ── damages that mean the same for every vendor ─────────────────────────────────────────────────────────────────

HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"


def instead(status: int, text: str = "", kind: str = "application/json", **headers: str) -> Damage:
    """Answer this, and let the server see nothing. Names of headers with `_` for `-`."""
    given = {name.replace("_", "-"): value for name, value in headers.items()} | {"content-type": kind}
    return lambda _, __: httpx.Response(status, headers=given, text=text)


def page(status: int, **headers: str) -> Damage:
    """Answer an HTML page, as a proxy or a login form does."""
    return instead(status, HTML, "text/html", **headers)


def acted(damage: Damage) -> Damage:
    """Let the server act first."""

    def both(request: httpx.Request, go: Go) -> httpx.Response:
        go()
        return damage(request, go)

    return both


def breaks(error: type[httpx.RequestError]) -> Damage:
    """Break the connection, or never make it."""

    def broken(request: httpx.Request, _: Go) -> httpx.Response:
        raise error("broken by the conformance suite", request=request)

    return broken


def truncated(_: httpx.Request, go: Go) -> httpx.Response:
    """Give half of the body, as if it were all."""
    return _half(go())


def broken_off(request: httpx.Request, go: Go) -> httpx.Response:
    """Give half of the body, then break the connection."""
    whole = go()

    class Halves(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield whole.content[: len(whole.content) // 2]
            raise httpx.RemoteProtocolError("peer closed the connection without sending the complete body")

    headers = [(name, value) for name, value in whole.headers.multi_items() if name != "content-length"]
    return httpx.Response(whole.status_code, headers=headers, stream=Halves())


def _half(whole: httpx.Response) -> httpx.Response:
    headers = [(name, value) for name, value in whole.headers.multi_items() if name != "content-length"]
    return httpx.Response(whole.status_code, headers=headers, content=whole.content[: len(whole.content) // 2])


def echo(status: int) -> Damage:
    """Refuse, and say back all that was sent, as some servers' debug pages do."""

    def said(request: httpx.Request, _: Go) -> httpx.Response:
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        lines += [str(request.url), request.content.decode("utf-8", "replace")]
        body = {"error": {"code": "-1", "message": {"lang": "en-us", "value": " | ".join(lines)}}}
        return httpx.Response(status, json=body)

    return said


def echo_values(status: int, heard: set[str]) -> Damage:
    """Refuse, and say back the credentials alone, in each spelling, without the names by which they could be known.

    `heard` collects them as they came.
    """

    def said(request: httpx.Request, _: Go) -> httpx.Response:
        heard.update(_credentials(request))
        words = [w for value in sorted(heard) for w in (value, quote(value, ""), json.dumps(json.dumps(value)))]
        words += [base64.b64encode(value.encode()).decode() for value in sorted(heard)]
        body = {"error": {"code": "-1", "message": {"lang": "en-us", "value": " | ".join(words)}}}
        return httpx.Response(status, json=body)

    return said


def _credentials(request: httpx.Request) -> Iterator[str]:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if rest:
        yield rest
    if scheme == "Basic":
        pair = base64.b64decode(rest).decode()
        yield from (pair, pair.partition(":")[2])
    for cookie in request.headers.get("cookie", "").split(";"):
        yield from filter(None, [cookie.partition("=")[2].strip()])
    yield from filter(None, [session_in(request.url)])


def session_in(url: httpx.URL) -> str:
    """Give the session id that an address carries; empty where there is none."""
    return url.params.get("UserId", "").strip()
