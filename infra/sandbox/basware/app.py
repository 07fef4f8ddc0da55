"""The WSGI application: routing, request ids, login, faults, log."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING
from uuid import UUID

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from ..kit.faults import Dropped
from . import faults, routes, tokens
from .call import Call
from .errors import Refused, bad_parameter
from .model import LoggedRequest
from .routes import Endpoint
from .scopes import needed
from .world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "X-BW-REQUEST-ID"


def create_app(world: World) -> WSGIApplication:
    """Return the application over `world`; several may share one world."""
    table = routes.build_map()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = None
        try:
            rule, args = table.bind_to_environ(environ).match(return_rule=True)
        except HTTPException as error:
            response = _finish(world, request, Response(status=error.code or 404), "no such address")
            return response(environ, start_response)
        with world.lock:
            call = Call(world, request, world.new_id(), rule.rule, dict(args))
        return _handle(call, rule.endpoint)(environ, start_response)

    return app


def _handle(call: Call, endpoint: Endpoint) -> Response:
    """Answer one request, faults included, and log it."""
    reason = ""
    try:
        _enter(call, endpoint)
        response = faults.before(call) or _act(call, endpoint)
    except Refused as refusal:
        reason = refusal.reason
        body = refusal.payload(call.request_id)
        response = Response(body, refusal.status, content_type="application/json" if body else None)
    except Dropped:
        _log(call.world, call.request, 0, "dropped")
        raise
    response = _finish(call.world, call.request, response, reason, call.request_id)
    return faults.after(call, response)


def _enter(call: Call, endpoint: Endpoint) -> None:
    """Count the request, bring the world up to date, check the request id, pick the fault."""
    world, method = call.world, call.request.method
    with world.lock:
        world.settle()
        if endpoint.kind == routes.CONTROL:
            return
        world.calls[f"{method} {call.route}"] += 1
        call.fault = faults.take(world, method, call.request.path)
        if endpoint.kind in (routes.API, routes.LOGIN) and world.require_request_id:
            _check_request_id(call)


def _check_request_id(call: Call) -> None:
    """Refuse a request without a fresh UUID version 4; storage links are another server and need none."""
    given = call.request.headers.get(REQUEST_ID, "")
    try:
        parsed = UUID(given)
    except ValueError as error:
        raise bad_parameter(f"{REQUEST_ID} must be a UUID version 4") from error
    if parsed.version != 4 or str(parsed) != given.lower():
        raise bad_parameter(f"{REQUEST_ID} must be a UUID version 4")
    if str(parsed) in call.world.seen_request_ids:
        raise bad_parameter(f"{REQUEST_ID} was used before")
    call.world.seen_request_ids.add(str(parsed))


def _act(call: Call, endpoint: Endpoint) -> Response:
    """Check the login and run the handler under the world's lock."""
    with call.world.lock:
        if endpoint.kind == routes.API:
            tokens.check(call, needed(endpoint.api, call.request.method))
        if endpoint.kind == routes.CONTROL and not call.world.control:
            raise Refused(403, "the control routes are switched off")
    with nullcontext() if endpoint.locks_itself else call.world.lock:
        # The key of a generic list stays in `args`: the handlers of master data share one signature.
        return endpoint.handler(call, **{name: value for name, value in call.args.items() if name != "list_key"})


def _finish(world: World, request: Request, response: Response, reason: str, request_id: str = "") -> Response:
    if not isinstance(response, faults.Stranger):
        response.headers["x-amzn-RequestId"] = request_id or world.new_id()
    _log(world, request, response.status_code, reason)
    return response


def _log(world: World, request: Request, status: int, reason: str) -> None:
    if request.path.startswith("/_sandbox"):
        return
    query = request.query_string.decode("latin-1")
    entry = LoggedRequest(
        request.method, request.path, query, dict(request.headers), request.get_data(), status, reason
    )
    with world.lock:
        world.log.append(entry)
