"""The WSGI application: a WSO2 gateway, and both interfaces behind it (`docs/vendors/avidxchange.md`).

Besides what every sandbox knows there are the faults "429", "429-date" and "429-next" (too many calls: `seconds` until
the next one, as seconds, as an HTTP date, or as nextAccessTime in the body), "403" (the subscription lacks it),
"login-503" (its body holds user name and password), "repeated-page" (the first rows once more) and "short-page" (rows
are missing from a page whose metadata counts them).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.http import http_date
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from ..kit.app import Server
from ..kit.codec import decode, encode
from ..kit.faults import Fault
from . import answers, avidsuite, control, invoices, masters, payment_batches, payments
from .call import Call
from .errors import (
    FORBIDDEN,
    INVALID,
    THROTTLED,
    GatewayFault,
    LoginRefused,
    Refusal,
    answer,
    gateway_answer,
    old_exception,
)
from .world import LoggedCall, World

Handler = Callable[[World, Call], Response]
_TITLES = {200: "Sign in", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
_LOGINS = ("/token", "/oauth2/token", "/v1/authorizations")


def _token(world: World, call: Call) -> Response:
    return world.logins.token(call)


def _authorize(world: World, call: Call) -> Response:
    return world.logins.authorize(call)


_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "/token", _token),
    ("POST", "/oauth2/token", _token),
    *(
        (method, f"/{name}", run)
        for name in masters.KINDS
        for method, run in (("GET", masters.read), ("POST", masters.upsert))
    ),
    ("POST", "/invoices", invoices.create),
    ("GET", "/invoices", invoices.read),
    ("GET", "/invoices/<number>", invoices.get),
    ("POST", "/invoices/<number>/attachments", invoices.attach),
    ("GET", "/payments", payments.read),
    ("GET", "/payments/<number>", payments.get),
    ("POST", "/payment-batches", payment_batches.create),
    ("GET", "/payment-batches", payment_batches.read),
    ("GET", "/payment-batches/<number>", payment_batches.get),
    ("POST", "/v1/authorizations", _authorize),
    ("GET", "/v1/accountingSystems", avidsuite.accounting_systems),
    ("GET", "/v1/invoices/batches/closed/acctgSysId/<company>", avidsuite.closed),
    ("GET", "/v1/invoices/batches/<guid>", avidsuite.batch),
    ("GET", "/v1/invoices/batches/<guid>/invoices", avidsuite.details),
    ("POST", "/v1/invoices/batches/exportHistories", avidsuite.export),
    ("GET", "/v1/payments", payments.old_read),
    ("DELETE", "/v1/payments", avidsuite.pay),
    ("POST", "/v1/payments/batches", avidsuite.pay),
    ("GET", "/v1/payments/batches", avidsuite.payment_batches),
    ("GET", "/v1/payments/<number>/paymenthistory", payments.old_history),
    ("GET", "/v1/payments/<number>/getclearedcheckimage", payments.old_image),
)
_MAP = Map([Rule(rule, endpoint=run, methods=[method]) for method, rule, run in _TABLE], strict_slashes=False)


class AvidXchange(Server[World, Call]):
    """The simulated server over one world."""

    refusals = (Refusal, GatewayFault, LoginRefused)

    def control(self, request: Request, body: bytes) -> Response:
        """Answer a control call."""
        return control.answer(self.world, request, body)

    def enter(self, request: Request, body: bytes) -> Response:
        """Find what is called, answer, and log it."""
        world, status = self.world, 0
        path = request.path.removeprefix(world.prefix) if request.path.startswith(f"{world.prefix}/") else ""
        if world.tenant == "path" and path not in _LOGINS:
            path = self._below_tenant(path)
        try:
            adapter = _MAP.bind(request.host, path_info=path or "/nowhere", default_method=request.method)
            rule, values = adapter.match(return_rule=True)
        except (NotFound, MethodNotAllowed) as error:
            return self._nowhere(request, error)
        call = Call(request, path, body, rule.rule, values, world.renamed)
        call.run = rule.endpoint
        try:
            response = self.acted(call)
            status = response.status_code
        finally:
            query = "" if path in _LOGINS else call.query
            with world.lock:
                world.log.append(LoggedCall(call.method, path, query, status, world.clock()))
        return response

    def _below_tenant(self, path: str) -> str:
        tenant, _, rest = path.lstrip("/").partition("/")
        return f"/{rest}" if any(one.id == tenant for one in self.world.companies) else ""

    def _nowhere(self, request: Request, error: NotFound | MethodNotAllowed) -> Response:
        """Answer for an address behind which the gateway has nothing: never the words for a record that is absent."""
        text = "No matching resource found for given API Request"
        fault = GatewayFault(error.code or 404, 900906 if error.code == 404 else 900905, text, request.path)
        return gateway_answer(fault, self.world.fault_style, request.headers.get("Accept", ""))

    def may_be_late(self, call: Call) -> bool:
        """Whether the login of a call is alive."""
        try:
            self._allowed(call)
        except self.refusals:
            return False
        return True

    def serve(self, call: Call) -> Response:
        """Answer a call; all but the logins need one that is alive."""
        if call.path not in _LOGINS:
            self._allowed(call)
        return self.route(call)

    def _allowed(self, call: Call) -> None:
        world = self.world
        world.logins.check(call)
        if {call.label, call.label.split("/")[0]} & world.forbidden:
            raise GatewayFault(403, FORBIDDEN, "Resource forbidden", "User is NOT authorized to access the Resource")
        self._counted()
        tenants = {"header": call.headers.get(world.tenant_name, ""), "query": call.arg(world.tenant_name)}
        if world.tenant in tenants and not any(one.id == tenants[world.tenant] for one in world.companies):
            raise Refusal(400, "COMPANY_REQUIRED", f"{world.tenant_name} must name a company")

    def _counted(self) -> None:
        world, now = self.world, self.world.clock()
        while world.recent and world.recent[0] <= now - timedelta(minutes=1):
            world.recent.popleft()
        if world.quota and len(world.recent) >= world.quota:
            wait = (world.recent[0] + timedelta(minutes=1) - now).total_seconds()
            raise self._throttled(world.throttle, max(wait, 1))
        world.recent.append(now)

    def _throttled(self, how: str, seconds: float) -> GatewayFault:
        at = self.world.clock() + timedelta(seconds=seconds)
        headers = {"seconds": {"Retry-After": str(int(seconds))}, "date": {"Retry-After": http_date(at)}}.get(how, {})
        more = {"nextAccessTime": at.strftime("%Y-%b-%d %H:%M:%S+0000 UTC")} if how == "next" else {}
        text = "You have exceeded your quota"
        return GatewayFault(429, THROTTLED, "Message throttled out", text, more, headers)

    def route(self, call: Call) -> Response:
        """Act on a call whose login is alive."""
        self.world.settle()
        run: Handler = call.run
        return run(self.world, call)

    def refused(self, call: Call, error: Exception) -> Response:
        """Word a refusal in the dialect of what refuses."""
        if isinstance(error, GatewayFault):
            return gateway_answer(error, self.world.fault_style, call.accept)
        if isinstance(error, LoginRefused):
            return answer(error.body, error.status)
        assert isinstance(error, Refusal)
        if call.old:
            return old_exception(error.status, error.code, error.message)
        return answers.refused(self.world, error)

    def front(self, status: int, fault: Fault) -> Response:
        """Give the page of whatever stands in front."""
        title = _TITLES[status]
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return Response(page, status, headers=fault.headers, content_type="text/html; charset=utf-8")

    def instead(self, call: Call, fault: Fault) -> Response:
        """Answer without acting."""
        response = self._instead_of(call, fault)
        response.headers.extend(fault.headers)
        return response

    def _instead_of(self, call: Call, fault: Fault) -> Response:
        kind, login = fault.kind, call.path in _LOGINS
        if kind == "login-503":
            return answer({"message": "Service unavailable", "request": call.body.decode("utf-8", "replace")}, 503)
        if kind == "401" and login:
            body = {"error": "invalid_client", "error_description": "A valid OAuth client could not be found"}
            return answer({"error_description": "Refused"} if call.old else body, 400 if call.old else 401)
        if kind == "200-error" and call.old:
            return avidsuite.results(self.world, success=False, text="An unexpected error occurred")
        return self.refused(call, self._planned(fault))

    def _planned(self, fault: Fault) -> Exception:
        if fault.kind.startswith("429"):
            how = {"429": "seconds" if fault.seconds else "", "429-date": "date", "429-next": "next"}[fault.kind]
            return self._throttled(how, fault.seconds or 1)
        if fault.kind == "403":
            text = "User is NOT authorized to access the Resource"
            return GatewayFault(403, FORBIDDEN, "Resource forbidden", text)
        if fault.kind == "401":
            return GatewayFault(401, INVALID, "Invalid Credentials", "Access failure for API")
        return Refusal(200 if fault.kind == "200-error" else 500, "INTERNAL", "An unexpected error occurred")

    def reshaped(self, call: Call, kind: str, response: Response) -> bool:
        """Spoil a page of either interface."""
        body = decode(response.get_data()) if response.mimetype == "application/json" else None
        if response.status_code == 200 and isinstance(body, dict):
            names = {name.lower(): name for name in body}
            if "items" in names:
                _spoil(self, call, kind, body, names)
                response.set_data(encode(body))
        return True


def _spoil(server: AvidXchange, call: Call, kind: str, body: dict[str, Any], names: dict[str, str]) -> None:
    items, paging = names["items"], body.get(names.get("paging", ""), {})
    if kind == "empty-page":
        body[items] = []
    elif kind == "short-page":
        body[items] = body[items][: len(body[items]) // 2]
    elif kind == "wrong-host":
        for holder in (paging, *(row for row in body[items] if isinstance(row, dict))):
            _lead_elsewhere(holder)
    else:
        for name in ("pagenumber", "offset", "cursor"):
            call.args.pop(name, None)
        first = decode(server.route(call).get_data())
        body[items] = first[items]
        if kind == "page-loop":
            _never_end(body, names.get("paging", ""), first, len(body[items]))


def _lead_elsewhere(holder: dict[str, Any]) -> None:
    for name, links in holder.items():
        for link in links if name.lower() == "links" else ():
            link.update({key: f"https://elsewhere.invalid{link[key]}" for key in link if key.lower() == "href"})


def _never_end(body: dict[str, Any], name: str, first: dict[str, Any], rows: int) -> None:
    """Have a page say that another one follows, which is the first one again."""
    if not name:
        return
    paging = body[name]
    page = paging.get("PageNumber", paging.get("pageNumber", 1))
    for key in {"pages", "Pages", "PageCount"} & paging.keys():
        paging[key] = page + 1
    for key in {"totalItems", "TotalItems"} & paging.keys():
        paging[key] = max(paging[key], paging.get("offset", 0) + 2 * rows + 1)
    for key in {"nextCursor", "links", "Links"} & paging.keys():
        paging[key] = first[name][key]


def create_app(world: World) -> AvidXchange:
    """The WSGI application that serves `world`, with /_sandbox beside it."""
    return AvidXchange(world)
