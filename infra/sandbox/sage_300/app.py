"""The WSGI application: faults, the rules for every request, routing (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from . import control, damage
from .call import PATH, Call
from .errors import Refusal, resource_not_found, too_many
from .faults import AFTER, BEFORE
from .fields import MODULES
from .resources import serve
from .world import LoggedCall, World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LONGEST_QUERY = 2048
"""IIS refuses a longer query string by default (maxQueryString)."""


class WebApi:
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
        parts = PATH.fullmatch(request.path)
        if self.world.windows_login:
            return damage.windows_login()
        if parts is None:
            return damage.html(404, "File or directory not found.")
        if len(request.query_string) > LONGEST_QUERY:
            return damage.html(404, "Not Found")
        return self._counted(Call(request, body, parts.groupdict()))

    def _counted(self, call: Call) -> Response:
        """Count the requests under way: more than the limit at once is 429, whoever they come from."""
        world, status = self.world, 0
        with world.lock:
            world.at_once += 1
            crowded = world.at_once > world.most_at_once
        try:
            response = damage.refused(too_many()) if crowded else self._with_faults(call)
            status = response.status_code
        finally:
            with world.lock:
                world.at_once -= 1
                user = (call.credentials() or ("", ""))[0]
                world.log.append(LoggedCall(call.method, call.path, call.query, user, call.body, status, world.clock()))
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
            if fault is not None and fault.kind == "late":
                return damage.later(world, fault, lambda: self._quietly(call))
            if fault is not None and fault.kind in BEFORE:
                return damage.instead(fault)
            response = self._serve(call)
            return damage.damaged(world, fault, call, response) if fault and fault.kind in AFTER else response

    def _quietly(self, call: Call) -> None:
        with suppress(Refusal):
            self._route(call)

    def _serve(self, call: Call) -> Response:
        try:
            return self._route(call)
        except Refusal as refusal:
            return damage.refused(refusal)

    def _route(self, call: Call) -> Response:
        world = self.world
        if not call.headers.get("Content-Type", "").lower().startswith("application/json"):
            # The most surprising rule: also a GET needs it. Another type is treated like none (inferred).
            raise Refusal(500, "InternalServerError", "An unhandled exception has occurred")
        user = world.users.check(call.credentials(), call.module)
        if call.company != world.company:
            raise Refusal(500, "SessionError", f"A session with company '{call.company}' cannot be opened")
        if call.module not in MODULES:
            raise resource_not_found(call.label)
        response = serve(world, call)
        if "ASP.NET_SessionId" not in call.headers.get("Cookie", ""):
            # A client may send it back; it opens nothing by itself.
            response.headers["Set-Cookie"] = (
                f"ASP.NET_SessionId={user}{world.rng.getrandbits(64):016x}; path=/; HttpOnly"
            )
        return response


def _break_connection(environ: WSGIEnvironment) -> None:
    """Close the socket under a real server; without it the client would wait for an answer."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def create_app(world: World) -> WebApi:
    """The WSGI application that serves `world` at /Sage300WebApi/v1.0/-, /v1.0/- and /_sandbox."""
    return WebApi(world)
