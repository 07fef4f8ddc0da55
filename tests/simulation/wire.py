"""The network between a client and its sandbox: in this process, and as unreliable as the dice say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx

from tests.simulation.machine import Machine

TIMEOUT, SETTLE = 30.0, 900.0
KINDS = (
    "500", "502 html", "503", "429 seconds", "429 date", "timeout before", "timeout after", "reset before",
    "reset after", "truncated", "200 html", "200 error", "refused", "empty page", "page loop", "hang",
)  # fmt: skip
HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
POSTS = ("/PurchaseInvoices", "/PurchaseCreditNotes", "/transferResponses", "/paymentResponses")


@dataclass
class Line:
    """One tenant's line to one system, and what was seen on it."""

    tenant: str
    system: str
    world: Any
    app: Any
    outage_until: datetime | None = None
    refused: set[str] = field(default_factory=set)
    relogins: int = 0
    requests: int = 0
    posts: dict[str, int] = field(default_factory=dict)


class Wire(httpx.BaseTransport):
    """The transport that `Toolbox.transport` hands out."""

    def __init__(self, machine: Machine, line: Line, later: Callable[[float, str, Callable[[], None]], None]) -> None:
        self.machine, self.line, self._later = machine, line, later
        self._inner = httpx.WSGITransport(app=line.app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        machine, line = self.machine, self.line
        machine.touch("before request")
        machine.sleep(machine.dice.uniform(0.02, 0.3))
        line.requests += 1
        self._shrink(request)
        if line.outage_until is not None and machine.now() < line.outage_until:
            machine.note(f"{line.tenant} {line.system} is down")
            raise httpx.ConnectError("connection refused", request=request)
        response = self._weathered(request)
        machine.note(f"{line.tenant} {request.method} {request.url.raw_path.decode()[:110]} -> {response.status_code}")
        machine.touch("after request")
        return response

    def _shrink(self, request: httpx.Request) -> None:
        """Ask for small pages, so that a small world has several."""
        if self.line.system == "sap_b1" and request.headers.get("Prefer"):
            request.headers["Prefer"] = "odata.maxpagesize=5"
        elif request.method == "GET" and "pageSize=100" in request.url.query.decode():
            request.url = request.url.copy_set_param("pageSize", "3")

    def _weathered(self, request: httpx.Request) -> httpx.Response:
        machine = self.machine
        path = request.url.path
        if request.method == "POST" and path.endswith(POSTS) and machine.hit(machine.weather.late):
            return self._acted_late(request)
        if not machine.hit(machine.weather.wire):
            return self._passed(request)
        kind = machine.dice.choice(KINDS)
        machine.fault(f"wire: {kind}")
        if kind in {"timeout after", "reset after", "truncated"}:
            return self._spoilt(kind, request, self._passed(request))
        if kind in {"empty page", "page loop"}:
            return self._paged(kind, request)
        return self._instead(kind, request)

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────────

    def _instead(self, kind: str, request: httpx.Request) -> httpx.Response:
        """Answer for the server, or break off before it acted."""
        machine = self.machine
        if kind == "timeout before":
            machine.sleep(TIMEOUT)
            raise httpx.ReadTimeout("timed out", request=request)
        if kind == "reset before":
            raise httpx.ReadError("connection reset", request=request)
        if kind == "refused":
            raise httpx.ConnectError("connection refused", request=request)
        soon = machine.dice.choice((1, 5, 40, 600, 100_000))
        when = format_datetime(machine.now() + timedelta(seconds=soon), usegmt=True)
        plain = {"500": "", "502 html": "Proxy Error", "503": "Unavailable", "200 html": "Sign in"}
        if kind in plain:
            body = HTML.format(plain[kind]) if plain[kind] else ""
            return self._made(int(kind[:3]), body, "text/html")
        if kind.startswith("429"):
            return self._made(429, headers={"Retry-After": when if kind.endswith("date") else str(soon)})
        if kind == "200 error" and request.method == "GET":
            return self._made(200, self._envelope())
        machine.sleep(machine.dice.uniform(5, 25))
        return self._passed(request)

    def _envelope(self) -> str:
        if self.line.system == "sap_b1":
            return '{"error":{"code":"-5002","message":"Internal error (-5002) occurred"}}'
        entry = {"externalCode": None, "type": "TECHNICAL", "code": "UNEXPECTED_ERROR", "message": "x", "info": None}
        return json.dumps({"requestId": "x", "hasErrors": True, "errors": [entry]})

    def _spoilt(self, kind: str, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if kind == "timeout after":
            self.machine.sleep(TIMEOUT)
            raise httpx.ReadTimeout("timed out", request=request)
        if kind == "reset after":
            raise httpx.ReadError("connection reset", request=request)
        headers = {k: v for k, v in response.headers.items() if k.lower() not in {"content-length", "set-cookie"}}
        return httpx.Response(
            response.status_code, headers=headers, content=response.content[: len(response.content) // 2]
        )

    def _paged(self, kind: str, request: httpx.Request) -> httpx.Response:
        """Spoil a page in the middle of a list; where there is none, the answer is whole."""
        response = self._passed(request)
        if self.line.system != "sap_b1" or request.method != "GET" or b"nextLink" not in response.content:
            return response
        body = response.json()
        link = next(name for name in body if name.endswith("nextLink"))
        if kind == "empty page":
            body["value"] = []
        else:
            skip = request.url.params.get("$skip", "0")
            body[link] = f"PurchaseOrders?$skip={skip}"
        return self._made(200, json.dumps(body))

    def _acted_late(self, request: httpx.Request) -> httpx.Response:
        """Break off now; the server acts afterwards, up to the settle time, also after a first look-up."""
        machine = self.machine
        hang = machine.dice.choice((0.0, TIMEOUT))
        edge = machine.hit(0.3)
        after = machine.dice.uniform(SETTLE - 60, SETTLE - 1) if edge else machine.dice.uniform(0, SETTLE - 1)
        machine.fault("wire: acted late")
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())

        def act() -> None:
            status = self._passed(copy).status_code
            machine.note(f"{self.line.tenant} acts late: {copy.url.path} -> {status}")

        self._later(hang + after, f"late {request.url.path}", act)
        machine.sleep(hang)
        if hang:
            raise httpx.ReadTimeout("timed out", request=request)
        return self._made(504, HTML.format("Gateway Timeout"), "text/html")

    # ── the server ──────────────────────────────────────────────────────────────────────────────────────────

    def _passed(self, request: httpx.Request) -> httpx.Response:
        login = request.url.path.endswith(("/Login", "/v1/tokens"))
        who = self._who(request) if login else ""
        if login and who in self.line.refused:
            self.line.relogins += 1
            self.machine.note(f"{self.line.tenant} {self.line.system}: LOGIN AGAIN after a refusal")
        try:
            response = self._inner.handle_request(request)
            response.read()
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        if login and response.status_code == 401:
            self.line.refused.add(who)
        if request.method == "POST" and request.url.path.endswith(POSTS[:2]):
            number = str(json.loads(request.read()).get("NumAtCard"))
            self.line.posts[number] = self.line.posts.get(number, 0) + 1
        return response

    def _who(self, request: httpx.Request) -> str:
        secret = request.headers.get("authorization", "").encode() + (
            request.read() if self.line.system == "sap_b1" else b""
        )
        return hashlib.blake2b(secret, digest_size=8).hexdigest()

    def _made(
        self, status: int, body: str = "", kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": kind, **(headers or {})}, content=body.encode())
