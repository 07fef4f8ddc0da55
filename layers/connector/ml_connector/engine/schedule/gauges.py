"""What the alarms look at: how old the oldest work is, and how much of it waits or failed, by system.

Computed from the index rows of what is unfinished, never tenant by tenant. One look reads a bounded number of rows and
goes on where the last one ended; sums are kept meanwhile. With less work than that every look is complete. With more,
a figure is that of the last complete round, and a row that moves during a round may be counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation

from msgspec import Struct, ValidationError, field

from ml_connector.engine.ledger.ledger import DUE, FAILED, shards
from ml_connector.engine.ledger.rows import Chunk, dump, iso, load
from ml_connector.engine.runtime import Runtime
from ml_connector.engine.schedule import passes
from ml_connector.engine.schedule.tenant_rows import wanted_among
from ml_connector.errors import Conflict
from ml_connector.ports import Item
from ml_connector.type_cache import resolve

PK = "gauges"
ROWS = 2000
"""Rows of a part of the index that one look reads: about 2 MB, and a second or two of the smallest processor."""
FRONT = 50
"""Rows at the front of each shard that every look reads: what is due and was never taken up stands there."""
PAGE = 500
CURRENCIES = 10
"""Of how many currencies the amount on hold is told, for each system: those of the most documents."""
EVER = "9999"


class Sums(Struct, kw_only=True, omit_defaults=True):
    """What a round found of one target system.

    `due`: for how many seconds the oldest due chunk had waited when it was read. `held`, `parked`, `failed`: since when
    the oldest one is. `amounts`: by currency, how many documents are on hold, and what they add up to.
    """

    due: float = 0.0
    held: str | None = None
    held_count: int = 0
    parked: str | None = None
    failed: str | None = None
    failed_count: int = 0
    amounts: dict[str, tuple[int, str]] = field(default_factory=dict)


class Round(Struct, kw_only=True, omit_defaults=True):
    """A round under way over a part of the index: the row that was read last, what was found, and the last round's."""

    shard: int = 0
    place: tuple[str, str, str] | None = None
    found: dict[str, Sums] = field(default_factory=dict)
    last: dict[str, Sums] = field(default_factory=dict)


for _kind in (Sums, Round):
    resolve(_kind)


@dataclass(frozen=True, slots=True)
class Gauges:
    """A system's figures by metric name, and the amounts on hold by currency."""

    values: Mapping[str, float]
    held: Mapping[str, Decimal]


def gauges_of(runtime: Runtime, systems: Iterable[str]) -> dict[str, Gauges]:
    """Measure each system: what waits to be written to it, and how late the flows are that are read from it."""
    now = runtime.clock.now()
    due, failed = survey(runtime, DUE), survey(runtime, FAILED)
    return {
        system: _gauges(runtime, system, now, due.get(system, Sums()), failed.get(system, Sums())) for system in systems
    }


def _gauges(runtime: Runtime, system: str, now: datetime, due: Sums, failed: Sums) -> Gauges:
    late, failing = passes.late(runtime.store, system, now)

    def age(since: str | None) -> float:
        return max((now - datetime.fromisoformat(since)).total_seconds(), 0.0) if since else 0.0

    values = {
        "OldestDueSeconds": due.due,
        "OldestHeldSeconds": age(due.held),
        "HeldRecords": due.held_count,
        "OldestDeferredSeconds": age(due.parked),
        "FailedRecords": failed.failed_count,
        "OldestFailedSeconds": age(failed.failed),
        "PassOverdueSeconds": late,
        "FailingFlows": failing,
    }
    most = sorted(due.amounts.items(), key=lambda one: (-one[1][0], one[0]))[:CURRENCIES]
    return Gauges(values, {currency: Decimal(amount) for currency, (_, amount) in most})


# ── rounds ───────────────────────────────────────────────────────────────────────────────────────────────────


def survey(runtime: Runtime, part: str) -> dict[str, Sums]:
    """Read some more rows of a part of the index; gives what is known of each target system."""
    item = runtime.store.get(PK, part) or Item(PK, part)
    begun = _read(item)
    state = Round(shard=begun.shard, place=begun.place, found=dict(begun.found), last=begun.last)
    through = _go_on(runtime, part, state)
    if through:
        state.last, state.found, state.shard, state.place = state.found, {}, 0, None
    whole = through and not begun.found and begun.place is None and not begun.shard
    if not whole:
        with suppress(Conflict):  # another look at the same time
            runtime.store.put(replace(item, data=dump(state)))
        _look_at_front(runtime, part, state.found)
    elif begun.last:
        runtime.store.delete(PK, part)  # the work fits into one look again
    return {
        system: _together(state.last.get(system), state.found.get(system)) for system in {*state.last, *state.found}
    }


