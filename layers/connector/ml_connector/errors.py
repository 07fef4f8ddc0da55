"""Errors, named by what to do about them.

A vendor's adapter raises one of these and nothing else for whatever its server did; the engine decides by the
class alone. Every message is a sentence that tells a person what happened and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_connector.flow import SourceState


class ConnectorError(Exception):
    """The root of everything that the connector raises on purpose."""


class Transient(ConnectorError):
    """Passing trouble, and the request had no effect: try again later. `spent`: quick tries were made already."""

    spent = False


class Unreachable(Transient):
    """No connection could be made: the whole server is away, not one record."""


class OutOfTime(Transient):
    """This process ends before the next request could: nothing was sent, and another process continues."""

    spent = True


class Throttled(Transient):
    """The server asked for fewer requests. `retry_after` is in seconds, None where it named no time."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LoginRefused(ConnectorError):
    """The credentials were refused. Nobody logs in again until the secret changes or `ping` succeeds."""


class Misconfigured(ConnectorError):
    """A secret or setting cannot be used as written."""


class Denied(Misconfigured):
    """AWS denies access to one thing: it may be there or not."""


class Rejected(ConnectorError):
    """The record itself is refused, by us or by the target; sending the same again would change nothing."""


class Unexplained(Rejected):
    """The target speaks of a trouble of its own: the same again may be taken, unless one record brings it about."""


class NotOurs(Rejected):
    """The document belongs to nothing of ours, such as somebody else's payment: it counts as unchanged."""


class Unreadable(Rejected):
    """A document that cannot be read as one. `standing`, `stamp`, `number` and `company` are its platform's, and could
    be read.
    """

    def __init__(
        self,
        message: str,
        standing: SourceState,
        stamp: str | None,
        number: str | None = None,
        company: str | None = None,
    ) -> None:
        super().__init__(message)
        self.number, self.company = number, company
        self.standing = standing
        self.stamp = stamp


class Held(ConnectorError):
    """The record waits for something that a person or another record brings, named by `waiting_for`.

    `soon`: it comes by itself while other work goes on, so it is looked at again within seconds. `awaits`: the one
    record that it waits for, as KIND:CODE, where `waiting_for` names the flow that brings it.
    """

    def __init__(self, waiting_for: str, message: str, *, soon: bool = False, awaits: str | None = None) -> None:
        super().__init__(message)
        self.awaits = awaits
        self.waiting_for = waiting_for
        self.soon = soon


class NotYet(ConnectorError):
    """Other work of ours must be through first; nothing failed, and nothing is counted as an attempt."""


class NotUnderstood(Held):
    """The target refused a document in words that nobody knows: a person looks, and its source is told nothing yet.

    `key` is the document's. Known faults of the document are `Rejected`; this is everything else.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"lookup:{key}", message)


class OutcomeUnknown(ConnectorError):
    """The request was sent and no trustworthy answer came: it may or may not have taken effect.

    `taken`: the target said that it took the document, without naming what it became. It is looked for, then held for
    a person, and never sent again by itself.
    """

    def __init__(self, message: str = "", *, taken: bool = False) -> None:
        super().__init__(message)
        self.taken = taken


class LeaseLost(ConnectorError):
    """Another worker has taken the row over; this one must stop without writing."""


class Conflict(ConnectorError):
    """A conditional write met a newer revision: read again."""
