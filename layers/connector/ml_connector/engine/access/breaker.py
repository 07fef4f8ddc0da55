"""Keeps work away from a system that is down, and logins away from one that refused them.

ERPs lock users after a few wrong passwords, so a refused login closes the door until the secret's version changes
or `ping` succeeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.errors import Conflict, LoginRefused, Throttled, Transient
from ml_connector.ports import Clock, Item, Store

FIRST, MOST = 5.0, 900.0
"""Seconds that an outage parks work: at first, and at most."""
DOUBLINGS = 8
CALM = timedelta(minutes=1)
REMEMBERED = timedelta(hours=1)
"""For so long a version of a secret that was refused stays so, once another one was: no worker has it any more."""


class Parked(Throttled):
    """The door itself was closed: nobody was asked, so nothing new is known of the system.

    `busy`: it is there, and asked for fewer requests; else it is away.
    """

    def __init__(self, message: str, retry_after: float, *, busy: bool) -> None:
        super().__init__(message, retry_after)
        self.busy = busy


class Closed(LoginRefused):
    """The login was refused before, and the server was not asked again: nothing new is known of it."""


class Breaker:
    """The door to one system of one tenant."""

    def __init__(
        self, store: Store, clock: Clock, *, tenant: str, system: str, version: str, boot: str, sole: bool
    ) -> None:
        """`version` is the secret's; `sole`: no other process works on this state, so other boots are dead."""
        self._store, self._clock = store, clock
        self._pk, self._system, self._version = f"breaker#{tenant}", system, version
        self._boot, self._sole = boot, sole
        self._calm_at: datetime | None = None
        self.refusals = 0
        """How often the system itself refused a login since somebody counted: the closed door is none."""

    def is_dead(self, owner: str) -> bool:
        """Tell whether the holder of a lease belongs to a process that is surely gone."""
        return self._sole and owner != self._boot

    def check(self) -> None:
        """Raise `Transient` while the system is parked, `LoginRefused` while its login is closed."""
        data = self._data()
        self._closed(data)
        if data.get("open_until") and datetime.fromisoformat(data["open_until"]) > self._clock.now():
            raise Parked(
                f"{data.get('reason', 'The server is unavailable.')} Work waits until {data['open_until']}.",
                (datetime.fromisoformat(data["open_until"]) - self._clock.now()).total_seconds(),
                busy=bool(data.get("busy")),
            )

    def trouble_now(self) -> str | None:
        """Tell why the system is parked, or its login closed; None where it is open."""
        data = self._data()
        until = data.get("open_until")
        parked = until is not None and datetime.fromisoformat(until) > self._clock.now()
        parked = parked or self._is_refused(data)
        return str(data.get("reason", "The server is unavailable.")) if parked else None

    def try_again(self) -> None:
        """Forget an outage, as a person does who starts a run; a refused login stays refused."""
        if self._data().get("open_until"):
            self._change(lambda data: [data.pop(k, None) for k in ("open_until", "failures")])

    def may_log_in(self) -> None:
        """Raise `LoginRefused` where this very secret was refused before."""
        self._closed(self._data())

    def failed(self, error: Transient) -> None:
        """Park the system for a while; longer each time. Work that met the closed door does not close it longer."""
        if isinstance(error, Parked):
            return

        def change(data: dict[str, Any]) -> None:
            failures = data.get("failures", 0) + 1
            asked = getattr(error, "retry_after", None) or 0
            pause = max(min(FIRST * 2 ** min(failures - 1, DOUBLINGS), MOST), min(asked, MOST))
            until = self._clock.now() + timedelta(seconds=pause)
            busy = isinstance(error, Throttled)
            data.update(failures=failures, open_until=until.isoformat(), reason=str(error), busy=busy)

        self._change(change)

    def login_refused(self, reason: str) -> None:
        """Close the login until the secret changes.

        Versions that were refused within the last hour stay so: workers that have not seen the new one yet would
        otherwise open the door for those that have, and the other way round, until the server locks the user.
        """

        def change(data: dict[str, Any]) -> None:
            before = self._before(data)
            if last := data.get("refused"):
                before[last] = self._clock.now().isoformat()
            before.pop(self._version, None)
            data.update(refused=self._version, refused_before=before, reason=reason)

        self._change(change)

    def succeeded(self) -> None:
        """End an outage: the system answered. A login that was refused stays so, whoever still has a session.

        After a look that found no outage the row is not read again for a minute: each page of a long reading says this.
        """
        if self._calm_at is None or self._clock.now() - self._calm_at > CALM:
            self.try_again()

    def reset(self) -> None:
        """Open everything: a person has seen the login work."""
        if self._data():
            self._change(lambda data: data.clear())

    def _closed(self, data: dict[str, Any]) -> None:
        if self._is_refused(data):
            raise Closed(
                f"{data.get('reason', 'The login was refused.')} Nothing logs in again until the secret is changed "
                "or `ml-connector ping` succeeds."
            )

    def _is_refused(self, data: Mapping[str, Any]) -> bool:
        return data.get("refused") == self._version or self._version in self._before(data)

    def _before(self, data: Mapping[str, Any]) -> dict[str, str]:
        """List the versions that were refused before the last one, and when another one followed; old ones left out."""
        since = self._clock.now() - REMEMBERED
        return {v: at for v, at in data.get("refused_before", {}).items() if datetime.fromisoformat(at) > since}

    def _data(self) -> dict[str, Any]:
        item = self._store.get(self._pk, self._system)
        data = dict(item.data) if item else {}
        self._calm_at = None if data.get("open_until") else self._clock.now()
        return data

    def _change(self, change: Any) -> None:
        self._calm_at = None
        for _ in range(5):
            item = self._store.get(self._pk, self._system) or Item(self._pk, self._system)
            data = dict(item.data)
            change(data)
            try:
                self._store.put(replace(item, data=data))
            except Conflict:
                continue
            return
