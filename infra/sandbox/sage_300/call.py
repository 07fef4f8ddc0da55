"""One call, taken apart: company, module, resource, key, query, credentials (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from ..kit.codec import decode
from .errors import invalid_key, invalid_payload
from .fields import RESOURCES, TYPES, Field, Resource

PATH = re.compile(r"(?:/Sage300WebApi)?/[vV]1\.0/-/(?P<company>[^/]+)/(?P<module>[^/]+)/(?P<resource>.+)")
_RESOURCE = re.compile(r"(?P<name>[$\w]+)(?:\((?P<key>.*)\))?")
_PART = re.compile(r"\s*(?:(?P<name>\w+)\s*=\s*)?(?P<value>'(?:[^']|'')*'|[^',\s()]+)\s*(?:,|$)")


class Call:
    """A request to /v1.0/-/{company}/{module}/{resource}; a call that is applied late outlives its request."""

    def __init__(self, request: Request, body: bytes, parts: Mapping[str, str]) -> None:
        self.method = request.method
        self.path = request.path
        self.raw_query = request.query_string.decode("latin-1")
        self.query = unquote_plus(self.raw_query)
        self.options = parse_qsl(self.raw_query, keep_blank_values=True)
        self.headers = Headers(list(request.headers))
        self.body = body
        self.company, self.module = parts["company"], parts["module"]
        match = _RESOURCE.fullmatch(parts["resource"])
        self.name = match["name"] if match else parts["resource"]
        self.key_text = match["key"] if match else None

    @property
    def label(self) -> str:
        """Module and resource without key, e.g. "AP/APVendors"."""
        return f"{self.module}/{self.name}"

    @property
    def resource(self) -> Resource | None:
        """The resource that is asked for, if there is one of this name in this module."""
        found = RESOURCES.get(self.name)
        return found if found is not None and found.module == self.module else None

    def credentials(self) -> tuple[str, str] | None:
        """User and password of the Basic header, None when there is none that can be read."""
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        try:
            plain = base64.b64decode(text, validate=True).decode("utf-8") if kind.lower() == "basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            return None
        user, colon, password = plain.partition(":")
        return (user, password) if colon else None

    def json(self) -> Any:
        """The body; raises `Refusal` (InvalidPayload) when it is empty or not JSON."""
        try:
            return decode(self.body, unique=True)
        except (ValueError, RecursionError):
            raise invalid_payload("The request body is not valid JSON") from None

    def key(self, resource: Resource) -> Any:
        """The key in the parentheses, one value or a tuple; raises `Refusal` (InvalidEntityKey)."""
        found = _parts(self.key_text or "")
        if any(name for name, _ in found):
            found = _in_order(resource, found)
        if len(found) != len(resource.key):
            raise invalid_key(f"The key ({self.key_text}) does not fit {resource.name}")
        fields = TYPES[resource.type]
        values = tuple(_value(fields[name], text) for name, (_, text) in zip(resource.key, found, strict=True))
        return values if len(values) > 1 else values[0]


def _parts(text: str) -> list[tuple[str | None, str]]:
    found, position = [], 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise invalid_key(f"The key ({text}) is malformed")
        found.append((match["name"], match["value"]))
        position = match.end()
    if text.rstrip().endswith(","):
        raise invalid_key(f"The key ({text}) is malformed")
    return found


def _in_order(resource: Resource, parts: list[tuple[str | None, str]]) -> list[tuple[str | None, str]]:
    named = dict(parts)
    if len(named) != len(parts) or set(named) != set(resource.key):
        raise invalid_key(f"{resource.name} has the key {', '.join(resource.key)}")
    return [(name, named[name]) for name in resource.key]


def _value(field: Field, text: str) -> Any:
    quoted = text.startswith("'")
    if field.kind == "n":
        if quoted or not re.fullmatch(r"-?\d{1,18}(\.0+)?", text, re.ASCII):
            raise invalid_key(f"The key {field.name} is a number, not {text}")
        return int(Decimal(text))
    return text[1:-1].replace("''", "'") if quoted else text
