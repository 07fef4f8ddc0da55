"""What every stand is made of: a clock, codes, and bodies with exact numbers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec

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


def decoded(response: httpx.Response) -> Any:
    """Decode a body with exact numbers; None where it is no JSON."""
    try:
        return _decode(response.content)
    except msgspec.DecodeError:
        return None


def recoded(response: httpx.Response, body: Any) -> httpx.Response:
    """Put another body into a response; one that was no JSON stays."""
    if body is None:
        return response
    headers = [(name, value) for name, value in response.headers.multi_items() if name != "content-length"]
    return httpx.Response(response.status_code, headers=headers, content=_encode(body))


def password_in(coded: str) -> str:
    """Give the password of basic credentials."""
    try:
        return base64.b64decode(coded, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
