"""The login of one tenant at one vendor, shared by all its workers: made by one, and a refusal proven once for all.

A vendor says three things in its `Scheme`: how it logs in, how a request is signed, and what a refusal looks like.
Everything else is said here. Vendors lock users, so a refused login is tried once, by one worker, and shuts the door
for all of them until the secret's version changes (`engine/access/breaker`). A session that was refused and could not
be replaced is used by nobody: whoever comes next logs in first. `ping` logs in for itself, so that it tries the
password and not yesterday's session, and a refusal that it meets counts for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from enum import Enum
from typing import Protocol, TypeVar

import httpx

from ml_connector.engine.access.sessions import Session, Sessions
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import Unproven

F = TypeVar("F")
LONGEST = timedelta(days=1)
"""How long a session is kept at most, whatever a server says of its life."""
_SMALL = 64 * 1024
"""Bytes of a refusal that is looked into: what is longer is none."""


class Doubt(Enum):
    """What a refused request says of the session it was signed with; either is worth one new session."""

    DEAD = "the server takes this session no more"
    VAGUE = "perhaps the session, perhaps only a right or this one request"


class Scheme(Protocol):
    """How one vendor logs in."""

    def log_in(self) -> Session:
        """Open a session, or prove the credentials. Raises `LoginRefused`, `Misconfigured` or `Transient`."""

    def sign(self, request: httpx.Request, session: Session, /) -> None:
        """Put the session on a request; called again where the request is replayed."""

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell what an answer says of the session; None where it says nothing. Reads no body but a refusal's."""


class SharedLogin(httpx.Auth):
    """Signs each request with the session of all workers, and replays it once after that session was refused."""

    def __init__(self, sessions: Sessions, scheme: Scheme) -> None:
        """Log in nowhere yet: the first request does."""
        self._sessions, self._scheme = sessions, scheme
        self._own: Session | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send, and where the session was refused send once more with a new one, never a third time.

        A refused session is refused before anything is done, so that a posting may be repeated too.
        """
        session = self.session()
        self._scheme.sign(request, session)
        response = yield request
        doubt = self._scheme.doubt(response)
        if doubt is None or self._own is not None:
            return
        response.read()  # gives its connection back: with one connection only, the login would wait for it
        self._scheme.sign(request, self._replaced(session, doubt))
        yield request

    def session(self) -> Session:
        """Give the session in use; logs in where there is none yet."""
        return self._own or self._sessions.get(self._scheme.log_in)

    def ready(self) -> None:
        """Log in where there is no session yet. Outside a request, so that two loops of tries do not multiply."""
        self.session()

    def renew(self) -> None:
        """Replace the session, after a refusal that came with a good status."""
        if self._own is None:
            self._replaced(self.session(), Doubt.DEAD)

    def _replaced(self, session: Session, doubt: Doubt) -> Session:
        """Log in again. Where that is refused, or stays open after a session's end, nobody uses the old one again."""
        try:
            return self._sessions.renew(session, self._scheme.log_in)
        except LoginRefused:
            self._sessions.distrust(session)
            raise
        except (Transient, Misconfigured):
            if doubt is Doubt.DEAD:
                self._sessions.distrust(session)
            raise

    # ── where a user has one session only ───────────────────────────────────────────────────────────────────────

    def turn(self) -> AbstractContextManager[None]:
        """Have the session to oneself for a call, among all workers. Raises `Transient` where that takes too long."""
        return self._sessions.seat.turn()

    def used(self) -> None:
        """Note that the session is in use."""
        self._sessions.seat.used()

    def lost(self, who: str) -> None:
        """Give up the session, which ended by itself; the next request logs in. `who` names the user and the system.

        Raises `Throttled` where somebody else has taken the seat.
        """
        if self._own is None:
            self._sessions.lost(self.session(), who)

    def prove_for_all(self) -> bool:
        """Log in again for all workers: a proof for this connection alone would end their session.

        Tells whether they had none, so that whoever proved may end it. Raises as `prove` does, and `Throttled` while
        the seat is left to somebody else.
        """
        alone = self._sessions.shared() is None
        try:
            fresh = self._scheme.log_in()
        except LoginRefused as refusal:
            self._tell_all(refusal)
            raise
        try:
            self._sessions.share(fresh)
        except LoginRefused:  # refused before; it opens for the workers when all checks are through
            self._own = fresh
        return alone

    def give_back(self, log_off: Callable[[Session], None]) -> None:
        """End the session, and let nobody use it from then on."""
        session = self._own or self._sessions.shared()
        self._own = None
        if session is not None:
            self._sessions.leave(session)
            log_off(session)

    # ── for this connection alone ───────────────────────────────────────────────────────────────────────────

    def prove(self, log_in: Callable[[], Session] | None = None) -> None:
        """Log in for this connection alone; the session that the workers share is left as it is.

        A refusal closes the door for the workers too, as if one of them had met it, without a second try.
        """
        try:
            self._own = (log_in or self._scheme.log_in)()
        except LoginRefused as refusal:
            self._tell_all(refusal)
            raise

    def leave(self) -> None:
        """Use the shared session again; whoever proved a login that stands open at the server logs out before."""
        self._own = None

    @contextmanager
    def lent(self, session: Session) -> Iterator[None]:
        """Sign with another session for a while."""
        before, self._own = self._own, session
        try:
            yield
        finally:
            self._own = before

    def _tell_all(self, refusal: LoginRefused) -> None:
        def refused() -> Session:
            raise refusal

        self._sessions.renew(self._sessions.get(refused), refused)


def knock(http: Http, call: Call, no_login: Callable[[object], Misconfigured]) -> Reply:
    """Send a login. Where a gateway says to the last try that there is none, the address is wrong: `no_login`."""
    try:
        return http.call(call)
    except Unproven as error:  # also after some tries
        raise no_login(error) from error


def fault_of(response: httpx.Response, fault_in: Callable[[Reply], F | None]) -> F | None:
    """Read what a refusal says, and no other body: pages are streamed under the caller's limits of size and time."""
    told = response.headers.get("content-length") or "0"
    if response.status_code < 400 or not (told.isdecimal() and len(told) < 10 and int(told) <= _SMALL):
        return None
    return fault_in(Reply(response.status_code, response.headers, response.read()))


def lifetime(told: object, unit: timedelta = timedelta(seconds=1)) -> timedelta | None:
    """Read how long a session lasts, in a server's words: at most `LONGEST`; None where it does not say it."""
    if isinstance(told, bool) or not isinstance(told, (str, int, float)):
        return None
    try:
        lasts = float(told) * unit.total_seconds()
    except (ValueError, OverflowError):
        return None
    return timedelta(seconds=min(lasts, LONGEST.total_seconds())) if lasts > 0 else None
