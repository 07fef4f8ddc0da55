"""Sessions: login, idle timeout, locking of users, and what a dead session looks like (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from .errors import SESSION_TEXT, Refusal

LOCK_AFTER = 5


@dataclass
class Session:
    """One logged-in session, to which company, and when it was last used."""

    user: str
    used: datetime
    company: str


@dataclass
class Sessions:
    """All sessions of a company, with the accounts that may log in (`accounts`: user name to password).

    `copies` names further companies of the server with the same accounts and, in this simulation, the same books.
    """

    clock: Callable[[], datetime]
    rng: Random
    company: str = "SBODEMO"
    copies: set[str] = field(default_factory=set)
    accounts: dict[str, str] = field(default_factory=dict, repr=False)
    timeout_minutes: int = 30
    limit_per_user: int = 10
    failure_code: int = -304
    dead_style: str = "401"
    logins: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    consecutive: Counter[str] = field(default_factory=Counter)
    open: dict[str, Session] = field(default_factory=dict, repr=False)

    def login(self, company: str, user: str, password: str) -> str:
        """Open a session and return its id; refuses wrong data and, after five refusals in a row, the user."""
        expected = self.accounts.get(user)
        locked = self.consecutive[user] >= LOCK_AFTER
        if locked or company not in {self.company, *self.copies} or expected is None or password != expected:
            self.failures[user] += 1
            self.consecutive[user] += 1
            raise Refusal(401, self.failure_code, "Fail to get DB Credentials from SLD")
        self._drop_idle()
        if sum(session.user == user for session in self.open.values()) >= self.limit_per_user:
            # Neither status nor code is documented (inferred): it is the server's state, not the login's fault.
            raise Refusal(500, 305, "Switch company error: -1102, too many sessions of this user")
        self.consecutive[user] = 0
        self.logins += 1
        number = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        self.open[number] = Session(user, self.clock(), company)
        return number

    def touch(self, number: str | None) -> Session:
        """The live session of this id, its idle time restarted; refuses any other id."""
        self._drop_idle()
        session = self.open.get(number or "")
        if session is None:
            raise self.dead()
        session.used = self.clock()
        return session

    def dead(self) -> Refusal:
        """The answer without a live session: 401/301, or the 400/-5002 that one account of the field tells of."""
        if self.dead_style == "-5002":
            return Refusal(400, -5002, SESSION_TEXT)
        return Refusal(401, 301, SESSION_TEXT)

    def logout(self, number: str) -> None:
        """End one session."""
        self.open.pop(number, None)

    def _drop_idle(self) -> None:
        oldest = self.clock() - timedelta(minutes=self.timeout_minutes)
        self.open = {number: one for number, one in self.open.items() if one.used > oldest}
