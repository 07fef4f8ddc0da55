"""The WSGI application: the rules for every request, routing, and how its answers are spoilt.

See `docs/vendors/sage_300.md`. Besides what every sandbox knows there are the faults "429" (TooManyRequests, without
Retry-After), "session" (SessionError) and "repeated-page" (the rows of the page before once more).
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit.app import Server
from ..kit.faults import Fault
from . import control
from .call import PATH, Call
from .codec import reply, shown
from .errors import Refusal, resource_not_found, too_many, unauthorized
from .fields import MODULES
from .query import parse_query
from .resources import next_link, serve
from .world import LoggedCall, World

LONGEST_QUERY = 2048
"""IIS refuses a longer query string by default (maxQueryString)."""
_TITLES = {200: "Sage 300 Sign In", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class WebApi(Server[World, Call]):
    """The simulated server over one world."""

    refusals = (Refusal,)

    def control(self, request: Request, body: bytes) -> Response:
        """Answer a control call."""
        return control.answer(self.world, request, body)

    def enter(self, request: Request, body: bytes) -> Response:
        """Answer what IIS lets through, and log it."""
        parts = PATH.fullmatch(request.path)
        if self.world.windows_login:
            title = "Unauthorized: Access is denied due to invalid credentials."
            return _html(401, title, {"WWW-Authenticate": "Negotiate, NTLM", "Server": "Microsoft-IIS/10.0"})
        if parts is None:
            return _html(404, "File or directory not found.")
        if len(request.query_string) > LONGEST_QUERY:
            return _html(404, "Not Found")
        return self._counted(Call(request, body, parts.groupdict()))

    def _counted(self, call: Call) -> Response:
        """Count the requests under way: more than the limit at once is 429, whoever they come from."""
        world, status = self.world, 0
        with world.lock:
            world.at_once += 1
            crowded = world.at_once > world.most_at_once
        try:
            response = self.refused(call, too_many()) if crowded else self.acted(call)
            status = response.status_code
        finally:
            with world.lock:
                world.at_once -= 1
                user = (call.credentials() or ("", ""))[0]
                world.log.append(LoggedCall(call.method, call.path, call.query, user, call.body, status, world.clock()))
        return response

    def route(self, call: Call) -> Response:
        """Act on a call, if it may be acted on at all."""
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

    def refused(self, call: Call, error: Exception) -> Response:  # noqa: ARG002 - all are answered alike
        """Word a refusal: the error envelope."""
        assert isinstance(error, Refusal)
        return reply(error.body(), error.status)

    def front(self, status: int, fault: Fault) -> Response:
        """Give the page of IIS or of the proxy in front of it."""
        return _html(status, _TITLES[status], fault.headers)

    def instead(self, call: Call, fault: Fault) -> Response:
        """Answer without acting."""
        broken = Refusal(500, "InternalServerError", "An unhandled exception has occurred")
        kinds = {"401": unauthorized(), "429": too_many()}
        kinds["session"] = Refusal(500, "SessionError", "A session with Sage 300 cannot be opened")
        response = self.refused(call, kinds.get(fault.kind, broken))
        if fault.kind == "200-error":
            response.status_code = 200
        response.headers.extend(fault.headers)
        return response

    def spoil(self, call: Call, kind: str, body: dict[str, Any]) -> None:
        """Lead the next link back to this page or to another host, or give the page before once more."""
        link = f"{self.world.annotations}nextLink"
        skip = int(dict(call.options).get("$skip", "0"))
        if kind == "page-loop":
            body[link] = next_link(self.world, call, skip)
        elif kind == "repeated-page":
            body["value"] = self._page_before(call, skip, len(body["value"]))
        elif link in body:
            body[link] = f"https://elsewhere.invalid/Sage300WebApi{body[link].partition('Sage300WebApi')[2]}"

    def _page_before(self, call: Call, skip: int, size: int) -> list[dict[str, Any]]:
        resource, world = call.resource, self.world
        if resource is None:
            return []
        query = parse_query(call.options, resource.type, world.grammar)
        rows = [row for row in world.rows(resource.name) if query.matches(row)]
        start = max(0, skip - world.page_size)
        return [shown(resource.type, row, world.date_tail, query.select) for row in rows[start : start + size]]


def _html(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    page = f"<!DOCTYPE html><html><head><title>{status} - {title}</title></head><body><h2>{title}</h2></body></html>"
    return Response(page, status, headers=headers, content_type="text/html; charset=us-ascii")


def create_app(world: World) -> WebApi:
    """The WSGI application that serves `world` at /Sage300WebApi/v1.0/-, /v1.0/- and /_sandbox."""
    return WebApi(world)
