"""Sessions of e.net: one for each operator, a seat of the license for each, and what a dead one looks like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from .errors import Refusal

DEAD = "Unable to read the SYSPRO base directory registry string BaseDir8"
"""What a recorded server says to a session that it does not know; the text for an evicted one is not documented."""


@dataclass
class Session:
    """One logged-in session; `person`: at a screen, not through e.net."""

    operator: str
    company: str
    used: datetime
    person: bool = False
    under_way: int = 0


@dataclass
class Sessions:
    """The operators (code to password) and their sessions; `companies` maps the companies to their passwords.

    seats: how many sessions there may be. idle_ends: a session that was idle for `idle_minutes` is logged out when
    somebody needs its "seat", or "always". evicted_keep_seats: one that was evicted without logging off keeps its seat
    until then (inferred). demands_spaces: the two spaces of the session belong to it.
    evicted counts sessions that another logon of the same operator ended; ousted has, for each person who lost a
    session to e.net in this way, the seconds since that person last did something.
    """

    clock: Callable[[], datetime]
    rng: Random
    operators: dict[str, str] = field(default_factory=dict, repr=False)
    companies: dict[str, str] = field(default_factory=dict, repr=False)
    seats: int = 10
    idle_minutes: int = 60
    idle_ends: str = "seat"
    evicted_keep_seats: bool = False
    demands_spaces: bool = False
    dead_text: str = DEAD
    logons: int = 0
    logoffs: int = 0
    evicted: int = 0
    ousted: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    open: dict[str, Session] = field(default_factory=dict, repr=False)
    orphans: list[datetime] = field(default_factory=list)

    def logon(self, operator: str, password: str, company: str, company_password: str, *, person: bool = False) -> str:
        """Open a session and give its 36 characters; evicts the operator's other one. Raises `Refusal`."""
        code = operator.strip().upper()
        known = self.operators.get(code)
        if known is None or known != password:
            self.failures[code] += 1
            raise Refusal("Invalid operator password" if known is not None else "Invalid operator")
        if company not in self.companies or self.companies[company] != company_password:
            self.failures[code] += 1
            raise Refusal("Invalid company password" if company in self.companies else "Invalid company")
        self._end_idle(always=self.idle_ends == "always")
        for token in [token for token, one in self.open.items() if one.operator == code]:
            session = self.open.pop(token)
            self.evicted += 1
            if session.person and not person:
                self.ousted.append((self.clock() - session.used).total_seconds())
            if self.evicted_keep_seats:
                self.orphans.append(session.used)
        if self._taken() >= self.seats:
            self._end_idle(always=True)
        if self._taken() >= self.seats:
            raise Refusal("The number of licensed e.net users has been exceeded")
        self.logons += not person
        token = f"{self.rng.getrandbits(128):032X}00"
        self.open[token] = Session(code, company, self.clock(), person)
        return f"{token}  "

    def find(self, user_id: str) -> Session:
        """The live session, its idle time begun again; raises `Refusal` where there is none."""
        self._end_idle(always=self.idle_ends == "always")
        session = self.peek(user_id)
        if session is None:
            raise self.dead()
        session.used = self.clock()
        return session

    def peek(self, user_id: str) -> Session | None:
        """The live session of an id, if there is one."""
        bare = user_id.rstrip(" ")
        if self.demands_spaces and user_id != f"{bare}  ":
            return None
        return self.open.get(bare)

    def dead(self) -> Refusal:
        """The answer to an id that no session has."""
        return Refusal(self.dead_text)

    def logoff(self, user_id: str) -> None:
        """End a session; raises `Refusal` where there is none."""
        if self.peek(user_id) is None:
            raise self.dead()
        del self.open[user_id.rstrip(" ")]
        self.logoffs += 1

    def end(self, operators: Iterable[str] | None = None) -> None:
        """End the sessions of these operators, or all of them, as an administrator or a restart does."""
        codes = None if operators is None else {operator.upper() for operator in operators}
        self.open = {token: one for token, one in self.open.items() if codes is not None and one.operator not in codes}

    def _taken(self) -> int:
        return len(self.open) + len(self.orphans)

    def _end_idle(self, *, always: bool) -> None:
        if always:
            oldest = self.clock() - timedelta(minutes=self.idle_minutes)
            self.open = {token: one for token, one in self.open.items() if one.used > oldest}
            self.orphans = [used for used in self.orphans if used > oldest]
