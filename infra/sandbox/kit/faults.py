"""Planned faults: which calls they hit, how often, and what they do.

Before the server acts: "500", "502", "503", "504" (HTML of what stands in front), "401", "gateway-404" (text of
something in front), "200-html", "200-error" (an error envelope under 200), "drop-before" (connection broken, nothing
done).
After it acted: "truncated" (half of the JSON), "empty-page" (no rows, next link kept), "page-loop" (next link that does
not advance), "wrong-host" (next link to a host of somebody else), "drop" (done, then the connection breaks).
"late": answered 504 now, applied before the first request that arrives `seconds` later.
"hang": `World.sleep(seconds)` outside the lock, then a normal answer.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BEFORE = frozenset({"500", "502", "503", "504", "401", "gateway-404", "200-html", "200-error", "drop-before"})
AFTER = frozenset({"truncated", "empty-page", "page-loop", "wrong-host", "drop"})


@dataclass
class Fault:
    """A rule: the first `skip` matching calls pass, the next `times` are hit.

    path: a regular expression searched in the path with its query, e.g. "Vendors\\?.*skip=100".
    """

    kind: str
    path: str = ""
    method: str = ""
    times: int = 1
    skip: int = 0
    seconds: float = 0
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        re.compile(self.path)

    def hits(self, method: str, path: str) -> bool:
        """Whether this call is hit; counts it."""
        if self.times <= 0 or self.method not in ("", method) or not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Faults:
    """The rules in order, how many calls each kind has hit, and the writes that wait to be applied.

    before, after: the kinds that this server knows, by whether it acts.
    """

    before: frozenset[str] = BEFORE
    after: frozenset[str] = AFTER
    rules: list[Fault] = field(default_factory=list)
    hit: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)

    def add(
        self,
        kind: str,
        path: str = "",
        method: str = "",
        times: int = 1,
        seconds: float = 0,
        skip: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """Append a rule and return it; raises ValueError for a kind that this server does not know."""
        if kind not in self.before | self.after | {"late", "hang"}:
            raise ValueError(f"unknown kind of fault {kind!r}")
        self.rules.append(Fault(kind, path, method, times, skip, float(seconds), dict(headers or {})))
        return self.rules[-1]

    def clear(self) -> None:
        """Drop every rule; waiting writes stay."""
        self.rules.clear()

    def next(self, method: str, path: str) -> Fault | None:
        """The rule that hits this call, if any."""
        for rule in self.rules:
            if rule.hits(method, path):
                self.hit[rule.kind] = self.hit.get(rule.kind, 0) + 1
                return rule
        return None

    def due(self, now: datetime) -> list[Callable[[], object]]:
        """The waiting writes whose time has come, taken off the list."""
        ready = [write for at, write in self.waiting if at <= now]
        self.waiting = [(at, write) for at, write in self.waiting if at > now]
        return ready


class Dropped(ConnectionResetError):
    """The connection is to be broken without an answer."""


def cut(environ: WSGIEnvironment) -> None:
    """Close the client's connection, if a server gave us its socket: without it the client would wait for an answer."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