def _read(item: Item) -> Round:
    try:
        return load(Round, item.data)
    except ValidationError:  # of another release
        return Round()


def _go_on(runtime: Runtime, part: str, state: Round) -> bool:
    """Read on from where a round stands; tells whether it is through."""
    left, names = ROWS, shards(part)
    while state.shard < len(names):
        after = _row_at(names[state.shard], state.place)
        size = min(PAGE, left)
        page = runtime.store.due(names[state.shard], EVER, size, after=after)
        _add(runtime, page, state.found)
        left -= len(page)
        if len(page) < size:
            state.shard, state.place = state.shard + 1, None
        else:
            state.place = (str(page[-1].due_at), page[-1].pk, page[-1].sk)
            if left <= 0:
                return False
    return True


def _look_at_front(runtime: Runtime, part: str, found: dict[str, Sums]) -> None:
    """Look at the oldest rows of each shard, for their ages alone: a round of many looks would come to them late."""
    seen: dict[str, Sums] = {}
    for name in shards(part):
        _add(runtime, runtime.store.due(name, EVER, FRONT), seen)
    for system, sums in seen.items():
        ages = Sums(due=sums.due, held=sums.held, parked=sums.parked, failed=sums.failed)
        found[system] = _together(found.get(system), ages)


def _row_at(name: str, place: tuple[str, str, str] | None) -> Item | None:
    return Item(place[1], place[2], due_pk=name, due_at=place[0]) if place else None


def _add(runtime: Runtime, page: list[Item], found: dict[str, Sums]) -> None:
    """Add rows to what was found; what nobody works on (its tenant ended, its flow is off) counts for nothing."""
    read = [(load(Chunk, item.data), item.pk.rsplit("#", 1)[1]) for item in page]
    wanted = wanted_among(runtime.store, (chunk.tenant for chunk, _ in read)) if read else None
    now = runtime.clock.now()
    for chunk, scope in read:
        if wanted is not None and wanted(chunk, scope):
            _count(chunk, found.setdefault(chunk.lane.split(".")[1], Sums()), now)


def _count(chunk: Chunk, sums: Sums, now: datetime) -> None:
    if chunk.state == "failed":
        sums.failed = _earlier(sums.failed, chunk.died_at or chunk.created)
        sums.failed_count += chunk.count
    elif chunk.waiting_for:
        sums.held = _earlier(sums.held, chunk.created)
        sums.held_count += chunk.count
        _hold_amount(chunk, sums)
    elif chunk.due_at:
        sums.due = max(sums.due, (now - datetime.fromisoformat(chunk.due_at)).total_seconds())
        if chunk.parked_at and chunk.state == "waiting":
            sums.parked = _earlier(sums.parked, chunk.parked_at)


def _hold_amount(chunk: Chunk, sums: Sums) -> None:
    with suppress(InvalidOperation):
        amount = Decimal(chunk.amount or "")
        if chunk.currency and amount.is_finite():
            count, total = sums.amounts.get(chunk.currency, (0, "0"))
            sums.amounts[chunk.currency] = (count + 1, str(Decimal(total) + amount))


def _together(one: Sums | None, other: Sums | None) -> Sums:
    """Take the larger of what two looks found: a round under way has not seen everything yet."""
    if one is None or other is None:
        return one or other or Sums()
    return Sums(
        due=max(one.due, other.due),
        held=_earlier(one.held, other.held),
        parked=_earlier(one.parked, other.parked),
        failed=_earlier(one.failed, other.failed),
        held_count=max(one.held_count, other.held_count),
        failed_count=max(one.failed_count, other.failed_count),
        amounts=other.amounts | one.amounts,
    )


def _earlier(one: str | None, other: str | None) -> str | None:
    return min(one, other) if one and other else one or other


# ── the tenant registry ──────────────────────────────────────────────────────────────────────────────────────


def registry_kept(runtime: Runtime) -> None:
    """Note that the tenant registry was compared with all secrets just now."""
    item = runtime.store.get(PK, "registry") or Item(PK, "registry")
    with suppress(Conflict):  # another one has just done the same
        runtime.store.put(replace(item, data={"at": iso(runtime.clock.now())}))


def registry_age(runtime: Runtime) -> float | None:
    """Tell how many seconds ago the tenant registry was last compared with all secrets; None where it never was."""
    item = runtime.store.get(PK, "registry")
    return (runtime.clock.now() - datetime.fromisoformat(item.data["at"])).total_seconds() if item else None
