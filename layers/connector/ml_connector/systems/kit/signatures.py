"""Signatures of notifications: HMAC-SHA256 over the raw body, in each way in which a server may write one.

Imported by the webhook function at every cold start: nothing here may import an HTTP client.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence

_PREFIX = re.compile(r"\s*sha256\s*[=: ]\s*", re.IGNORECASE)


def is_signed(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> bool:
    """Tell whether the raw body was signed with one of the secrets: HMAC-SHA256 as hex or base64, prefix or not.

    Every secret is tried, whatever the first one says, so that the time tells nothing.
    """
    given = _digests(signature or "")
    right = False
    for secret in secrets:
        digest = hmac.new(secret, body, hashlib.sha256).digest()
        for candidate in given:
            right |= hmac.compare_digest(digest, candidate) and bool(secret)
    return right


def _digests(signature: str) -> list[bytes]:
    """Read the header in each way in which it may be meant; nonsense gives no digest and never an exception."""
    text = signature.strip()
    found = []
    for candidate in {text, _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text}:
        if re.fullmatch(r"[0-9a-fA-F]{64}", candidate, re.ASCII):
            found.append(bytes.fromhex(candidate))
        elif re.fullmatch(r"[A-Za-z0-9+/_-]{43}=?", candidate, re.ASCII):
            standard = candidate.rstrip("=").replace("-", "+").replace("_", "/") + "="
            try:
                found.append(base64.b64decode(standard, validate=True))
            except binascii.Error:
                continue
    return found
