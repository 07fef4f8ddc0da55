"""What a fault makes of a call: another answer, a damaged one, or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from .call import Call
from .codec import decode, encode, reply, shown
from .errors import Refusal, too_many, unauthorized
from .faults import Fault
from .query import parse_query
from .resources import next_link
from .world import World

_REASONS = {"502": "Bad Gateway", "503": "Service Unavailable", "504": "Gateway Timeout"}


class Dropped(Exception):
    """The connection is to be broken without an answer."""


def html(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    """A page as IIS or the proxy in front of it writes it."""
    page = f"<!DOCTYPE html><html><head><title>{status} - {title}</title></head><body><h2>{title}</h2></body></html>"
    return Response(page, status, headers=headers, content_type="text/html; charset=us-ascii")


def windows_login() -> Response:
    """How IIS answers itself while Windows authentication is on and anonymous access off."""
    title = "Unauthorized: Access is denied due to invalid credentials."
    return html(401, title, {"WWW-Authenticate": "Negotiate, NTLM", "Server": "Microsoft-IIS/10.0"})


def refused(refusal: Refusal) -> Response:
    """The error envelope."""
    return reply(refusal.body(), refusal.status)


def instead(fault: Fault) -> Response:
    """The answer of a call that the server never acted on."""
    if fault.kind in _REASONS:
        return html(int(fault.kind), _REASONS[fault.kind], fault.headers)
    if fault.kind == "gateway-404":
        return Response("404 page not found", 404, content_type="text/plain")
    if fault.kind == "200-html":
        return html(200, "Sage 300 Sign In", fault.headers)
    if fault.kind == "drop-before":
        raise Dropped
    broken = Refusal(500, "InternalServerError", "An unhandled exception has occurred")
    kinds = {"401": unauthorized(), "429": too_many()}
    kinds["session"] = Refusal(500, "SessionError", "A session with Sage 300 cannot be opened")
    response = refused(kinds.get(fault.kind, broken))
    if fault.kind == "200-error":
        response.status_code = 200
    response.headers.extend(fault.headers)
    return response


def later(world: World, fault: Fault, write: Callable[[], object]) -> Response:
    """Answer 504 now; the write is applied by the first request after `seconds`."""
    world.faults.waiting.append((world.clock() + timedelta(seconds=fault.seconds), write))
    return html(504, _REASONS["504"], fault.headers)


def damaged(world: World, fault: Fault, call: Call, response: Response) -> Response:
    """The answer of a call that the server acted on, spoilt on its way."""
    if fault.kind == "drop":
        raise Dropped
    data = response.get_data()
    if fault.kind == "truncated":
        response.set_data(data[: len(data) // 2])
        return response
    body = decode(data) if data and response.mimetype == "application/json" else {}
    if isinstance(body, dict) and "value" in body:
        _spoil_page(world, fault.kind, call, body)
        response.set_data(encode(body))
    return response


def _spoil_page(world: World, kind: str, call: Call, body: dict[str, Any]) -> None:
    link = f"{world.annotations}nextLink"
    skip = int(dict(call.options).get("$skip", "0"))
    if kind == "empty-page":
        body["value"] = []
    elif kind == "page-loop":
        body[link] = next_link(world, call, skip)
    elif kind == "repeated-page":
        body["value"] = _page_before(world, call, skip, len(body["value"]))
    elif link in body:
        body[link] = f"https://elsewhere.invalid/Sage300WebApi{body[link].partition('Sage300WebApi')[2]}"


def _page_before(world: World, call: Call, skip: int, size: int) -> list[dict[str, Any]]:
    resource = call.resource
    if resource is None:
        return []
    query = parse_query(call.options, resource.type, world.grammar)
    rows = [row for row in world.rows(resource.name) if query.matches(row)]
    start = max(0, skip - world.page_size)
    return [shown(resource.type, row, world.date_tail, query.select) for row in rows[start : start + size]]
