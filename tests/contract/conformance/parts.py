"""What every stand is made of: a clock, codes, and bodies with exact numbers, in JSON or as a table in XML."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import SubElement, tostring

import httpx
import msgspec
from defusedxml.ElementTree import fromstring

from ml_connector.errors import Held

START = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
Row = dict[str, Any]
_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Codes:
    """Every code is the same on both sides, unless a test removes it. The company is 1000 at the platform."""

    def __init__(self) -> None:
        self.missing: set[tuple[str, str]] = set()

    def erp(self, kind: str, code: str) -> str:
        if (kind, code) in self.missing:
            raise Held(f"{kind}:{code}", "not mapped")
        return code

    def platform(self, kind: str, code: str) -> str:
        return self.erp(kind, code) or "1000"

    def named(self, kind: str, code: str) -> str:
        return code


TABLE = "table"
"""Under this name stands what is left of a table in XML, beside its rows in `value`."""


def decoded(response: httpx.Response) -> Any:
    """Decode a body with exact numbers, or a table in XML whose rows have columns; None where it is neither."""
    if response.content.lstrip()[:1] == b"<" and b"<RowsReturned" in response.content:
        root = fromstring(response.content)
        rows = [{column.tag: column.text or "" for column in row} for row in root.iter("Row")]
        return {"value": rows, TABLE: root}
    try:
        return _decode(response.content)
    except msgspec.DecodeError:
        return None


def _table(body: dict[str, Any]) -> bytes:
    root = body[TABLE]
    for row in root.findall("Row"):
        root.remove(row)
    for row in body["value"]:
        made = SubElement(root, "Row")
        for name, value in row.items():
            SubElement(made, name).text = str(value)
    return bytes(tostring(root, encoding="Windows-1252"))


def recoded(response: httpx.Response, body: Any) -> httpx.Response:
    """Put another body into a response; one that was no JSON stays."""
    if body is None:
        return response
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-length"]
    content = _table(body) if isinstance(body, dict) and TABLE in body else _encode(body)
    return httpx.Response(response.status_code, headers=headers, content=content)


def password_in(coded: str) -> str:
    """Give the password of basic credentials."""
    try:
        return base64.b64decode(coded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
