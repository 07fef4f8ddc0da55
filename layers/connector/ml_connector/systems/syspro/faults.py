"""What SYSPRO's refusals look like: a text that begins with ERROR, or errors below the fields of a document.

Both come with HTTP 200 (`docs/vendors/syspro.md`), so no status is asked what became of a call.
"""

from __future__ import annotations

import re

from ml_connector.errors import Misconfigured
from ml_connector.systems.http import Reply
from ml_connector.systems.kit.faults import WORDS, Fault
from ml_connector.systems.kit.worded import Words
from ml_connector.systems.kit.xml import unwrapped
from ml_connector.systems.kit.xml_faults import Marks

VENDOR = "SYSPRO"
WINDOWS = "cp1252"
NOT_LICENSED = "100000"
_NUMBER = re.compile(r"exception raised:\s*(\d+)", re.IGNORECASE)
MARKS = Marks(
    invalid=("ItemsInvalid", "RecordsInvalid", "PostingsInvalid"),
    stopped="ItemsRejectedWithWarnings",
    taken=("ItemsProcessed", "ItemsProcessedWithWarnings", "JournalsProcessed"),
)
"""What the answers of business objects count; any count may be absent, and says nothing then."""


def text_in(reply: Reply) -> str:
    """Take an answer out of its wrapping."""
    return unwrapped(reply.body, WINDOWS)


def error_in(reply: Reply) -> Fault | None:
    """Find an error in words; only what it begins with counts, for the words differ from build to build."""
    words = text_in(reply).strip()
    if not words.upper().startswith("ERROR"):
        return None
    number = _NUMBER.search(words)
    shown = reply.clean(" ".join(words.split()))[:WORDS]
    return Fault(reply.status, number[1] if number else "", shown)


def _not_licensed(called: str, fault: Fault) -> Misconfigured | None:
    if fault.code != NOT_LICENSED:
        return None
    return Misconfigured(
        f"not licensed: {called}. SYSPRO says {fault.text}: the business object is missing there, or its functional "
        "area is not in the e.net licence of this operator. Let SYSPRO license it, or give the operator the area."
    )


ENET = Words("/GetLogonProfile", text_in, error_in, _not_licensed)
"""What the answers of e.net say."""
