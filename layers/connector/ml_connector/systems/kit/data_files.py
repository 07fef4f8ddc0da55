"""Files of rows, as a data export gives them: JSON or CSV, packed or not, read row by row.

A file may unpack to more than a small function's memory, so nothing is held but the row at hand.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TextIO

MOST = 4 * 1024 * 1024 * 1024
"""Characters of a file: what unpacks to more is no export."""
LONGEST = 16 * 1024 * 1024
"""Characters of a row."""
PIECE = 256 * 1024
_GZIP = b"\x1f\x8b"
_BETWEEN = " \t\r\n,"


def folded(name: str) -> str:
    """Write a column's name as it is compared: `INVOICE_ID`, `invoiceId` and `Invoice Id` are one."""
    return "".join(char for char in name.lower() if char.isalnum())


def is_packed(body: bytes) -> bool:
    """Tell whether a file is packed, which no page and no other answer in its place is."""
    return body.startswith(_GZIP)


def rows(body: bytes) -> Iterator[Any]:
    """Read a file's rows: JSON objects, or dictionaries of texts.

    Raises `ValueError` where it is cut short, spoilt, or none of the two, such as a page in place of the file.
    """
    raw: Any = gzip.GzipFile(fileobj=io.BytesIO(body)) if is_packed(body) else io.BytesIO(body)
    text = io.TextIOWrapper(raw, "utf-8-sig", newline="")
    try:
        first = _beginning(text)
        if first.lstrip()[:1] in {"[", "{"}:
            yield from _json(first, text)
        else:
            yield from _csv(first, text)
    except (EOFError, OSError, zlib.error, csv.Error) as error:
        raise ValueError(f"it cannot be unpacked or read: {error}") from error


def _beginning(text: TextIO) -> str:
    """Read on until it shows what the file is: an object or array, or a whole line."""
    first = ""
    while first.lstrip()[:1] not in {"[", "{"} and "\n" not in first and len(first) <= LONGEST:
        if not (more := text.read(PIECE)):
            break
        first += more
    return first


def _json(first: str, text: TextIO) -> Iterator[Any]:
    """Read objects out of an array, out of lines, or out of an object that holds nothing but an array."""
    decoder = json.JSONDecoder(parse_float=Decimal)
    left, read, place, depth = first, len(first), 0, 0
    while True:
        while place < len(left) and left[place] in _BETWEEN:
            place += 1
        if place < len(left) and left[place] in "[]":
            depth += 1 if left[place] == "[" else -1
            place += 1
            continue
        try:
            row, place = decoder.raw_decode(left, place)
        except ValueError as error:
            more = text.read(PIECE)
            read += len(more)
            left, place = left[place:] + more, 0
            if not more and not left.strip(_BETWEEN):
                if depth:
                    raise ValueError("it ends in the middle") from error
                return
            if not more or len(left) > LONGEST or read > MOST:
                raise ValueError(f"it is not whole JSON: {error}") from error
            continue
        inner = list(row.values()) if isinstance(row, dict) else []
        if len(inner) == 1 and isinstance(inner[0], list) and not depth:
            yield from inner[0]
        else:
            yield row


def _csv(first: str, text: TextIO) -> Iterator[dict[str, str]]:
    """Read lines under a header, whatever of the usual characters parts them."""
    header = first.split("\n", 1)[0]
    mark = max(",;\t|", key=header.count)
    if mark not in header or header.lstrip().startswith("<"):
        raise ValueError(f"it is neither JSON nor CSV; it begins with '{header[:40].strip()}'")
    yield from csv.DictReader(_lines(first, text), delimiter=mark, strict=True)


def _lines(first: str, text: TextIO) -> Iterator[str]:
    """Give the lines of a text whose beginning was read already."""
    left = first
    while True:
        *whole, left = left.splitlines(keepends=True) or [""]
        yield from whole
        more = text.read(PIECE)
        if not more:
            break
        left += more
    yield from left.splitlines(keepends=True)
