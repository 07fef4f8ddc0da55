"""How values of a secret are taken as people write them."""

from __future__ import annotations

from typing import Any


def words(value: Any) -> Any:
    """Take several values as a list, or as one text with spaces between them."""
    return tuple(value.split()) if isinstance(value, str) else value


def none_if_blank(value: Any) -> Any:
    """Take a blank secret for none: as a key it could be guessed."""
    return None if isinstance(value, str) and not value.strip() else value


def upper(value: Any) -> Any:
    """Take a code in any case."""
    return value.upper() if isinstance(value, str) else value
