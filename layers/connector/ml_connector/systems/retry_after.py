"""The header Retry-After, in both its forms."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

DAY = 86_400
"""Seconds beyond which nobody waits for a server."""


def retry_after(text: str, now: datetime) -> float | None:
    """Read it in seconds from now; None where it is absent or nonsense."""
    if text.isascii() and text.isdigit():
        return min(int(text), DAY) if len(text) <= 9 else DAY
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)  # "-0000" is how a date names no zone
    return min(max(0.0, (when - now).total_seconds()), float(DAY))
