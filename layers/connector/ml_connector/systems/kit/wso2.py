"""What the WSO2 gateway says in front of a vendor's server: by codes of its own, in JSON or XML, wrapped or not.

It is never the vendor's word on a record: nothing is taken to be absent, or refused, for it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ml_connector.systems.http import Reply
from ml_connector.systems.kit.results import named

_CODE = re.compile(r"(?:90|10|30)\d{4}")
_THROTTLED = re.compile(r"9008\d\d")
_XML = re.compile(r"<(?:\w+:)?(code|message|description)>([^<]*)<")
_NEXT = ("%Y-%b-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z")
LONGEST = 3600.0
"""Seconds that are waited at most, whatever time it names."""


def code_in(body: Any) -> str:
    """Give the gateway's code of a decoded answer; empty where it is none of the gateway's."""
    told = named(body)
    code = str((named(told.get("fault")) or told).get("code") or "")
    return code if _CODE.fullmatch(code) or told.keys() >= {"code", "type", "message"} else ""


def in_markup(body: bytes) -> dict[str, str]:
    """Read a fault in XML, as it comes where no JSON was asked for: its code, message and description."""
    return dict(_XML.findall(body[:20_000].decode("utf-8", "replace")))


def is_throttled(status: int, code: str) -> bool:
    """Tell whether fewer requests are asked for."""
    return status == 429 or _THROTTLED.fullmatch(code) is not None


def pause_asked(reply: Reply, now: datetime) -> float | None:
    """Read for how many seconds to wait: by the header, else by the next time of access; None where neither tells."""
    asked = reply.pause_asked(now)
    if asked is not None:
        return asked
    try:
        body = named(reply.json())
    except ValueError:
        return None
    told = str((named(body.get("fault")) or body).get("nextaccesstime") or "").removesuffix(" UTC").strip()
    for form in _NEXT:
        try:
            then = datetime.strptime(told, form)  # noqa: DTZ007 - each form has its zone
        except ValueError:
            continue
        return max(0.0, min((then - now).total_seconds(), LONGEST))
    return None
