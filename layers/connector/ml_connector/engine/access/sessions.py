"""Tokens and sessions, shared by all workers of a tenant and renewed by one of them at a time.

A session is bound to the credentials it was made with, rests encrypted, and has a generation: whoever was refused
with generation 7 asks for 8, and takes it from the store where another worker already made it.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ml_connector.engine.access.breaker import Breaker, Closed
from ml_connector.engine.access.calls import CallCount
from ml_connector.engine.access.chain import Chain
from ml_connector.engine.access.seats import Seat
from ml_connector.errors import Conflict, LoginRefused, Transient
from ml_connector.ports import Clock, Item, Store, Vault

LEASE = timedelta(seconds=60)
MARGIN = timedelta(seconds=60)
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Session:
    """A token or session id. `expires_at` None: the server alone knows."""

    value: str = field(repr=False)
    expires_at: datetime | None = None
    generation: int = 0


class Sessions:
    """The session of one tenant at one system, under one set of credentials."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        breaker: Breaker,
        *,
        name: str,
        version: str,
        boot: str,
    ) -> None:
        """`name` tells tenant, system and scope; `version` the credentials; `boot` this process."""
        self._store, self._vault, self._clock, self._breaker = store, vault, clock, breaker
        self._pk, self._version, self._boot = f"session#{name}", version, boot
        self._lock = threading.Lock()
        self._mine: Session | None = None
        self.seat = Seat(store, clock, self._pk, alone=breaker.is_dead(""))
        """For a system that gives a user one session only; others leave it alone."""
        self.calls = CallCount(store, clock, name)
        """For a system whose calls are counted; others leave it alone."""
        self.chain = Chain(store, vault, clock, name, boot, breaker.is_dead)
        """For a system whose refresh tokens rotate; others leave it alone."""

    def beside(self, what: str) -> Sessions:
        """Give the sessions of another login of the same system, kept apart from these."""
        name = f"{self._pk.removeprefix('session#')}#{what}"
        return Sessions(
            self._store, self._vault, self._clock, self._breaker, name=name, version=self._version, boot=self._boot
        )

    def get(self, login: Callable[[], Session]) -> Session:
        """Give a session that is not about to end, logging in where there is none."""
        mine = self._mine
        return mine if mine is not None and self._fresh(mine) else self.renew(mine, login)

    def renew(self, stale: Session | None, login: Callable[[], Session]) -> Session:
        """Replace a session that the server no longer takes. Raises `LoginRefused`."""
        with self._lock:
            if self._mine is not None and self._mine is not stale and self._fresh(self._mine):
                return self._mine
            self._mine = self._shared(stale) or self._login(stale, login)
            return self._mine

    def lost(self, session: Session, who: str) -> None:
        """Hear that a session ended by itself, of which its user has one only. Raises `Throttled` where another has it.

        Nothing is lost where another worker of ours has a newer one. `who` names the user and the system.
        """
        with self._lock:
            self._mine = None
        if self._shared(session) is None:
            self.distrust(session)
            self.seat.lost(session.generation, who)

    def share(self, fresh: Session) -> None:
        """Let all workers have a session that was made outside of `renew`. Raises `LoginRefused`."""
        with self._lock:
            self._mine = None
        self.renew(self._shared(None), lambda: fresh)

    def shared(self) -> Session | None:
        """Give the session that all workers have, without logging in; None where there is none."""
        return self._shared(None)

    def leave(self, session: Session) -> None:
        """Let nobody use a session from now on: it is about to be ended."""
        self.seat.leave(session.generation)
        self.distrust(session)

    def forget(self) -> None:
        """Drop the session everywhere, after a logout."""
        with self._lock:
            self._mine = None
            self._store.delete(self._pk, "session")

    def distrust(self, session: Session) -> None:
        """Let nobody use a session that may be good no more, unless another worker is making a new one."""
        with self._lock:
            self._mine = None
        item = self._store.get(self._pk, "session")
        if item is None or item.data.get("generation") != session.generation:
            return
        until = item.data.get("lease_until")
        if until is None or datetime.fromisoformat(until) <= self._clock.now():
            self._put(replace(item, data={**item.data, "sealed": None}))

    def _fresh(self, session: Session) -> bool:
        return session.expires_at is None or session.expires_at - self._clock.now() > MARGIN

    def _shared(self, stale: Session | None) -> Session | None:
        item = self._store.get(self._pk, "session")
        return self._usable(item, stale) if item else None

    def _usable(self, item: Item, stale: Session | None) -> Session | None:
        data = item.data
        if data.get("made_with") != self._version or not data.get("sealed"):
            return None
        try:
            if stale is not None and data["generation"] <= stale.generation:
                return None
            value = self._vault.open(base64.b64decode(data["sealed"]), self._pk).decode()
            ends = datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else None
            session = Session(value, ends, data["generation"])
            return session if self._fresh(session) else None
        except (ValueError, TypeError, KeyError):
            return None  # sealed under another key, or damaged: a new login replaces it

    def _login(self, stale: Session | None, login: Callable[[], Session]) -> Session:
        waited = 0.0
        while True:
            leased = self._lease()
            if leased is not None:
                break
            if waited >= PATIENCE:
                raise Transient("Another worker is logging in and has not finished; it is tried again later.")
            self._clock.sleep(0.25)
            waited += 0.25
            if (shared := self._shared(stale)) is not None:
                return shared
        return self._shared(stale) or self._log_in(leased, login)

    def _lease(self) -> Item | None:
        """Take the right to log in; None while another worker has it."""
        now = self._clock.now()
        item = self._store.get(self._pk, "session") or Item(self._pk, "session", {"generation": 0})
        until, owner = item.data.get("lease_until"), str(item.data.get("owner", ""))
        if until and datetime.fromisoformat(until) > now and not self._breaker.is_dead(owner):
            return None
        data = {**item.data, "lease_until": (now + LEASE).isoformat(), "owner": self._boot}
        try:
            return self._store.put(replace(item, data=data))
        except Conflict:
            return None

    def _log_in(self, leased: Item, login: Callable[[], Session]) -> Session:
        released: dict[str, Any] = {**leased.data, "lease_until": None, "owner": ""}
        try:
            self._breaker.may_log_in()
            session = login()
            sealed = base64.b64encode(self._vault.seal(session.value.encode(), self._pk)).decode()
        except LoginRefused as refusal:
            if not isinstance(refusal, Closed):  # else its reason would be told of itself, longer each time
                self._breaker.login_refused(str(refusal))
            self._put(replace(leased, data=released))
            raise
        except Exception:
            self._put(replace(leased, data=released))
            raise
        before = leased.data.get("generation")
        session = replace(session, generation=(before if isinstance(before, int) else 0) + 1)
        ends = session.expires_at.isoformat() if session.expires_at else None
        self._put(
            replace(
                leased,
                data={
                    **released,
                    "made_with": self._version,
                    "generation": session.generation,
                    "sealed": sealed,
                    "expires_at": ends,
                },
                ttl=int((self._clock.now() + timedelta(days=2)).timestamp()),
            )
        )
        return session

    def _put(self, item: Item) -> None:
        with suppress(Conflict):  # the lease ended meanwhile; the session in hand is good all the same
            self._store.put(item)
