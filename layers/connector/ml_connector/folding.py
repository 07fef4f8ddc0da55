"""One folding for numbers and codes, used wherever two of them are compared; what is sent stays as it came.

People and systems write one number in several ways: composed or decomposed letters (NFC, NFD), full-width digits, a
no-break space, a long dash, other case. To a supplier and a clerk these are one number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_ALSO_DASHES = frozenset("\u2212\u2043\u02d7")
"""Minus, hyphen bullet and modifier minus: dashes to the eye, though Unicode files them elsewhere."""


def fold(text: str | None) -> str:
    """Give what two spellings of one number or code have in common; "" for None."""
    even = _even(text or "").casefold()
    return unicodedata.normalize("NFKC", even)


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two numbers or codes are one."""
    return fold(one) == fold(other)


def spellings(text: str) -> Iterator[str]:
    """Give the spellings under which a server whose filters compare exactly may hold a number, each once.

    The number itself comes first, then without odd characters, and both in capitals, in small letters and decomposed.
    """
    near = (text, text.strip(), _even(text))
    each = (*near, *(unicodedata.normalize(form, one) for one in near[1:] for form in ("NFC", "NFD")))
    every = (*each, *(one.upper() for one in each), *(one.lower() for one in each))
    yield from dict.fromkeys(one for one in every if one)


def _even(text: str) -> str:
    """Write every space as one space, every dash as a hyphen, and leave out what has no width."""
    normal = unicodedata.normalize("NFKC", text)
    return " ".join("".join(_plain(c) for c in normal).split())


def _plain(c: str) -> str:
    kind = unicodedata.category(c)
    if kind == "Pd" or c in _ALSO_DASHES:
        return "-"
    if kind == "Cf":  # zero-width spaces and joiners, soft hyphens, marks of direction
        return ""
    return " " if c.isspace() else c
