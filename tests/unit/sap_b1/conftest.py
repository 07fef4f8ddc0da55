"""A Service Layer of a few lines: a test says what each request is answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_connector.context import AdapterContext, TenantSettings
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Sessions
from ml_connector.systems.sap_b1 import Settings, connect
from tests.clock import Clock

Answer = Callable[[httpx.Request], httpx.Response]
BASE = "https://sl.example:50000/b1s/v2"


class Server:
    """Answers logins by itself and everything else by `answer`; keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.cookies: list[str] = []
        self.logins = 0
        self.answer: Answer = lambda _: httpx.Response(200, json={"value": []})
        self.login: Answer = self.welcome

    def welcome(self, _: httpx.Request) -> httpx.Response:
        self.logins += 1
        cookies = [
            ("set-cookie", f"B1SESSION=s{self.logins};HttpOnly;"),
            ("set-cookie", "ROUTEID=.node1; path=/b1s; Secure"),
        ]
        body = {"SessionId": f"s{self.logins}", "Version": "1000280", "SessionTimeout": 30}
        return httpx.Response(200, json=body, headers=cookies)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/Login"):
            assert request.headers.get("cookie") is None
            return self.login(request)
        self.requests.append(request)
        self.cookies.append(request.headers["cookie"])  # a replay is the same request, signed again
        return self.answer(request)

    def script(self, *answers: httpx.Response | Answer) -> None:
        """Answer one after the other, the last one for ever."""
        left = list(answers)

        def answer(request: httpx.Request) -> httpx.Response:
            one = left.pop(0) if len(left) > 1 else left[0]
            return one(request) if callable(one) else one

        self.answer = answer

    def options(self) -> list[dict[str, str]]:
        """The query options of each request."""
        return [dict(request.url.params) for request in self.requests]


class Bench:
    """A tenant's connection to that server."""

    def __init__(self, base: str, settings: dict[str, Any], options: dict[str, Any]) -> None:
        self.server, self.clock = Server(), Clock(datetime(2026, 2, 10, 9, 30, tzinfo=UTC))
        store = SqliteStore(clock=self.clock)
        self.settings = Settings.model_validate(
            {"service_layer_url": base, "company_db": "SBO", "user_name": "manager", "password": "geheim-1", **settings}
        )
        breaker = Breaker(store, self.clock, tenant="acme", system="sap_b1", version="1", boot="b", sole=True)
        sessions = Sessions(store, MemoryVault(), self.clock, breaker, name="acme#sap_b1", version="1", boot="b")
        self.context = AdapterContext(
            tenant="acme",
            integration="sap_b1-basware",
            clock=self.clock,
            rng=SeededRandom(1),
            sessions=sessions,
            options=TenantSettings.model_validate(options),
            transport=httpx.MockTransport(self.server),
        )
        self.connection = connect(self.settings, self.context)
        self.layer = self.connection.layer


@pytest.fixture
def make() -> Callable[..., Bench]:
    def maker(base: str = BASE, options: dict[str, Any] | None = None, **settings: Any) -> Bench:
        return Bench(base, settings, options or {})

    return maker


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


@pytest.fixture
def fault() -> Callable[..., httpx.Response]:
    """A refusal in the nested (v1) or the flat (v2) envelope."""

    def maker(status: int, code: int, text: str, *, flat: bool = True) -> httpx.Response:
        error: dict[str, Any] = {"code": code, "message": {"lang": "en-us", "value": text}}
        if flat:
            error = {"code": str(code), "message": text}
        return httpx.Response(status, content=json.dumps({"error": error}))

    return maker
