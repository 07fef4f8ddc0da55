"""The WSGI application: faults, sessions, routing of one call (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from . import control, damage
from .call import Call
from .dialect import Dialect
from .errors import Refusal, rule_broken
from .faults import AFTER, BEFORE
from .resources import admin_info, login, logout, serve_entity
from .world import LoggedCall, World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_PATH = re.compile(r"/b1s/(v1|v2)/(.+)")
# The request line that the Apache in front accepts is about this long (inferred).
LONGEST_QUERY = 8000


class ServiceLayer:
    """The simulated server over one world; safe to serve from several threads, one call acts at a time."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, or break its connection."""
        request = Request(environ)
        # Read first: an unread body would be taken for the next request of a kept connection.
        body = request.get_data()
        try:
            response = self._respond(request, body)
        except damage.Dropped:
            _break_connection(environ)
            raise ConnectionResetError("the sandbox broke the connection") from None
        if "werkzeug.socket" not in environ:
            # The real server writes its own Date; two of them would be unreadable.
            response.headers["Date"] = http_date(self.world.clock())
        return response(environ, start_response)

    def _respond(self, request: Request, body: bytes) -> Response:
        if request.path.startswith("/_sandbox/"):
            with self.world.lock:
                return control.answer(self.world, request, body)
        match = _PATH.fullmatch(request.path)
        if match is None:
            return damage.html(404, "Not Found")
        if request.headers.get("Expect", "").lower() == "100-continue":
            return Response(b"", 500)
        if len(request.query_string) > LONGEST_QUERY:
            return damage.html(414, "Request-URI Too Long")
        dialect = Dialect(match.group(1), request.host_url, self.world.flat_errors_on_v1)
        return self._logged(Call(request, body, match.group(2), dialect))

    def _logged(self, call: Call) -> Response:
        status = 0
        try:
            response = self._with_faults(call)
            status = response.status_code
        finally:
            secret = call.name.lower() == "login"
            entry = LoggedCall(
                call.method, call.path, call.query, b"" if secret else call.body, status, self.world.clock()
            )
            with self.world.lock:
                self.world.log.append(entry)
        return response

    def _with_faults(self, call: Call) -> Response:
        world = self.world
        with world.lock:
            for write in world.faults.due(world.clock()):
                write()
            world.calls[f"{call.method} {call.label}"] += 1
            fault = world.faults.next(call.method, f"{call.path}?{call.query}")
        if fault is not None and fault.kind == "hang":
            world.sleep(fault.seconds)
        with world.lock:
            if fault is not None and fault.kind == "late" and call.session in world.sessions.open:
                return damage.later(world, fault, lambda: self._quietly(call))
            if fault is not None and fault.kind in BEFORE:
                return damage.instead(fault, call)
            response = self._serve(call)
            return damage.damaged(fault, call, response) if fault and fault.kind in AFTER else response

    def _quietly(self, call: Call) -> None:
        with suppress(Refusal, ArithmeticError):
            self._route(call)

    def _serve(self, call: Call) -> Response:
        try:
            if call.label == "Login":
                return login(self.world, call)
            self.world.sessions.touch(call.session)
            return self._route(call)
        except Refusal as refusal:
            return call.dialect.refusal(refusal)
        except ArithmeticError:
            # Numbers that each fit, but whose product does not.
            return call.dialect.refusal(rule_broken("Value too long in an amount"))

    def _route(self, call: Call) -> Response:
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


def _break_connection(environ: WSGIEnvironment) -> None:
    """Close the socket under a real server; without it the client would wait for an answer."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def create_app(world: World) -> ServiceLayer:
    """The WSGI application that serves `world` at /b1s/v1, /b1s/v2 and /_sandbox."""
    return ServiceLayer(world)
