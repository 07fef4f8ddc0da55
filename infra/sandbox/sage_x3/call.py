"""One call, taken apart: to api1, GraphQL, the gateway, or the SOAP web service."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

_API1 = re.compile(
    r"/api1/x3/erp/(?P<endpoint>[^/]+)/(?P<cls>\w+)"
    r"(?:\((?P<quote>['\"])(?P<key>.*)(?P=quote)\)|/\$(?P<extra>template|prototypes\('[^']*'\)))?"
)
_ADMIN = "/api1/syracuse/collaboration/syracuse/endPoints"
_GATEWAY = re.compile(r"/v1(?P<path>/.*)?")
_SOAP = re.compile(r"/soap-(?P<kind>generic|wsdl)/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC", re.IGNORECASE)
GATEWAY_HOST = "sagex3.com"


@dataclass
class Call:
    """A request; what is applied late outlives it, so everything is read from it once.

    surface: api1, admin, graphql, gateway, soap, sdata, or nothing for an address that leads nowhere.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: Headers
    root: str
    options: list[tuple[str, str]]
    surface: str = ""
    endpoint: str = ""
    cls: str = ""
    key: str | None = None
    extra: str = ""
    args: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What is called, without its key, e.g. "api1/BPSUPPLIER", "graphql" or "gateway/token"."""
        return f"{self.surface or '?'}{f'/{self.cls}' if self.cls else ''}"

    @property
    def authorization(self) -> str:
        """The header."""
        return self.headers.get("Authorization", "")


def taken_apart(request: Request, body: bytes) -> Call:
    """Read a request."""
    raw = request.query_string.decode("latin-1")
    options = parse_qsl(raw, keep_blank_values=True)
    headers = Headers(list(request.headers))
    call = Call(request.method, request.path, unquote_plus(raw), body, headers, request.host_url.rstrip("/"), options)
    call.args = dict(reversed(options))
    host = request.host.partition(":")[0]
    if (match := _GATEWAY.fullmatch(call.path)) is not None:
        call.surface, call.cls = "gateway", (match["path"] or "").strip("/")
    elif host.endswith(GATEWAY_HOST):
        return call  # there is no api1 and no SOAP on the gateway
    elif (match := _API1.fullmatch(call.path)) is not None:
        call.surface, call.endpoint, call.cls = "api1", match["endpoint"], match["cls"]
        call.key, call.extra = match["key"], match["extra"] or ""
    elif call.path == _ADMIN:
        call.surface = "admin"
    elif call.path == "/xtrem/api":
        call.surface = "graphql"
    elif (match := _SOAP.fullmatch(call.path)) is not None:
        call.surface, call.cls = "soap", match["kind"].lower()
    elif call.path.startswith("/sdata/"):
        call.surface = "sdata"
    return call
