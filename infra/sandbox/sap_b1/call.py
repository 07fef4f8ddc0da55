"""One call, taken apart: resource, key, tail, query, headers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_plus

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.wrappers import Request

from ..kit.codec import decode
from .dialect import Dialect
from .errors import bad_request
from .fields import SETS, TYPES

_RESOURCE = re.compile(r"(?P<name>[$\w]+)(?:\((?P<key>.*)\))?(?:/(?P<tail>[$\w]+))?")


class Call:
    """A request to /b1s/{version}/{resource}; everything is read from the request at once.

    A call that is applied late outlives its request, hence the copies.
    """

    def __init__(self, request: Request, body: bytes, resource: str, dialect: Dialect) -> None:
        self.method = request.method
        self.path = request.path
        self.query = unquote_plus(request.query_string.decode("latin-1"))
        self.args: MultiDict[str, str] = MultiDict(request.args)
        self.headers = Headers(list(request.headers))
        self.session = request.cookies.get("B1SESSION")
        self.body = body
        self.dialect = dialect
        match = _RESOURCE.fullmatch(resource)
        self.name = match["name"] if match else resource
        self.key_text = match["key"] if match else None
        self.tail = match["tail"] if match else None

    @property
    def label(self) -> str:
        """The resource without its key, e.g. "PurchaseInvoices/Cancel" or "Login"."""
        return f"{self.name}/{self.tail}" if self.tail else self.name

    def json(self) -> Any:
        """The body; an empty one counts as an empty object. Raises `Refusal` (400) when it is not JSON."""
        if not self.body.strip():
            return {}
        try:
            return decode(self.body)
        except (ValueError, RecursionError):
            raise bad_request("The request body is not valid JSON") from None

    def key(self) -> str | int:
        """The key in the parentheses, quoted exactly when it is a text; raises `Refusal` (400) otherwise."""
        entity = SETS[self.name]
        text = (self.key_text or "").removeprefix(f"{entity.key}=")
        if TYPES[entity.type][entity.key].kind == "i":
            if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
                raise bad_request(f"Invalid key ({self.key_text}) of {self.name}")
            return int(text)
        if not re.fullmatch(r"'(?:[^']|'')*'", text):
            raise bad_request(f"Invalid key ({self.key_text}) of {self.name}")
        return text[1:-1].replace("''", "'")

    def prefers(self, word: str) -> bool:
        """Whether the Prefer header holds this word."""
        return word in (part.strip() for part in self.headers.get("Prefer", "").split(","))
