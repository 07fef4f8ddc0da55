"""One request on its way through the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from ..kit.codec import decode, encode
from .codec import parse_stamp
from .errors import Entry, Invalid, Refused, bad_parameter
from .model import Fault
from .world import World

BODY_LIMIT = 6 * 1024 * 1024
_JSON_TYPES = ("application/json", "application/json-patch+json", "text/json")


@dataclass
class Call:
    """The request, the world it meets, and the id under which its answer is known."""

    world: World
    request: Request
    request_id: str
    route: str
    args: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    def query(self, name: str) -> str | None:
        """Return a query parameter by its name in any case, None when absent or empty (inferred)."""
        wanted = name.lower()
        return next((v for k, v in self.request.args.items() if k.lower() == wanted and v), None)

    def query_stamp(self, name: str) -> datetime | None:
        """Return a date-time parameter; 400 when it is none."""
        text = self.query(name)
        try:
            return parse_stamp(text.replace(" ", "+")) if text else None
        except ValueError as error:
            raise bad_parameter(f"{name}: {error}") from error

    def json(self) -> Any:
        """Return the parsed body; 413 over 6 MB, 415 for another media type (inferred), 400 for no JSON."""
        body = self.request.get_data()
        if len(body) > BODY_LIMIT:
            raise Refused(413, f"the body has {len(body)} bytes, 6 MB are allowed")
        mimetype = self.request.mimetype
        if mimetype not in _JSON_TYPES and not mimetype.endswith("+json"):
            raise Refused(415, f"content type {mimetype!r} is not JSON")
        try:
            return decode(body)
        except ValueError as error:
            raise Invalid([Entry("SCHEMA_VALIDATION_ERROR", f"The body is not JSON: {error}")]) from error


def answer(value: Any, status: int = 200) -> Response:
    """Return `value` as a JSON response."""
    return Response(encode(value), status, content_type="application/json; charset=utf-8")
