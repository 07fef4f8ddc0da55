"""Which columns of a generic list exist in the target (`docs/vendors/basware.md`)."""

from __future__ import annotations

import re
from typing import NamedTuple

from .codec import Record


class Columns(NamedTuple):
    """How many texts, numbers and dates a list has, and how long a text may be."""

    text: int
    number: int = 0
    dateValue: int = 0  # noqa: N815 - the vendor's word
    length: int = 250


_ACCOUNTING = ((10, Columns(5, 3)), (20, Columns(5, 3, length=50)), (30, Columns(10, 5, 5)), (35, Columns(25, 10, 10)))
_INVOICE = ((10, Columns(5)), (20, Columns(10, 5, 5)))
_TABLE = {"ACC_LIST": _ACCOUNTING, "INV_LIST": _INVOICE, "CUST_RESOLVER": ((5, Columns(15, 15, 15)),)}


def columns(list_key: str) -> Columns:
    """Return the columns of an existing list, e.g. ACC_LIST_7."""
    family, _, number = list_key.rpartition("_")
    return next(found for last, found in _TABLE[family] if int(number) <= last)


def problem(list_key: str, record: Record) -> str | None:
    """Return the first value that has no column or does not fit; (inferred) the vendor names no verdict."""
    there = columns(list_key)
    for name, value in record.items():
        match = re.fullmatch(r"(text|number|dateValue)_(\d+)", name)
        if match is None or value is None:
            continue
        if int(match[2]) > getattr(there, match[1]):
            return f"{list_key} has no column {name}"
        if match[1] == "text" and len(value) > there.length:
            return f"{name} of {list_key} holds {there.length} characters"
    return None
