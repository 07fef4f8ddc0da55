"""One call, taken apart: to a service of e.net, or to a table of the OData service."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

ENET = re.compile(r"/SYSPROWCFService/Rest/(?P<verb>[^?]+)", re.IGNORECASE)
ODATA = re.compile(r"/SYSPRO8Odata/SYSPROOData/(?P<company>[^/]+)/(?P<table>[^/]+)/?", re.IGNORECASE)
VERBS = {
    name.lower(): name
    for name in (
        "Logon",
        "Logoff",
        "GetLogonProfile",
        "GetVersion",
        "Query/Query",
        "Query/Fetch",
        "Transaction/Post",
        "Setup/Add",
        "Setup/Update",
        "Setup/Delete",
    )
}
_OBJECT = re.compile(r"[A-Za-z0-9]{1,12}")


class Call:
    """A request; what is applied late outlives it, so everything is read from it once."""

    def __init__(self, request: Request, parts: Mapping[str, str]) -> None:
        self.method = request.method
        self.path = request.path
        self.raw_query = request.query_string.decode("latin-1")
        self.query = unquote_plus(self.raw_query)
        self.options = parse_qsl(self.raw_query, keep_blank_values=True)
        self.args = {name.lower(): value for name, value in reversed(self.options)}
        self.headers = Headers(list(request.headers))
        self.host_url = request.host_url
        self.verb = VERBS.get(parts.get("verb", "").strip("/").lower(), "")
        self.company, self.table = parts.get("company", ""), parts.get("table", "")

    @property
    def odata(self) -> bool:
        """Whether it is for the OData service."""
        return bool(self.table)

    @property
    def object(self) -> str:
        """The business object that is named, in the spelling of the call."""
        name = self.args.get("businessobject", "").strip()
        return name if _OBJECT.fullmatch(name) else ""

    @property
    def user_id(self) -> str:
        """The session, with the spaces that it was sent with."""
        return self.args.get("userid", "")

    @property
    def label(self) -> str:
        """What is called, e.g. "Transaction/Post APSTIN", "Logon" or "OData/ApSupplier"."""
        if self.odata:
            return f"OData/{self.table}"
        return f"{self.verb} {self.object}".strip() or "?"

    def credentials(self) -> tuple[str, str] | None:
        """User and password of the Basic header, None where there is none that can be read."""
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        try:
            plain = base64.b64decode(text, validate=True).decode("utf-8") if kind.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            return None
        user, colon, password = plain.partition(":")
        return (user, password) if colon else None
