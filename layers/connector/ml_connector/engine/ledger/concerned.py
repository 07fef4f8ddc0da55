"""What flows in the other direction know of a flow's documents: by which names they find one, and which are asked for.

A status or a payment belongs to a document that was delivered before. It names it as the target of that one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.errors import Conflict
from ml_connector.ports import Item

AT_A_TIME = 50
"""Documents that are asked for between two saved positions."""
KEPT = timedelta(days=90)
"""How long a document is asked for, once a day, after hardly anything more was to come of it."""


def owner(ledger: Ledger, names: Sequence[str]) -> str | None:
    """Find the document of ours that one of these names stands for: an id, or `~` and a reserved name; best first.

    A name that was let go of is nobody's.
    """
    for name in names:
        reserved = name.startswith("~")
        item = ledger.store.get(ledger.links_pk, f"{ledger.flow}{'' if reserved else '#'}{name}")
        if item is not None and (not reserved or ledger.keeps(str(item.data["key"]))):
            return str(item.data["key"])
    return None


@dataclass(frozen=True, slots=True)
class Watched:
    """A document that a flow's source is asked for. `since`: when it was delivered; `final`: hardly more is to come."""

    target: str
    since: datetime
    final: datetime | None
    item: Item


def watch(ledger: Ledger, target: str) -> None:
    """Have the source of a flow asked for a document by its id, from now on."""
    with suppress(Conflict):  # it is watched already
        ledger.store.put(Item(ledger.pk, f"w#{target}", {"at": ledger.now()}))


def watched(ledger: Ledger, after: str | None) -> list[Watched]:
    """Read some of what is asked for, in the order of ids, behind one."""
    items = ledger.store.query(ledger.pk, "w#", after=f"w#{after}" if after else None, limit=AT_A_TIME)
    return [_read(item) for item in items]


def note_final(ledger: Ledger, one: Watched, *, final: bool) -> None:
    """Note whether hardly anything more is to come of a document; forget one of which nothing has come for long."""
    now = ledger.clock.now()
    if final and one.final is not None and one.final + KEPT < now:
        ledger.store.delete(one.item.pk, one.item.sk)
    elif final != (one.final is not None):
        data = {"at": one.item.data["at"]} | ({"final": ledger.now()} if final else {})
        with suppress(Conflict):  # another reader notes the same
            ledger.store.put(replace(one.item, data=data))


def _read(item: Item) -> Watched:
    final = item.data.get("final")
    since = datetime.fromisoformat(str(item.data["at"]))
    return Watched(item.sk[2:], since, datetime.fromisoformat(str(final)) if final else None, item)
