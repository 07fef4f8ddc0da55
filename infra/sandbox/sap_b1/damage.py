"""What a fault makes of a call: another answer, a damaged one, or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.wrappers import Response

from .call import Call
from .dialect import decode, encode
from .errors import SESSION_TEXT, Refusal
from .faults import Fault
from .world import World

_REASONS = {"502": "Proxy Error", "503": "Service Unavailable", "504": "Gateway Timeout"}


class Dropped(Exception):
    """The connection is to be broken without an answer."""


def html(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    """A page as the Apache in front of the workers writes it."""
    page = f"<!DOCTYPE HTML><html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(page, status, headers=headers, content_type="text/html; charset=iso-8859-1")


def instead(fault: Fault, call: Call) -> Response:
    """The answer of a call that the server never acted on."""
    if fault.kind in _REASONS:
        return html(int(fault.kind), _REASONS[fault.kind], fault.headers)
    if fault.kind == "401":
        return call.dialect.refusal(Refusal(401, 301, SESSION_TEXT))
    if fault.kind == "gateway-404":
        return Response("404 page not found", 404, content_type="text/plain")
    if fault.kind == "200-html":
        return html(200, "Sign in", fault.headers)
    if fault.kind == "200-error":
        response = call.dialect.refusal(Refusal(400, -5002, "Internal error (-5002) occurred"))
        response.status_code = 200
        return response
    if fault.kind == "drop-before":
        raise Dropped
    return Response(b"", 500, headers=fault.headers)


def later(world: World, fault: Fault, write: Callable[[], object]) -> Response:
    """Answer 504 now; the write is applied by the first request after `seconds`."""
    world.faults.waiting.append((world.clock() + timedelta(seconds=fault.seconds), write))
    return html(504, _REASONS["504"], fault.headers)


def damaged(fault: Fault, call: Call, response: Response) -> Response:
    """The answer of a call that the server acted on, spoilt on its way."""
    if fault.kind == "drop":
        raise Dropped
    data = response.get_data()
    if fault.kind == "truncated":
        response.set_data(data[: len(data) // 2])
        return response
    body = decode(data) if data else {}
    if isinstance(body, dict) and "value" in body:
        _spoil_page(fault.kind, call, body)
        response.set_data(encode(body))
    return response


def _spoil_page(kind: str, call: Call, body: dict[str, Any]) -> None:
    link = call.dialect.mark + "nextLink"
    if kind == "empty-page":
        body["value"] = []
    elif kind == "page-loop":
        body[link] = f"/b1s/{call.dialect.version}/{call.name}?$skip={call.args.get('$skip', '0')}"
    elif link in body:
        body[link] = f"https://elsewhere.invalid/b1s/{call.dialect.version}/{call.name}?{body[link].split('?')[-1]}"
