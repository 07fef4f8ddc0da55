"""A simulated server as a WSGI application: control routes, faults, one call at a time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from . import codec
from .faults import Dropped, Fault, Faults, cut

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class World(Protocol):
    """What a server needs of the company that it serves."""

    lock: threading.RLock
    faults: Faults
    calls: Counter[str]

    @property
    def clock(self) -> Callable[[], datetime]:
        """Tells the time, aware, in UTC."""

    @property
    def sleep(self) -> Callable[[float], None]:
        """Waits so many seconds."""


class Call(Protocol):
    """One call, taken apart."""

    method: str
    path: str
    query: str

    @property
    def label(self) -> str:
        """What is called, without its key, as `World.calls` counts it."""


W = TypeVar("W", bound=World)
C = TypeVar("C", bound=Call)


class Server(Generic[W, C]):
    """A server over one world; safe to serve from several threads, one call acts at a time."""

    refusals: tuple[type[Exception], ...] = ()
    """What `route` raises where it answers with an error."""

    def __init__(self, world: W) -> None:
        self.world = world

    # ── what is the vendor's ────────────────────────────────────────────────────────────────────────────────

    def control(self, request: Request, body: bytes) -> Response:
        """Answer a control call, under the lock."""
        raise NotImplementedError

    def enter(self, request: Request, body: bytes) -> Response:
        """Answer what came in: take it apart, and have it `acted` on."""
        raise NotImplementedError

    def route(self, call: C) -> Response:
        """Act on a call; raises one of `refusals`."""
        raise NotImplementedError

    def refused(self, call: C, error: Exception) -> Response:
        """Word a refusal."""
        raise NotImplementedError

    def front(self, status: int, fault: Fault) -> Response:
        """Give the page of whatever stands in front: 502, 503, 504, or a login page under 200."""
        raise NotImplementedError

    def instead(self, call: C, fault: Fault) -> Response:
        """Answer a call that was never acted on, for the kinds that the kit does not know: "500", "401" ..."""
        raise NotImplementedError

    def spoil(self, call: C, kind: str, body: dict[str, Any]) -> None:
        """Spoil the links or the rows of a page: "page-loop", "wrong-host" ..."""
        raise NotImplementedError

    def reshaped(self, call: C, kind: str, response: Response) -> bool:  # noqa: ARG002 - for bodies that are no JSON
        """Spoil an answer that the kit cannot take apart; False where it can."""
        return False

    def serve(self, call: C) -> Response:
        """Answer a call with all that stands before its route."""
        return self.route(call)

    def may_be_late(self, call: C) -> bool:  # noqa: ARG002 - for those that refuse first
        """Whether a call that is applied later would get as far as that."""
        return True

    # ── what is everybody's ─────────────────────────────────────────────────────────────────────────────────

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, or break its connection."""
        request = Request(environ)
        # Read first: an unread body would be taken for the next request of a kept connection.
        body = request.get_data()
        try:
            response = self._respond(request, body)
        except Dropped:
            cut(environ)
            raise ConnectionResetError("the sandbox broke the connection") from None
        if "werkzeug.socket" not in environ:
            # The real server writes its own Date; two of them would be unreadable.
            response.headers["Date"] = http_date(self.world.clock())
        return response(environ, start_response)

    def _respond(self, request: Request, body: bytes) -> Response:
        if request.path.startswith("/_sandbox/"):
            with self.world.lock:
                return self.control(request, body)
        return self.enter(request, body)

    def acted(self, call: C) -> Response:
        """Count a call and act on it, as the fault that hits it says."""
        world = self.world
        with world.lock:
            for write in world.faults.due(world.clock()):
                write()
            world.calls[f"{call.method} {call.label}"] += 1
            fault = world.faults.next(call.method, f"{call.path}?{call.query}")
        if fault is not None and fault.kind == "hang":
            world.sleep(fault.seconds)
        with world.lock:
            if fault is not None and fault.kind == "late" and self.may_be_late(call):
                at = world.clock() + timedelta(seconds=fault.seconds)
                world.faults.waiting.append((at, lambda: self._quietly(call)))
                return self.front(504, fault)
            if fault is not None and fault.kind in world.faults.before:
                return self._instead(call, fault)
            response = self._served(call)
            spoilt = fault is not None and fault.kind in world.faults.after
            return self._damaged(call, fault, response) if fault and spoilt else response

    def _quietly(self, call: C) -> None:
        with suppress(*self.refusals):
            self.route(call)

    def _served(self, call: C) -> Response:
        try:
            return self.serve(call)
        except self.refusals as error:
            return self.refused(call, error)

    def _instead(self, call: C, fault: Fault) -> Response:
        if fault.kind == "drop-before":
            raise Dropped
        if fault.kind == "gateway-404":
            return Response("404 page not found", 404, content_type="text/plain")
        if fault.kind in ("502", "503", "504", "200-html"):
            return self.front(int(fault.kind[:3]), fault)
        return self.instead(call, fault)

    def _damaged(self, call: C, fault: Fault, response: Response) -> Response:
        if fault.kind == "drop":
            raise Dropped
        data = response.get_data()
        if fault.kind == "truncated":
            response.set_data(data[: len(data) // 2])
            return response
        if self.reshaped(call, fault.kind, response):
            return response
        body = codec.decode(data) if data and response.mimetype == "application/json" else {}
        if isinstance(body, dict) and "value" in body:
            if fault.kind == "empty-page":
                body["value"] = []
            else:
                self.spoil(call, fault.kind, body)
            response.set_data(codec.encode(body))
        return response
