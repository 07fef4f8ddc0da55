"""Misbehaviour on demand, for tests of a client.

A rule (`model.Fault`) matches requests by `method` and `path` (regular expressions over the whole text; the path
without its query) and is used up after `times` requests, the first `skip` matches being let through. Kinds:

- `status`: answer `status` without acting; 500 and 502 with an HTML body, 429 and 503 with `retry_after`, if given
- `gateway`: 404 in text, as something in front of the API answers, without acting and without a request id
- `html`: 200 with an HTML login page, without acting
- `error_envelope`: 200 with the API's error body, without acting
- `truncated`: act, then send half of the body and cut the connection
- `drop`: cut the connection without acting; `act_then_drop`: act, then cut it without an answer
- `hang`: wait `seconds` (through `world.sleep`), then act
- `empty_page`: a list without records, its continuation token as it was; `page_loop`: the token leads to this page
  again (both on the list's own address, also where it redirects)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from ..kit.faults import Dropped, cut
from .call import Call, answer
from .model import Fault
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

KINDS = (
    "status",
    "gateway",
    "html",
    "error_envelope",
    "truncated",
    "drop",
    "act_then_drop",
    "hang",
    "empty_page",
    "page_loop",
)
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class Stranger(Response):
    """The answer of something in front: Basware does not put its request id on it."""


def take(world: World, method: str, path: str) -> Fault | None:
    """Return the first rule that applies to this request and use it up by one."""
    for rule in world.faults:
        if rule.times and re.fullmatch(rule.method, method) and re.fullmatch(rule.path, path):
            if rule.skip:
                rule.skip -= 1
            else:
                rule.times -= 1
                return rule
    return None


def before(call: Call) -> Response | None:
    """Return the answer of a fault that keeps the request from being acted on, None to go on."""
    fault = call.fault
    if fault is None:
        return None
    if fault.kind == "drop":
        _drop(call.request.environ)
    if fault.kind == "hang":
        call.world.sleep(fault.seconds)
    if fault.kind == "gateway":
        return Stranger("404 page not found", 404, content_type="text/plain")
    if fault.kind == "html":
        return Response(_HTML.format("Sign in"), content_type="text/html")
    if fault.kind == "error_envelope":
        entry = {"externalCode": None, "type": "TECHNICAL", "code": "UNEXPECTED_ERROR", "message": "x", "info": None}
        return answer({"requestId": call.request_id, "hasErrors": True, "errors": [entry]})
    return _status(fault) if fault.kind == "status" else None


def _status(fault: Fault) -> Response:
    if fault.status in (500, 502):
        return Response(_HTML.format(fault.status), fault.status, content_type="text/html")
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return Response(status=fault.status, headers=headers)


def after(call: Call, response: Response) -> Response:
    """Spoil the answer of a request that was acted on."""
    kind = call.fault.kind if call.fault else None
    if kind == "act_then_drop":
        _drop(call.request.environ)
    if kind == "truncated":
        body = response.get_data()
        response.response = _half(body, call.request.environ)
        response.headers["Content-Length"] = str(len(body))
    return response


def _half(body: bytes, environ: WSGIEnvironment) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    _drop(environ)


def _drop(environ: WSGIEnvironment) -> None:
    cut(environ)
    raise Dropped("cut by a sandbox fault")
