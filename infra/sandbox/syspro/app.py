"""The WSGI application: e.net and OData side by side, and how their answers are spoilt (`docs/vendors/syspro.md`).

Besides what every sandbox knows there are the faults "session" (ERROR, as if the session were gone), "evict" and
"evict-after" (a person logs in as the same operator just before this call, or just after it) and "repeated-page" (the
rows from the beginning once more). "200-error" is an ERROR text, "401" an ERROR of a session for e.net.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit.app import Server
from ..kit.codec import decode, encode
from ..kit.faults import Fault
from . import back_office, control, enet, odata
from .call import ENET, ODATA, Call
from .errors import ODataRefusal, Refusal
from .world import LoggedCall, World

_WHERE = re.compile("<Where>.*</Where>", re.DOTALL)
_TITLES = {200: "Sign in", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


class Syspro(Server[World, Call]):
    """The simulated server over one world."""

    refusals = (Refusal, ODataRefusal)

    def control(self, request: Request, body: bytes) -> Response:
        """Answer a control call."""
        return control.answer(self.world, request, body)

    def enter(self, request: Request, body: bytes) -> Response:  # noqa: ARG002 - everything stands in the address
        """Answer what HTTP.sys and IIS let through, and log it."""
        parts = ENET.fullmatch(request.path) or ODATA.fullmatch(request.path)
        if parts is None:
            return _html(404, "Not Found")
        call = Call(request, parts.groupdict())
        return self._in_front(call, request) or self._logged(call)

    def _in_front(self, call: Call, request: Request) -> Response | None:
        """Refuse what is too long, or goes nowhere, before anything reads it."""
        length = len(request.path) + len(request.query_string)
        whole = length + sum(len(name) + len(value) + 4 for name, value in request.headers)
        refusals = (
            (
                call.odata and len(request.query_string) > self.world.longest_query,
                404,
                "Not Found: query string too long",
            ),
            (length > self.world.longest_address, 414, "Request URL Too Long"),
            (whole > self.world.longest_address, 400, "Bad Request - Request Too Long"),
            (not call.odata and not call.verb, 404, "Endpoint not found."),
            (not call.odata and call.method != "GET", 405, "Method not allowed."),
        )
        return next((_html(status, title) for hit, status, title in refusals if hit), None)

    def _logged(self, call: Call) -> Response:
        """Note a call, and what goes on in one session at the same time."""
        world, status = self.world, 0
        with world.lock:
            session = None if call.odata else world.sessions.peek(call.user_id)
            if session is not None:
                session.under_way += 1
                if session.under_way > 1:
                    world.violations.append(f"{call.label}: {session.under_way} calls at once in one session")
        try:
            response = self.acted(call)
            status = response.status_code
        finally:
            with world.lock:
                if session is not None:
                    session.under_way -= 1
                query = "" if call.verb == "Logon" else call.query
                world.log.append(LoggedCall(call.method, call.path, query, status, world.clock()))
        return response

    def may_be_late(self, call: Call) -> bool:
        """Whether there is a session that it could be applied in."""
        return not call.odata and self.world.sessions.peek(call.user_id) is not None

    def serve(self, call: Call) -> Response:
        """Answer a call; all but Logon and GetVersion need a session."""
        if not call.odata and call.verb not in ("Logon", "Logoff", "GetVersion"):
            self.world.sessions.find(call.user_id)
        return self.route(call)

    def route(self, call: Call) -> Response:
        """Act on a call that has a session."""
        if call.odata:
            return odata.serve(self.world, call)
        return said(self.world, enet.serve(self.world, call))

    def refused(self, call: Call, error: Exception) -> Response:  # noqa: ARG002 - all are answered alike
        """Word a refusal: a status for OData, a text under 200 for e.net."""
        if isinstance(error, ODataRefusal):
            return odata.refused(error)
        assert isinstance(error, Refusal)
        return said(self.world, f"ERROR: {error.text}")

    def front(self, status: int, fault: Fault) -> Response:
        """Give the page of whatever stands in front."""
        return _html(status, _TITLES[status], fault.headers)

    def instead(self, call: Call, fault: Fault) -> Response:
        """Answer without acting."""
        if call.odata:
            status = {"401": 401, "session": 401, "evict": 401, "200-error": 200}.get(fault.kind, 500)
            response = odata.refused(ODataRefusal(status, "An error has occurred."))
        elif fault.kind in ("401", "session", "evict"):
            if fault.kind == "evict":
                self._evict(call)
            response = self.refused(call, self.world.sessions.dead())
        elif fault.kind == "200-error":
            response = self.refused(call, Refusal("e.net exception raised: 100002"))
        else:
            response = _html(500, "Request Error: the server encountered an error processing the request")
        response.headers.extend(fault.headers)
        return response

    def reshaped(self, call: Call, kind: str, response: Response) -> bool:
        """Spoil a page of COMFND, which is no JSON, or let somebody else take the session."""
        if call.odata:
            return False
        if kind == "evict-after":
            self._evict(call)
        text = response.get_data().decode("cp1252", "replace")
        if kind == "empty-page" and "<Row>" in text:
            head, _, rest = text.partition("<Row>")
            response.set_data(f"{head}<RowsReturned>      0{rest[rest.rfind('</RowsReturned>') :]}".encode("cp1252"))
        if kind == "repeated-page" and call.object.upper() == "COMFND":
            call.args["xmlin"] = _WHERE.sub("", call.args.get("xmlin", ""))
            response.set_data(self.route(call).get_data())
        return True

    def _evict(self, call: Call) -> None:
        session = self.world.sessions.peek(call.user_id)
        if session is not None:
            back_office.log_on(self.world, session.operator)

    def spoil(self, call: Call, kind: str, body: dict[str, Any]) -> None:
        """Lead the next link back to this page or to another host, or give the first rows once more."""
        link, skip = "@odata.nextLink", int(call.args.get("$skip", "0") or 0)
        if kind == "page-loop":
            body[link] = odata.next_link(self.world, call, skip, None)
        elif kind == "repeated-page":
            call.options = [(name, value) for name, value in call.options if name != "$skip"]
            body["value"] = decode(odata.serve(self.world, call).get_data())["value"]
        elif link in body:
            body[link] = f"https://elsewhere.invalid{odata.BASE}/{call.company}/{call.table}?$skip={skip}"


def said(world: World, text: str) -> Response:
    """Write a text as e.net does: raw in Windows-1252, or in one of the wrappings that clients have met."""
    headers = {"Server": "Microsoft-HTTPAPI/2.0"}
    if text.startswith("<"):
        text += world.tail
    if world.wrapping == "json":
        return Response(encode(text), 200, headers, content_type="application/json; charset=utf-8")
    if world.wrapping == "string":
        inside = escape(text, quote=False)
        xml = f'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">{inside}</string>'
        return Response(xml.encode(), 200, headers, content_type="application/xml; charset=utf-8")
    return Response(text.encode("cp1252", "replace"), 200, headers, content_type="application/octet-stream")


def _html(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h2>{title}</h2></body></html>"
    return Response(page, status, headers=headers, content_type="text/html; charset=us-ascii")


def create_app(world: World) -> Syspro:
    """The WSGI application that serves `world` at /SYSPROWCFService/Rest, /SYSPRO8Odata and /_sandbox."""
    return Syspro(world)
