"""The WSGI application: sessions, routing of one call, and how its answers are spoilt (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit.app import Server
from ..kit.faults import Fault
from . import control
from .call import Call
from .dialect import Dialect
from .errors import SESSION_TEXT, Refusal, rule_broken
from .resources import admin_info, login, logout, serve_entity
from .world import LoggedCall, World

_PATH = re.compile(r"/b1s/(v1|v2)/(.+)")
# The request line that the Apache in front accepts is about this long (inferred).
LONGEST_QUERY = 8000
_TITLES = {200: "Sign in", 502: "Proxy Error", 503: "Service Unavailable", 504: "Gateway Timeout"}


class ServiceLayer(Server[World, Call]):
    """The simulated server over one world."""

    refusals = (Refusal, ArithmeticError)

    def control(self, request: Request, body: bytes) -> Response:
        """Answer a control call."""
        return control.answer(self.world, request, body)

    def enter(self, request: Request, body: bytes) -> Response:
        """Answer what Apache lets through, and log it."""
        match = _PATH.fullmatch(request.path)
        if match is None:
            return _html(404, "Not Found")
        if request.headers.get("Expect", "").lower() == "100-continue":
            return Response(b"", 500)
        if len(request.query_string) > LONGEST_QUERY:
            return _html(414, "Request-URI Too Long")
        dialect = Dialect(match.group(1), request.host_url, self.world.flat_errors_on_v1)
        return self._logged(Call(request, body, match.group(2), dialect))

    def _logged(self, call: Call) -> Response:
        status = 0
        try:
            response = self.acted(call)
            status = response.status_code
        finally:
            secret = call.name.lower() == "login"
            entry = LoggedCall(
                call.method, call.path, call.query, b"" if secret else call.body, status, self.world.clock()
            )
            with self.world.lock:
                self.world.log.append(entry)
        return response

    def may_be_late(self, call: Call) -> bool:
        """Whether there is a session that it could be applied in."""
        return call.session in self.world.sessions.open

    def serve(self, call: Call) -> Response:
        """Answer a call: all but Login need a session."""
        if call.label == "Login":
            return login(self.world, call)
        self.world.sessions.touch(call.session)
        return self.route(call)

    def route(self, call: Call) -> Response:
        """Act on a call that has a session."""
        # A path in the wrong case looks like a dead session, whoever asks (`docs/vendors/sap_b1.md`).
        if call.label != "Logout" and call.label.lower() in ("login", "logout"):
            raise self.world.sessions.dead()
        services: dict[str, Callable[[World, Call], Response]] = {
            "Logout": logout,
            "CompanyService_GetAdminInfo": admin_info,
        }
        if call.label in ("$batch", "$metadata"):
            raise Refusal(501, -1000, f"{call.label} is not simulated")
        return services.get(call.label, serve_entity)(self.world, call)

    def refused(self, call: Call, error: Exception) -> Response:
        """Word a refusal; numbers may fit each, and their product may not."""
        known = error if isinstance(error, Refusal) else rule_broken("Value too long in an amount")
        return call.dialect.refusal(known)

    def front(self, status: int, fault: Fault) -> Response:
        """Give the page of the Apache in front of the workers."""
        return _html(status, _TITLES[status], fault.headers)

    def instead(self, call: Call, fault: Fault) -> Response:
        """Answer without acting."""
        if fault.kind == "401":
            return call.dialect.refusal(Refusal(401, 301, SESSION_TEXT))
        if fault.kind == "500":
            return Response(b"", 500, headers=fault.headers)
        response = call.dialect.refusal(Refusal(400, -5002, "Internal error (-5002) occurred"))
        response.status_code = 200
        return response

    def spoil(self, call: Call, kind: str, body: dict[str, Any]) -> None:
        """Lead the next link back to this page, or to another host."""
        link, here = call.dialect.mark + "nextLink", f"/b1s/{call.dialect.version}/{call.name}?"
        if kind == "page-loop":
            body[link] = f"{here}$skip={call.args.get('$skip', '0')}"
        elif link in body:
            body[link] = f"https://elsewhere.invalid{here}{body[link].split('?')[-1]}"


def _html(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    page = f"<!DOCTYPE HTML><html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(page, status, headers=headers, content_type="text/html; charset=iso-8859-1")


def create_app(world: World) -> ServiceLayer:
    """The WSGI application that serves `world` at /b1s/v1, /b1s/v2 and /_sandbox."""
    return ServiceLayer(world)
