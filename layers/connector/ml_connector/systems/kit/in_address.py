"""Credentials that travel in the address of each call: written there, and masked wherever addresses are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

import httpx

from ml_connector.redact import MASK, Redactor

NO_STORE = {"Cache-Control": "no-store"}
"""Whoever stands in between must neither keep such an address nor answer from what it kept."""


def query(**fields: str) -> str:
    """Write the query of an address; a space as `%20`, which every server reads."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())


def put(request: httpx.Request, name: str, value: str) -> None:
    """Put a parameter first into the address of a request, in place of the one that it has."""
    there = request.url.query.decode("ascii")
    rest = [one for one in there.split("&") if one and not one.startswith(f"{name}=")]
    request.url = request.url.copy_with(query="&".join([query(**{name: value}), *rest]).encode("ascii"))


class AddressRedactor(Redactor):
    """Masks a parameter by its name too, such as a session id, in addresses and in whatever says them back."""

    def __init__(self, values: Iterable[str], parameter: str) -> None:
        """`values` are the tenant's own secrets."""
        super().__init__(values)
        self._shown = re.compile(rf"({parameter}=)[^&\s\"'<>]+", re.IGNORECASE)

    def text(self, text: str) -> str:
        """Mask a body, an address or a message."""
        return self._shown.sub(rf"\1{MASK}", super().text(text))
