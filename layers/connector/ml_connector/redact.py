"""Takes secrets out of what is logged or kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MASK = "***"
_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "x-b1-webhook-token", "proxy-authorization"})
_FIELDS = re.compile(
    r'("(?:[a-z_]*password|client_?secret|access_?token|refresh_?token|id_?token|webhookAuthenticationToken|'
    r'webhook_?secret|SessionId|api_?key)"\s*:\s*)"(?:[^"\\]|\\.)*"',
    re.IGNORECASE,
)
_FORM = re.compile(r"((?:client_secret|password|refresh_token|access_token)=)[^&\s]+", re.IGNORECASE)
_SIGNED = re.compile(r"([?&](?:X-Amz-[A-Za-z-]*(?:Signature|Credential|Token)|sig|token)=)[^&\s\"]+", re.IGNORECASE)


class Redactor:
    """Masks known secret values, fields and headers that carry secrets by their name, and signed addresses."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """`values` are the tenant's own secrets; those under four characters would mask everything and are left."""
        known = sorted({v for v in values if len(v) >= 4}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """Mask a body, an address or a message."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern in (_FIELDS, _FORM, _SIGNED):
            text = pattern.sub(rf'\1"{MASK}"' if pattern is _FIELDS else rf"\1{MASK}", text)
        return text

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Mask the headers that carry credentials, and known values in the others."""
        return {k: MASK if k.lower() in _HEADERS else self.text(v) for k, v in headers.items()}
