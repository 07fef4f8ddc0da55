"""The WSGI application: api1, GraphQL, the regional gateway and SOAP side by side, and how their answers are spoilt.

Besides what every sandbox knows there are the faults "slow-pool" (SOAP: no pool answers), "repeated-page" (the rows
from the beginning once more), "no-next" (a page whose link to the next one is missing) and "diagnoses" (acted, but the
answer carries an error under its 200 or 201).
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit.app import Server
from ..kit.codec import decode, encode
from ..kit.faults import Fault
from . import api1, control, gateway, graphql, soap
from .call import Call, taken_apart
from .errors import Absent, Gateway, Refusal, Schema, Soap, Wrong
from .world import LoggedCall, World

_TITLES = {200: "Sign in", 500: "Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
FAULT = {"$severity": "error", "$dataCode": "InternalServerError", "$message": "", "$source": "Gateway"}


class SageX3(Server[World, Call]):
    """The simulated server over one world."""

    refusals = (Refusal, Absent, Wrong, Gateway, Schema, Soap)

    def control(self, request: Request, body: bytes) -> Response:
        """Answer a control call."""
        return control.answer(self.world, request, body)

    def enter(self, request: Request, body: bytes) -> Response:
        """Take a call apart, act on it and log it."""
        call, world, status = taken_apart(request, body), self.world, 0
        try:
            response = self.acted(call)
            status = response.status_code
        finally:
            with world.lock:
                world.log.append(LoggedCall(call.method, call.path, call.query, status, world.clock()))
        return response

    def route(self, call: Call) -> Response:
        """Act on a call."""
        if call.surface == "sdata":
            self.world.violations.append("/sdata is for people: it takes a user's licence")
        if call.surface in ("api1", "admin"):
            return api1.serve(self.world, call)
        if call.surface == "graphql":
            return graphql.serve(self.world, call)
        if call.surface == "gateway":
            return gateway.serve(self.world, call)
        if call.surface == "soap":
            return soap.serve(self.world, call)
        return _html(404, "Not Found")

    def refused(self, call: Call, error: Exception) -> Response:
        """Word a refusal as its surface does."""
        if isinstance(error, Gateway):
            return gateway.refused(error)
        if isinstance(error, Schema):
            return graphql.refused(error.text)
        if isinstance(error, Soap):
            return soap.refused(self.world, error)
        return api1.refused(self.world, call, error)

    def front(self, status: int, fault: Fault) -> Response:
        """Give the page of whatever stands in front."""
        return _html(status, _TITLES[status], fault.headers)

    def instead(self, call: Call, fault: Fault) -> Response:
        """Answer without acting."""
        if fault.kind == "401":
            response = self.refused(call, self._unknown(call))
        elif fault.kind == "200-error" or (fault.kind == "slow-pool" and call.surface == "soap"):
            response = self._failed(call)
        else:
            response = api1.answer(FAULT, 500)
        response.headers.extend(fault.headers)
        return response

    def _unknown(self, call: Call) -> Exception:
        if call.surface == "gateway":
            return Gateway(401, "Unauthorised")
        number = {"graphql": 50, "soap": 30}.get(call.surface)
        text = f"Error {number}: Invalid token" if number else "Authentication failed"
        return Refusal(401, text, plain=number is not None)

    def _failed(self, call: Call) -> Response:
        if call.surface in ("graphql", "gateway"):
            return graphql.refused("An unexpected error has occurred", 200)
        if call.surface == "soap":
            return soap.refused(self.world, Soap("Web service pool: no channel was free in time"))
        return self.refused(call, Wrong("An unexpected error has occurred"))

    def reshaped(self, call: Call, kind: str, response: Response) -> bool:
        """Spoil a page, or put an error beside what was done."""
        body = decode(response.get_data()) if response.mimetype == "application/json" else None
        if isinstance(body, dict):
            self.spoil(call, kind, body)
            response.set_data(encode(body))
        return True

    def spoil(self, call: Call, kind: str, body: dict[str, Any]) -> None:
        """Spoil the rows of a page or its link."""
        if kind == "diagnoses":
            error = "An unexpected error has occurred"
            body |= {"errors": [{"message": error}]} if "data" in body else api1.diagnoses(error)
        for connection in _connections(body.get("data")):
            _spoil_connection(kind, connection)
        if "$resources" not in body:
            return
        links = body.get("$links", {})
        if kind == "empty-page":
            body["$resources"] = []
        elif kind == "no-next":
            links.pop("$next", None)
        elif kind == "page-loop":
            links["$next"] = {"$url": f"{call.root}{call.path}?{call.query}"}
        elif kind == "repeated-page":
            call.args.pop("key", None)
            body["$resources"] = decode(api1.serve(self.world, call).get_data())["$resources"]
        elif kind == "wrong-host" and "$next" in links:
            links["$next"] = {"$url": f"https://elsewhere.invalid{call.path}?{call.query}"}


def _connections(value: Any) -> list[dict[str, Any]]:
    """The outermost connections in the data of an answer."""
    if not isinstance(value, dict):
        return []
    return [value] if "edges" in value else [found for inner in value.values() for found in _connections(inner)]


def _spoil_connection(kind: str, connection: dict[str, Any]) -> None:
    info = connection.get("pageInfo", {})
    if kind == "empty-page":
        connection["edges"] = []
    elif kind == "no-next":
        info["hasNextPage"] = False
    elif kind == "page-loop" and connection["edges"]:
        info["hasNextPage"] = True
        info["endCursor"] = info.get("startCursor") or info.get("endCursor")


def _html(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h2>{title}</h2></body></html>"
    return Response(page, status, headers=headers, content_type="text/html; charset=utf-8")


def create_app(world: World) -> SageX3:
    """The WSGI application that serves `world` at /api1, /xtrem/api, /v1, /soap-generic and /_sandbox."""
    return SageX3(world)
