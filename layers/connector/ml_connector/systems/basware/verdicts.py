"""What P2P made of what was posted: request statuses, read per record (`docs/vendors/basware.md`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from ml_connector.flow import Verdict
from ml_connector.systems.basware.client import Basware, quoted
from ml_connector.systems.http import listed
from ml_connector.systems.kit.bodies import one_of
from ml_connector.systems.kit.compare import comparable

MARGIN = timedelta(days=1)
"""By how much our clock and Basware's may differ, and more: what a lost row of ours had sent is found as well."""
_GOOD, _WAIT, _BAD = "good", "wait", "bad"
_OVERALL = {
    "success": _GOOD,
    "acknowledgedsuccess": _GOOD,
    "error": _BAD,
    "acknowledgederror": _BAD,
    "inprogress": _WAIT,
}
_RANK = ("notprocessed", "recordexpired", "success", "warning", "inprogress", "error")
"""From the lightest to the gravest. A status that is not here is unknown and weighs like `InProgress`."""
_LAST = frozenset(_RANK) - {"inprogress"}
_UNLISTED = "unlisted"
"""Ours, for a record that a failed request does not name."""
_SPELLED = {"inprogress": "InProgress", "unpublished": "Unpublished"}
_UNCHANGED = {
    "notprocessed": "Nothing differs from what Basware has.",
    "recordexpired": "A newer version of the record was posted.",
}
_PARENT = re.compile(
    r"\b(?P<what>orders?|suppliers?|vendors?|supplier ?code|order ?external ?code|parent)\b(?! *line)[^.;]{0,60}?"
    r"\b(?:not found|unknown|not known|does ?n[o']t exist|does not exist|not exist|missing|no such|"
    r"not imported|not available)\b"
    r"|\b(?:missing|unknown|no such|cannot find|could not find) +(?:the +)?(?P<that>order|supplier|vendor|parent)\b"
    r"(?! *line)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Item:
    """The gravest status of one external code over all systems, and what was said of it."""

    status: str = ""
    messages: list[str] = field(default_factory=list)

    def add(self, status: str, messages: Iterable[str]) -> None:
        """Count one system's word."""
        if not self.status or rank(status) > rank(self.status):
            self.status = status
        self.messages += [message for message in messages if message not in self.messages]


@dataclass(frozen=True, slots=True)
class Status:
    """One request's status: good, wait or bad as a whole, and its items by external code.

    `finished` names the items on which every system that takes part has said its last word.
    """

    overall: str
    items: Mapping[str, Item]
    finished: frozenset[str] = frozenset()

    def under_way(self, code: str) -> bool:
        """Tell whether Basware is still at a record: where every system has finished it, that is its verdict."""
        return self.overall == _WAIT and code not in self.finished

    @property
    def failed_namelessly(self) -> bool:
        """Tell whether the request went wrong without a word on any record."""
        return self.overall == _BAD and not self.items

    def of(self, code: str) -> Item:
        """Tell how a record stands; one that is not listed shares the request's fate, as far as that is clear."""
        if code in self.items:
            return self.items[code]
        if self.overall == _GOOD:
            return Item("success")
        if self.overall == _BAD and not self.items:
            return Item("error", ["Basware reports an error for the whole request and names no record."])
        if self.overall == _BAD and all(item.status in {"error", "warning"} for item in self.items.values()):
            return Item("success")  # only what went wrong is listed
        return Item(_UNLISTED)

    def worth_reading(self, code: str) -> bool:
        """Tell whether a record is only left `InProgress` by a request that went well as a whole.

        Then the entity may decide. It may not where Basware says anything else of it: what can be read is what
        Basware took in, whether or not P2P has it.
        """
        item = self.of(code)
        return self.overall == _GOOD and item.status == "inprogress" and not item.messages


def rank(status: str) -> int:
    """Order statuses by gravity; an unknown one weighs like `InProgress`."""
    return _RANK.index(status if status in _RANK else "inprogress")


def ask(client: Basware, token: str) -> Status | None:
    """Ask for the status of one request; None where Basware does not know it (yet) or is still at it."""
    status = look(client, token)
    return None if status is None or status.overall == _WAIT else status


def look(client: Basware, token: str) -> Status | None:
    """Ask for the status of one request, also where Basware is still at it; None where it does not know it (yet)."""
    body = client.get(f"/v1/requestStatus/{quoted(token)}")
    entry = _entry(body, token)
    return None if entry is None else read(entry)


def find(client: Basware, entity_type: str, code: str, since: datetime | None) -> tuple[str, Item] | None:
    """Find the request that carried an external code, where its id is not known (any more); the latest counts.

    This is how a response to an invoice is found while the invoice does not show it yet. Nobody acknowledges request
    statuses, so their list only grows: it is read from a day before `since` on, when the code was sent at the earliest.
    """
    found: tuple[str, str, Item] | None = None
    for entry in _entries(client, entity_type, since):
        item = read(entry).items.get(code)
        if item is None:
            continue
        updated = comparable(str(entry.get("lastUpdated"))) or ""
        if found is None or updated >= found[0]:
            found = (updated, str(entry.get("requestId") or ""), item)
    return (found[1], found[2]) if found else None


class FATES(StrEnum):
    """How all requests that carried a record ended: one went well, one is under way, or none went well."""

    good, waits, bad = "good", "waits", "bad"


def fates(client: Basware, entity_type: str, codes: Collection[str], since: datetime | None) -> dict[str, FATES]:
    """Tell of external codes how their requests ended, the best end of each; what no request names is left out."""
    ends: dict[str, FATES] = {}
    for entry in _entries(client, entity_type, since):
        status = read(entry)
        for code in status.items.keys() & set(codes):
            said = verdict(status.items[code])
            now = FATES.waits if said is None else FATES.bad if said.outcome == "rejected" else FATES.good
            ends[code] = min(ends.get(code, now), now, key=list(FATES).index)
    return ends


def _entries(client: Basware, entity_type: str, since: datetime | None) -> Iterator[dict[str, Any]]:
    """Read the request statuses of one kind, of those that were updated after a time by Basware's clock."""
    options = {"entityType": entity_type, "pageSize": "500"}
    if since is not None:
        options["lastUpdated"] = f"{(since - MARGIN).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for page in client.list("/v1/requestStatus", "requestStatus", options):
        yield from (entry for entry in page if isinstance(entry, dict))


def read(entry: Mapping[str, Any]) -> Status:
    """Read one entry of `requestStatus`; anything may be absent in it."""
    items: dict[str, Item] = {}
    words: list[str] = []
    systems: list[tuple[str, dict[str, Item]]] = []
    for system in listed(entry.get("systems")):
        if not isinstance(system, dict):
            continue
        of_system = _items(system)
        words.append(_OVERALL.get(_low(system.get("systemStatus"))) or _by_items(of_system))
        systems.append((words[-1], of_system))
        for code, item in of_system.items():
            items.setdefault(code, Item()).add(item.status, item.messages)
    overall = _OVERALL.get(_low(entry.get("requestStatus"))) or _worst(words)
    finished = (code for code in items if all(_finished(code, *system) for system in systems))
    return Status(overall, items, frozenset(finished))


def _finished(code: str, word: str, items: Mapping[str, Item]) -> bool:
    """Tell whether a system has said its last word on a record; one that does not list it has when it is through."""
    return items[code].status in _LAST if code in items else word != _WAIT


def _items(system: Mapping[str, Any]) -> dict[str, Item]:
    items: dict[str, Item] = {}
    for raw in listed(system.get("items")):
        if isinstance(raw, dict) and raw.get("externalCode"):
            items.setdefault(str(raw["externalCode"]), Item()).add(_low(raw.get("status")), _messages(raw))
    return items


def _by_items(items: Mapping[str, Item]) -> str:
    """Tell how a system stands that does not say so itself."""
    known = [rank(item.status) for item in items.values()]
    if not known or rank("inprogress") in known:
        return _WAIT
    return _BAD if rank("error") in known else _GOOD


def verdict(item: Item, parent: str | None = None) -> Verdict | None:
    """Say what an item's status means; None where it is still under way, or unclear.

    `parent` is the key to wait for where the messages speak of a missing order or supplier.
    """
    text = "; ".join(item.messages)
    match item.status:
        case "success" | "warning":
            return Verdict("delivered", text or None)
        case "notprocessed" | "recordexpired":
            return Verdict("unchanged", text or _UNCHANGED[item.status])
        case "error" if parent and missing_parent(text):
            return Verdict("held", text, f"parent:{parent}")
        case "error":
            return Verdict("rejected", text or "Basware refused the record without a reason; look at it in P2P.")
        case _:
            return None


def unclear(item: Item) -> str:
    """Say in a sentence what is unclear about a record of a finished request, and what to do."""
    words = "nothing of it" if item.status == _UNLISTED else f"'{_SPELLED.get(item.status, item.status)}' of it"
    text = f" ({'; '.join(item.messages)})" if item.messages else ""
    return (
        f"Basware has finished the request but says {words}{text}, so nobody knows whether P2P has the record. "
        "Look at it in P2P; it is sent again from time to time until Basware gives a clear word."
    )


def missing_parent(text: str) -> bool:
    """Tell whether a message speaks of an order or a supplier that Basware does not have (yet)."""
    return _PARENT.search(text) is not None


def _entry(body: Any, token: str) -> dict[str, Any] | None:
    listed = body.get("requestStatus") if isinstance(body, dict) else body
    if isinstance(listed, list):
        entries = [entry for entry in listed if isinstance(entry, dict)]
        return next((e for e in entries if str(e.get("requestId")) == token), entries[0] if entries else None)
    return one_of(body, "requestStatus")


def _messages(raw: Mapping[str, Any]) -> Iterator[str]:
    for error in listed(raw.get("errors")):
        text = error.get("message") if isinstance(error, dict) else error
        if text:
            yield str(text)


def _worst(found: list[str]) -> str:
    return next((one for one in (_BAD, _WAIT, _GOOD) if one in found), _WAIT)


def _low(value: Any) -> str:
    return str(value or "").lower()
