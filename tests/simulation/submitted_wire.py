"""The wire to one of the simulated servers of `submitted.py`, which breaks as the seed has it."""

from __future__ import annotations

from typing import Any

import httpx

from tests.simulation.machine import Machine

SETTLE, TIMEOUT = 900, 30
KINDS = ("timeout before", "timeout after", "reset before", "reset after", "500", "502", "acted late")


class SimWire(httpx.BaseTransport):
    """The network to one server; `writes` are the requests that changed something there."""

    def __init__(self, machine: Machine, app: Any, name: str) -> None:
        self.machine, self.name = machine, name
        self.server = httpx.WSGITransport(app=app)
        self.writes: list[str] = []
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        machine = self.machine
        request.read()
        self.requests += 1
        machine.touch("before request")
        response = self._weathered(request)
        machine.note(f"{request.method} {self.name}{request.url.path} -> {response.status_code}")
        machine.touch("after request")
        return response

    def _weathered(self, request: httpx.Request) -> httpx.Response:
        machine = self.machine
        if not machine.stack or not machine.hit(machine.weather.wire):
            return self._served(request)
        kind = machine.dice.choice(KINDS)
        machine.fault(f"wire: {kind}")
        if kind == "acted late":
            return self._late(request)
        if kind.endswith("after"):
            self._served(request)
        if kind.startswith("timeout"):
            machine.sleep(TIMEOUT)
            raise httpx.ReadTimeout("timed out", request=request)
        if kind.startswith("reset"):
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(int(kind), html="<html><body>Bad Gateway</body></html>")

    def _late(self, request: httpx.Request) -> httpx.Response:
        """Answer 504 now and carry it out later, within the time that an outcome counts as open."""
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        if request.method != "GET":
            self.machine.later(self.machine.dice.uniform(1, SETTLE - 60), lambda: self._noted(copy))
        return httpx.Response(504, html="<html><body>Gateway Timeout</body></html>")

    def _noted(self, request: httpx.Request) -> None:
        status = self._served(request).status_code
        self.machine.note(f"acts late: {request.method} {self.name}{request.url.path} -> {status}")

    def _served(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" and not request.url.path.endswith("/token"):
            self.writes.append(f"{request.method} {self.name}{request.url.path}")
        answer = self.server.handle_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())
