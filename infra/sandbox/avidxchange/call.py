"""One call, taken apart: which dialect it speaks, what its address and its body say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from ..kit.codec import decode
from .errors import Refusal


class Call:
    """A request; what is applied late outlives it, so everything is read from it once.

    path: below the prefix. rule: the address with its variables, e.g. "/invoices/<id>". old: of the older interface.
    names: our name of a field to the one that this server has for it.
    """

    def __init__(
        self,
        request: Request,
        path: str,
        body: bytes,
        rule: str,
        values: Mapping[str, Any],
        names: dict[str, str] | None = None,
    ) -> None:
        names = names or {}
        # Our own name of a field that has another one here is as unknown as any.
        self.names = {ours: f"{ours}?" for ours in names} | {theirs: ours for ours, theirs in names.items()}
        self.method = request.method
        self.path = path
        self.raw_query = request.query_string.decode("latin-1")
        self.query = unquote_plus(self.raw_query)
        pairs = parse_qsl(self.raw_query, keep_blank_values=True)
        self.args = {self.names.get(name, name).lower(): value for name, value in pairs}
        self.headers = Headers(list(request.headers))
        self.accept = request.headers.get("Accept", "")
        self.mimetype = request.mimetype
        self.body = body
        self.form = dict(request.form)
        self.files = [(f.filename or "", f.mimetype, f.read()) for f in request.files.values()]
        self.rule, self.values = rule, values
        self.run: Any = None
        self.old = path.startswith("/v1/")

    @property
    def label(self) -> str:
        """What is called, e.g. "invoices/<id>" or "v1/payments"."""
        return self.rule.strip("/") or "?"

    def bearer(self, header: str) -> str:
        """The token of a bearer header, empty where there is none."""
        kind, _, token = self.headers.get(header, "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def only(self, names: Iterable[str]) -> None:
        """Refuse parameters that nobody knows."""
        unknown = self.args.keys() - {name.lower() for name in names}
        if unknown:
            raise Refusal(400, "UNKNOWN_PARAMETER", f"Unknown parameter {', '.join(sorted(unknown))}")

    def arg(self, name: str) -> str:
        """A parameter, whatever the case of its name; empty where there is none."""
        return self.args.get(name.lower(), "")

    def number(self, name: str, default: int) -> int:
        """A parameter that is a positive number."""
        text = self.arg(name) or str(default)
        if not text.isdecimal():
            raise Refusal(400, "INVALID_PARAMETER", f"{name} must be a number, not '{text}'")
        return int(text)

    def json(self) -> dict[str, Any]:
        """The body, an object."""
        if self.mimetype != "application/json":
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"The body must be application/json, not '{self.mimetype}'")
        try:
            found = decode(self.body, unique=True)
        except ValueError as error:
            raise Refusal(400, "INVALID_JSON", str(error)) from None
        if not isinstance(found, dict):
            raise Refusal(400, "INVALID_JSON", "The body must be an object")
        return dict(renamed(found, self.names))


def renamed(body: Any, names: dict[str, str], *, pascal: bool = False) -> Any:
    """Rename the members of a body, down to the last one; `pascal` begins those of the envelope with a capital."""
    if isinstance(body, list):
        return [renamed(one, names) for one in body]
    if not isinstance(body, dict):
        return body
    found = {names.get(name, name): renamed(value, names) for name, value in body.items()}
    if not pascal:
        return found
    envelope = {"items", "paging", "results", "errors"}
    return {name[0].upper() + name[1:] if name in envelope else name: value for name, value in found.items()}
