"""Where something may happen in a history, and what: every fault that the simulation knows, and every act of a person.

A place is the n-th time that a kind of fault could strike, or that a person could act. At each place the process that
lives the history through is forked once for each variant: the child lives on with it, the parent without.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any, TypeVar

from tests.simulation.machine import Machine, Weather

T = TypeVar("T")
STAYS, BACK = 0.9, 0.1
"""Drawn where what people do stays, and where they undo it later."""
VARIANTS: dict[str, tuple[Any, ...]] = {
    "wire": (
        "500", "429 seconds", "timeout before", "timeout after", "reset before", "reset after", "hang in mid-body",
        "truncated", "200 html", "200 error", "200 error after", "empty page", "repeated page", "wrong total",
    ),
    "late": (0.0, 30.0),
    "preempt": (0.0, 45.0),
    "foreign": ("404 html", "404 json", "410 json", "404 empty"),
    "unnamed": ("at once", "late", "never"),
}  # fmt: skip
"""By kind of fault: what `Dice` chooses where it strikes; every other kind has one form."""
SPARED = frozenset({"edit"})
"""Kinds that need records which one document has not."""


class Named(float):
    """A chance that knows which kind of fault it is of."""

    kind: str


def storm() -> Weather:
    """Give the weather in which every kind of fault may strike."""

    def named(kind: str) -> Named:
        chance = Named(1)
        chance.kind = kind
        return chance

    return Weather(**{one.name: named(one.name) for one in fields(Weather) if one.name not in SPARED})


class Dice(Random):
    """Chooses what is wanted where it can be had, else the first; and the middle of each range."""

    wanted: Any = None
    drawn = STAYS

    def random(self) -> float:
        return self.drawn

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2

    def randint(self, a: int, b: int) -> int:
        return a

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]
        return next((one for one in seq if one == self.wanted and type(one) is type(self.wanted)), seq[0])


@dataclass(frozen=True)
class Event:
    """One thing that happens: the variant of a kind at its n-th place, e.g. `wire=timeout after@7`."""

    kind: str
    variant: str
    at: int

    def __str__(self) -> str:
        return f"{self.kind}={self.variant}@{self.at}"

    @staticmethod
    def read(text: str) -> Event:
        kind, _, rest = text.partition("=")
        variant, _, at = rest.rpartition("@")
        return Event(kind, variant, int(at))


@dataclass
class Explorer:
    """Decides at each place what happens: what a script says; or, by forking, everything, up to `depth` events.

    `wanted` tells whether an event is to be followed, after those that happened. `arrived` is called in each child.
    """

    depth: int = 0
    script: tuple[Event, ...] = ()
    wanted: Callable[[tuple[Event, ...], Event], bool] = lambda before, one: True
    happened: tuple[Event, ...] = ()
    counts: Counter[str] = field(default_factory=Counter)
    open: bool = False
    child: bool = False

    def at(self, kind: str, variants: Sequence[Any]) -> Any:
        """Give the variant that happens at this place, or None."""
        if not self.open:
            return None
        self.counts[kind] += 1
        events = [(Event(kind, str(one), self.counts[kind]), one) for one in variants]
        for event, one in events:
            if event in self.script:
                self.happened += (event,)
                return one
        if len(self.happened) >= self.depth:
            return None
        for event, one in events:
            if self.wanted(self.happened, event) and self._forked():
                self.happened += (event,)
                return one
        return None

    def _forked(self) -> bool:
        pid = os.fork()
        if pid == 0:
            self.child = True
            return True
        _, status = os.waitpid(pid, 0)
        if status:
            raise RuntimeError(f"a child of {[str(one) for one in self.happened]} ended with {status}")
        return False


class Scripted(Machine):
    """A machine on which an explorer decides whether a fault strikes, and at whose every touch people may act."""

    explorer: Explorer
    act: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._acting = False

    def hit(self, chance: float) -> bool:
        if not isinstance(chance, Named) or self._acting:
            return False
        found = self.explorer.at(chance.kind, VARIANTS.get(chance.kind, ("",)))
        if found is None:
            return False
        self.decisions += 1
        if isinstance(self.dice, Dice):
            self.dice.wanted = found
        return True

    def touch(self, what: str) -> None:
        super().touch(what)
        if self.stack and self.act is not None:
            self.act(what)

    def ambush(self, act: Callable[[], None]) -> None:
        """Each moment is a place of its own: what is to come in between comes now."""
        act()
