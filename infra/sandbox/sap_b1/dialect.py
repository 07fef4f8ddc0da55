"""How one version of the Service Layer writes what it says (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import hashlib
from typing import Any

from werkzeug.wrappers import Response

from ..kit.codec import encode
from .errors import Refusal
from .fields import TYPES, Field, Record


def etag(record: Record) -> str:
    """The weak entity tag of a record: a hash of everything in it."""
    return f'W/"{hashlib.sha1(encode(record), usedforsecurity=False).hexdigest().upper()}"'


class Dialect:
    """Version "v1" (OData 3) or "v2" (OData 4) at one host."""

    def __init__(self, version: str, host_url: str, flat_errors: bool = False) -> None:
        self.version = version
        self.base = f"{host_url.rstrip('/')}/b1s/{version}"
        self.flat = version == "v2" or flat_errors
        self.mark = "odata." if version == "v1" else "@odata."

    def reply(self, body: Any, status: int = 200) -> Response:
        """A JSON answer with the headers of this version."""
        if self.version == "v1":
            kind, header, number = "odata=minimalmetadata", "DataServiceVersion", "3.0"
        else:
            kind, header, number = "odata.metadata=minimal", "OData-Version", "4.0"
        response = Response(encode(body), status, content_type=f"application/json;{kind};charset=utf-8")
        response.headers[header] = number
        return response

    def refusal(self, refusal: Refusal) -> Response:
        """The error envelope: a number and a nested message, or text and flat."""
        error: dict[str, Any] = {"code": refusal.code, "message": {"lang": "en-us", "value": refusal.text}}
        if self.flat:
            error = {"code": str(refusal.code), "message": refusal.text}
        return self.reply({"error": error}, refusal.status)

    def context(self, name: str, single: bool) -> dict[str, Any]:
        """The annotation that names what the body holds."""
        if self.version == "v1":
            return {"odata.metadata": f"{self.base}/$metadata#{name}{'/@Element' if single else ''}"}
        return {"@odata.context": f"{self.base}/$metadata#{name}{'/$entity' if single else ''}"}

    def row(self, type_name: str, fields: dict[str, Field], record: Record, select: list[str] | None) -> Record:
        """One record as this version writes it; v2 puts the entity tag first."""
        names = select if select is not None else list(fields)
        shown = {name: self._value(fields[name], record.get(name)) for name in names}
        return {"@odata.etag": etag(record), **shown} if self.version == "v2" and type_name else shown

    def nested(self, type_name: str, record: Record) -> Record:
        """A line of a collection: every property of its type and its user fields, no annotations."""
        fields = TYPES[type_name]
        shown = {name: self._value(field, record.get(name)) for name, field in fields.items()}
        return shown | {name: value for name, value in record.items() if name not in fields}

    def _value(self, field: Field, value: Any) -> Any:
        if field.kind == "l":
            return [self.nested(field.of, line) for line in value or []]
        if field.kind == "d" and value is not None and self.version == "v2":
            return f"{value}T00:00:00Z"
        return value
