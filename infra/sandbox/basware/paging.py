"""Pages by continuation token in a header (`docs/vendors/basware.md`)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from .call import Call
from .codec import Record
from .errors import Refused, bad_parameter
from .model import Cursor

TOKEN_HEADER = "x-amz-meta-continuationtoken"  # noqa: S105 - a header's name


@dataclass(frozen=True)
class Entry:
    """One record that matches the query, and how much room it takes on a page."""

    key: str
    record: Record
    weight: int = 0

    @property
    def position(self) -> str:
        """The sort key. Pages have no order a client may rely on: no sort parameter exists."""
        return sha256(self.key.encode()).hexdigest()


@dataclass(frozen=True)
class Page:
    """The records of one page and the token of the next, None on the last."""

    records: list[Record]
    token: str | None

    def headers(self) -> dict[str, str]:
        """Return the continuation header, if there is a next page."""
        return {TOKEN_HEADER: self.token} if self.token else {}


def cut(call: Call, entries: list[Entry], default: int, largest: int, weight_limit: int | None = None) -> Page:
    """Return the page asked for; 404 when nothing is left, 400 for a page size or token that is not valid."""
    size, start = _size(call, default, largest), _start(call)
    waiting = sorted((e for e in entries if e.position > start), key=lambda entry: entry.position)
    if not waiting:
        raise Refused(404, "no records were found")
    chosen = _fitting(waiting[:size], weight_limit)
    fault = call.fault.kind if call.fault else None
    records = [] if fault == "empty_page" else [entry.record for entry in chosen]
    if len(chosen) == len(waiting):
        return Page(records, None)
    return Page(records, _remember(call, start if fault == "page_loop" else chosen[-1].position))


def _fitting(entries: list[Entry], limit: int | None) -> list[Entry]:
    """Cut a page short by weight, as the vendor does for invoices with many coding rows; never below one."""
    total = 0
    fitting: list[Entry] = []
    for entry in entries:
        total += entry.weight
        if fitting and limit is not None and total > limit:
            break
        fitting.append(entry)
    return fitting


def _size(call: Call, default: int, largest: int) -> int:
    text = call.query("pageSize")
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise bad_parameter(f"pageSize must be between 1 and {largest}")  # (inferred) the answer is undocumented
    return int(text)


def _fingerprint(call: Call) -> str:
    """Return the query a token is bound to: the address and every parameter, names in lower case."""
    return call.request.path + "?" + "&".join(sorted(f"{k.lower()}={v}" for k, v in call.request.args.items()))


def _start(call: Call) -> str:
    token = call.request.headers.get(TOKEN_HEADER)
    if token is None:
        return ""
    cursor = call.world.cursors.get(token)
    if cursor is None:
        raise bad_parameter("the continuation token is not known")
    if cursor.query != _fingerprint(call):
        raise bad_parameter("the continuation token belongs to another query")
    return cursor.after


def _remember(call: Call, after: str) -> str:
    token = b64encode(call.world.rng.randbytes(48)).decode()
    call.world.cursors[token] = Cursor(_fingerprint(call), after)
    return token
