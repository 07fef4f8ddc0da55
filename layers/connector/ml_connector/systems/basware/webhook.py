"""Basware's notifications: signature and body (`docs/vendors/basware.md`).

Imported by the webhook function at every cold start: nothing here may import an HTTP client.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

HEADER = "x-bwapi-signature-256"
"""The name is inferred; header names are compared in lower case."""
LONGEST = 200
"""Characters of an id that is taken; Basware's have 36, and a row's key takes 1,024 bytes."""
Kind = Literal["documents", "exported_order", "verdict", "test", "unknown"]
_PREFIX = re.compile(r"\s*sha256\s*[=: ]\s*", re.IGNORECASE)
_KINDS: dict[str, Kind] = {
    "accountingdocuments": "documents",
    "accoutingdocuments": "documents",  # the vendor's own example
    "accountingdocument": "documents",
    "exportedpurchaseorders": "exported_order",
    "exportedpurchaseorder": "exported_order",
    "requeststatus": "verdict",
    "connectiontest": "test",
}


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification says. It carries no document: `document` is the id of an invoice, order or request."""

    kind: Kind
    task_id: str
    task_type: str
    sub_type: str | None = None
    document: str = ""
    status: str = ""


def verify(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> bool:
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


def parse(body: bytes) -> Notification:
    """Read a notification. Raises `ValueError` for what is none; an unknown task type has the kind `unknown`."""
    try:
        decoded: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"the body is no JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004
    fields = {name.lower(): value for name, value in decoded.items()}
    task_type = _text(fields.get("tasktype"))
    if not task_type:
        raise ValueError("the body has no taskType")
    kind = _KINDS.get(re.sub(r"[^a-z]", "", task_type.lower()), "unknown")
    document = _text(fields.get("documentid"))
    if kind in {"documents", "exported_order", "verdict"} and not document:
        raise ValueError("the body has no documentId")
    if document and not document.strip("."):
        raise ValueError("its documentId is a step in a path, and none of Basware's")
    if len(document) > LONGEST:
        raise ValueError("its documentId is longer than any of Basware's")
    task = _text(fields.get("taskid"))
    return Notification(
        kind=kind,
        task_id=task if 0 < len(task) <= LONGEST else hashlib.sha256(body).hexdigest()[:32],
        task_type=task_type,
        sub_type=_text(fields.get("tasksubtype")) or None,
        document=document,
        status=_text(fields.get("taskstatus")),
    )


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


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
