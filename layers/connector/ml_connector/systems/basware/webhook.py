"""Basware's notifications: signature and body (`docs/vendors/basware.md`).

Imported by the webhook function at every cold start: nothing here may import an HTTP client.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from ml_connector.systems.kit.signatures import is_signed

HEADER = "x-bwapi-signature-256"
"""The name is inferred; header names are compared in lower case."""
LONGEST = 200
"""Characters of an id that is taken; Basware's have 36, and a row's key takes 1,024 bytes."""
Kind = Literal["documents", "exported_order", "exported_requisition", "verdict", "test", "unknown"]
_KINDS: dict[str, Kind] = {
    "accountingdocuments": "documents",
    "accoutingdocuments": "documents",  # the vendor's own example
    "accountingdocument": "documents",
    "exportedpurchaseorders": "exported_order",
    "exportedpurchaseorder": "exported_order",
    "exportedpurchaserequisitions": "exported_requisition",
    "exportedpurchaserequisition": "exported_requisition",
    "requeststatus": "verdict",
    "connectiontest": "test",
}


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification says. It carries no document: `document` is the id of what it is about."""

    kind: Kind
    task_id: str
    task_type: str
    sub_type: str | None = None
    document: str = ""
    status: str = ""


def verify(body: bytes, signature: str | None, secrets: Sequence[bytes]) -> bool:
    """Tell whether the raw body was signed with one of the secrets: HMAC-SHA256 as hex or base64, prefix or not."""
    return is_signed(body, signature, secrets)


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
    if kind not in {"test", "unknown"} and not document:
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


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
