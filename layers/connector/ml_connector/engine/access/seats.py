"""The seat of a user whom a system gives one session only: who used it last, and whether somebody else took it.

Such a user may be a person's as well. Where our session ends while it is in use, somebody else logged on; logging on
again at once would end theirs, and they would end ours. So the seat is left to them for a while, longer each time. And
a session takes a licence: one that nobody uses is ended, so that its licence is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ml_connector.errors import Conflict, Throttled, Transient
from ml_connector.ports import Clock, Item, Store

IDLE = timedelta(minutes=5)
"""A session that was not used for so long is idle: the server itself may have ended it, and it is given back."""
NOTED = timedelta(minutes=1)
"""How exactly the last use is known: each note of it is a write."""
FIRST, MOST = timedelta(minutes=5), timedelta(hours=1)
"""How long a seat is left to somebody else: at first, and at most."""
FORGOTTEN = timedelta(hours=4)
"""After so long without another loss the next wait is a first one again."""
TURN, PATIENCE = timedelta(minutes=2), 60.0
"""How long a call has the session to itself at most, should its worker die; and seconds that another one waits."""
SK, TURN_SK = "seat", "turn"


def idle_key(system: str) -> str:
    """Name the part of the due index that holds a system's idle sessions."""
    return f"idle#{system}"


class Seat:
    """The seat of one login; its row stands beside the session's."""

    def __init__(self, store: Store, clock: Clock, pk: str, *, alone: bool = False) -> None:
        """`pk` is the session's: `session#TENANT#SYSTEM…`. `alone`: no other process of ours has the same."""
        self._store, self._clock, self._pk, self._alone = store, clock, pk, alone
        self._noted: datetime | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Have the session to oneself for a call: no other process of ours calls meanwhile. Raises `Transient`."""
        waited, taken = 0.0, None if self._alone else self._take()
        while taken is None and not self._alone:
            if waited >= PATIENCE:
                raise Transient("Another worker has the session, which takes one call at a time; it is tried later.")
            self._clock.sleep(0.25)
            waited, taken = waited + 0.25, self._take()
        try:
            yield
        finally:
            if taken is not None:
                with suppress(Conflict):  # it took so long that another one has its turn
                    self._store.put(replace(taken, data={}))

    def _take(self) -> Item | None:
        now, item = self._clock.now(), self._store.get(self._pk, TURN_SK) or Item(self._pk, TURN_SK)
        until = item.data.get("until")
        if until and datetime.fromisoformat(until) > now:
            return None
        ttl = int((now + timedelta(days=2)).timestamp())
        try:
            return self._store.put(replace(item, data={"until": (now + TURN).isoformat()}, ttl=ttl))
        except Conflict:
            return None

    def used(self) -> None:
        """Note that the session is in use."""
        now = self._clock.now()
        if self._noted is not None and now - self._noted < NOTED:
            return
        self._change(lambda data: data.update(used_at=now.isoformat()), now + IDLE)
        self._noted = now

    def may_log_on(self) -> None:
        """Raise `Throttled` while the seat is left to somebody else."""
        if (row := self._row()) is not None:
            self._wait(row.data)

    def lost(self, generation: int, who: str) -> None:
        """Hear that a session ended by itself. Raises `Throttled` where it was in use, and so is somebody else's now.

        `who` names the user and the system.
        """
        now, row = self._clock.now(), self._row()
        data = dict(row.data) if row is not None else {}
        self._wait(data)
        used = data.get("used_at")
        if generation <= data.get("left", 0) or used is None or now - datetime.fromisoformat(used) >= IDLE:
            return
        again = data.get("lost_at") and now - datetime.fromisoformat(data["lost_at"]) < FORGOTTEN
        losses = data.get("losses", 0) + 1 if again else 1
        until = now + min(FIRST * 2 ** min(losses - 1, 4), MOST)
        reason = (
            f"The session of {who} ended while it was in use: somebody else logged on as the same user, or the server "
            "was started again. It is not taken back immediately, since that would end theirs. Give the connector a "
            "user of its own."
        )
        told = {"lost_at": now.isoformat(), "losses": losses, "until": until.isoformat(), "reason": reason}
        self._change(lambda data: data.update(told))
        self._wait(told)

    def idle(self) -> bool:
        """Tell whether nobody used the session for a while, and nobody gave it back yet."""
        row = self._row()
        used = row.data.get("used_at") if row is not None and row.due_at is not None else None
        return used is not None and self._clock.now() - datetime.fromisoformat(used) >= IDLE

    def leave(self, generation: int) -> None:
        """Note that the session of a generation, and those before it, were ended by us."""
        self._noted = None
        self._change(lambda data: data.update(left=generation), None, leave=True)

    def _wait(self, data: Mapping[str, Any]) -> None:
        until = datetime.fromisoformat(data["until"]) if data.get("until") else None
        if until is not None and until > self._clock.now():
            wait = (until - self._clock.now()).total_seconds()
            raise Throttled(f"{data.get('reason', '')} Next logon: {until:%H:%M} UTC.", wait)

    def _row(self) -> Item | None:
        return self._store.get(self._pk, SK)

    def _change(
        self, change: Callable[[dict[str, Any]], None], idle_at: datetime | None = None, *, leave: bool = False
    ) -> None:
        """Write the row, and when it is idle; where another worker was first, its note does as well."""
        row = self._row() or Item(self._pk, SK)
        data = dict(row.data)
        change(data)
        _, tenant, system = self._pk.split("#")[:3]
        if idle_at is not None:  # in the form of `ledger.rows.iso`
            row = replace(
                row, due_pk=idle_key(system), due_at=idle_at.astimezone(UTC).isoformat(timespec="microseconds")
            )
        elif leave:
            row = replace(row, due_pk=None, due_at=None)
        ttl = int((self._clock.now() + timedelta(days=2)).timestamp())
        with suppress(Conflict):
            self._store.put(replace(row, data={**data, "tenant": tenant}, ttl=ttl))
