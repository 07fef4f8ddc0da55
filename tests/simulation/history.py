"""One seed, one history: days of faults, then calm days in which everything must come right."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from infra.sandbox.basware import notify
from ml_connector.engine.ledger import fingerprint
from tests.simulation import changes, clerks, functions, operators, people, switches, watching
from tests.simulation.machine import Machine, Weather
from tests.simulation.plant import Plant
from tests.simulation.sides import Act, Erp
from tests.simulation.wire import EDGE, SETTLE, TIMEOUT, Line
from tests.simulation.worlds import ERPS, Office, make_office

CALM = timedelta(hours=56)
SHORT = timedelta(hours=14)
"""Too short for a daily comparison to make good what was lost: some histories end so."""
LOOKS = (2, 4, 7, 12, 20, 28, 33, 40, 50)
"""Hours of calm after which it is asked whether everything has come right; the history ends where it has."""
JUDGED = (4, 5, 7, 9, 10, 11, 24, 32)
"""Hours of calm after which somebody looks at what is held for a person's judgement."""
MOST_STEPS = 80_000
RELEASES = ({"VERSION": "1"}, {"VERSION": "2"})


@dataclass(frozen=True)
class Tilt:
    """Loads the dice for what a test is after: the weather, the length of the storm, what people do."""

    weather: dict[str, float] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    hours: float = 0
    short: bool | None = None
    erp: type[Erp] | None = None
    busy: float = 0
    very_late: bool | None = None
    schedules: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """What is left of a history when it is shrunk: the numbers of its acts, and of the faults that strike."""

    acts: frozenset[int]
    faults: frozenset[int]


class History:
    """A whole run. `seed` decides everything, but for what `tilt` fixes and `cut` leaves out."""

    made: type[Machine] = Machine
    """What gives the time and decides over faults."""

    def __init__(self, seed: int, tilt: Tilt | None = None, cut: Cut | None = None) -> None:
        self.seed, self.tilt, self.cut = seed, tilt or Tilt(), cut
        self.machine = machine = self.made(seed, cut.faults if cut else None)
        self.dice = dice = machine.dice
        kind = self.tilt.erp or dice.choice(ERPS)
        self.hours = self.tilt.hours or dice.choice((2, 5, 12, 20))
        self.storm_end = machine.start + timedelta(hours=self.hours)
        self.short = dice.random() < 0.4
        self.thorough = dice.random() < 0.25
        if self.tilt.short is not None:
            self.short = self.tilt.short
        self._heap: list[tuple[datetime, int, str, Callable[[], Any]]] = []
        self._count = self.steps = 0
        self._ticks: dict[str, datetime] = {}
        self._standing: set[str] = set()
        self.acts: list[int] = []
        self.titles: list[str] = []
        self.wrong: list[str] = []
        self.calm_steps = 0
        self.extra = timedelta(0)
        self.waited: dict[tuple[str, str], int] = {}
        self.converged: datetime | None = None
        self.good_after = (0, 0.0)
        names = ["alpha", "beta"] if dice.random() < 0.25 else ["alpha"]
        self.offices = [
            make_office(kind, n, i + 1, Random(dice.random()), machine.now, machine.sleep) for i, n in enumerate(names)
        ]
        self.lines = {(o.name, s.system): Line(o, s) for o in self.offices for s in (o.erp, o.platform)}
        late = dice.random() < 0.05 if self.tilt.very_late is None else self.tilt.very_late
        for office in self.offices:
            self.lines[office.name, office.erp.system].very_late = late
        queue = {"retention": timedelta(hours=2)} if dice.random() < 0.1 else {}
        self.plant = Plant(machine, self.offices, self.lines, self.after, self.tilt.schedules, **queue)
        self.log = self.plant.log
        self.rival: Plant | None = None
        self.rival_ended = False
        machine.preempting, machine.living, machine.meddling = self._interrupt, self._live_until, self._meddle

    @property
    def end(self) -> datetime:
        return self.storm_end + (SHORT if self.short else CALM) + self.extra

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────

    def after(self, seconds: float, what: str, act: Callable[[], Any], *, standing: bool = False) -> None:
        """Plan an event. `standing`: it comes again and again, and nobody waits for it."""
        self._count += 1
        if standing:
            self._standing.add(what)
        heapq.heappush(self._heap, (self.machine.now() + timedelta(seconds=seconds), self._count, what, act))

    def meanwhile(self, seconds: float, what: str, act: Callable[[], Any]) -> None:
        """Plan what people do later, before the calm is far on: there must be time to make it good."""
        left = (self.storm_end - self.machine.now()).total_seconds() + 1800
        self.after(min(seconds, max(left, 1.0)), what, act)

    def endure(self, least: timedelta) -> bool:
        """Let the storm last longer, for what takes days."""
        if self.short:
            return False
        self.storm_end = max(self.storm_end, self.machine.now() + least)
        return True

    def run(self) -> History:
        """Live it through."""
        functions.load()
        with self._heard():
            self._begin()
            while self._step():
                pass
        return self

    def overtime(self) -> History:
        """Live on for an hour: what a poll began just before the end may have its verdict after half of it."""
        self.extra = timedelta(hours=1)
        with self._heard():
            self.install(self.plant.release, quietly=True)
            while self._step():
                pass
        self.good_after = self.steps - self.calm_steps, (self.machine.now() - self.storm_end).total_seconds() / 3600
        return self

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Keep what is logged meanwhile; then leave the process as it was."""
        loggers = [logging.getLogger(name) for name in functions.LOGGERS]
        before = [(logger.level, logger.propagate) for logger in loggers]
        for logger in loggers:
            logger.addHandler(self.log)
            logger.setLevel(logging.INFO)
            logger.propagate = False
        try:
            yield
        finally:
            self.install(1, quietly=True)
            for plant in (self.plant, *([self.rival] if self.rival else [])):
                plant.restart()
            for logger, (level, propagate) in zip(loggers, before, strict=True):
                logger.removeHandler(self.log)
                logger.setLevel(level)
                logger.propagate = propagate

    def _begin(self) -> None:
        self.plant.enrolled()
        for office in self.offices:
            people.map_first(self, office)
        self._set_weather()
        dice = self.machine.dice
        number = 0
        busy = self.tilt.busy or dice.choice((0.5, 1.0, 2.0))
        for office in self.offices:
            acts = list(self.tilt.acts or (*people.ACTS, *switches.acts(), *office.erp.acts, *office.erp.acts))
            spared = (
                people.HEALED_DAILY | switches.HEALED_DAILY | office.erp.healed_daily if self.short else frozenset()
            )
            acts = [a for a in acts if a not in spared]
            for _ in range(max(1, int(self.hours * busy / len(self.offices)))):
                act, at = dice.choice(acts), dice.uniform(0, self.hours * 3600)
                number += 1
                if self.cut is None or number in self.cut.acts:
                    self.acts.append(number)
                    title = f"act {number}: {act.__name__} {office.name}"
                    self.titles.append(f"{title} after {at / 3600:.1f} h")
                    self.after(at, title, lambda a=act, o=office: self._do(a, o))
        self.after(300, "roster", self._roster, standing=True)
        self.after(watching.HOUR, "watch", lambda: watching.watch(self), standing=True)
        self.after(120, "notifications", self._pump, standing=True)
        self.after(self.hours * 3600, "calm", self._calm)

    def _do(self, act: Act, office: Office) -> None:
        """Let people do something; at times their ERP does not let them, as in a closed month."""
        try:
            act(self, office)
        except office.erp.refusals as refusal:
            self.machine.note(f"the ERP refuses: {refusal}")

    def _meddle(self, line: Line) -> None:
        """Let people of the ERP change something between two pages that are being read."""
        office = line.office
        acts = [act for act in office.erp.acts if not (self.short and act in office.erp.healed_daily)]
        act = self.machine.dice.choice(acts)
        self.machine.fault("world: changed while it was being read")
        self.machine.note(f"* {act.__name__} {office.name}, between two pages")
        self._do(act, office)

    def _set_weather(self) -> None:
        """Draw which kinds of faults there are: each history has its own mixture."""
        dice = self.machine.dice
        some = {
            "wire": (0.01, 0.05, 0.2),
            "late": (0.1, 0.5),
            "crash": (0.0005, 0.003, 0.01),
            "preempt": (0.002, 0.02),
            "zombie": (0.001, 0.005),
            "lost": (0.05, 0.5),
            "doubled": (0.05, 0.3),
            "delayed": (0.05, 0.3),
            "missed_tick": (0.1, 0.5),
            "doubled_tick": (0.1, 0.5),
            "hook": (0.1, 0.5),
            "throttle": (0.0005, 0.005),
            "unheard": (0.001, 0.01),
            "edit": (0.02, 0.2),
            "stale": (0.1, 0.5),
            "lag": (0.1, 0.5),
            "jump": (0.0005, 0.003),
            "foreign": (0.01, 0.05),
            "unnamed": (0.05, 0.3),
        }
        drawn = {k: dice.choice(v) if dice.random() < 0.4 else 0 for k, v in some.items()}
        drawn |= dict.fromkeys(switches.WEATHER - switches.ON, 0)
        self.machine.weather = Weather(**drawn | self.tilt.weather)

    def _step(self) -> bool:
        """Do what comes first: an event, a tick, a message."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            self.wrong.append(f"no end after {MOST_STEPS} steps")
            return False
        at, _, act = min(self._choices(), key=lambda c: c[:2])
        if at > self.end:
            return False
        self.machine.jump(at)
        act()
        return self.converged is None or self.thorough

    def _live_until(self, moment: datetime) -> None:
        """Let everything go on while one process stands still."""
        while min(self._choices(), key=lambda c: c[:2])[0] <= moment and self._step():
            pass
        self.machine.jump(moment)

    def _choices(self) -> list[tuple[datetime, int, Callable[[], Any]]]:
        now = self.machine.now()
        choices = [(max(self._heap[0][0], now), 0, self._event)]
        for first, plant in enumerate(self.plants):
            choices += self._choices_of(plant, 20 * first)
        return choices

    def _choices_of(self, plant: Plant, first: int) -> Iterator[tuple[datetime, int, Callable[[], Any]]]:
        """Tell what an installation would do next."""
        now = self.machine.now()
        paused = plant.paused_until or now
        for number, queue in enumerate(plant.queues):
            if (at := queue.next_at()) is not None:
                yield max(at, now, paused), first + 1 + number, lambda q=queue: plant.handle(q)
        for number, prefix in enumerate(("due#", *(f"tick#{s}" for s in plant.runs))):
            if (tick := plant.next_tick(prefix)) is not None:
                tick = max(tick, now, paused, self._ticks.get(f"{first}{prefix}", tick))
                yield tick, first + 5 + number, lambda p=prefix: self._tick(plant, first, p)

    def _event(self) -> None:
        _, _, what, act = heapq.heappop(self._heap)
        self.machine.note(f"* {what}")
        act()

    def _tick(self, plant: Plant, first: int, prefix: str) -> None:
        """Take a tick; some are missed, some come twice."""
        machine = self.machine
        self._ticks[f"{first}{prefix}"] = machine.now() + timedelta(seconds=60)
        if machine.hit(machine.weather.missed_tick):
            machine.fault("ours: tick missed")
            return
        twice = machine.hit(machine.weather.doubled_tick)
        if twice:
            machine.fault("ours: tick doubled")
        for _ in range(1 + twice):
            if prefix == "due#":
                plant.maintained()
            else:
                plant.ticked(prefix.removeprefix("tick#"))

    def _roster(self) -> None:
        for plant in self.plants:
            plant.enrolled()
        self.after(self.dice.choice((300, 900, 3600)), "roster", self._roster, standing=True)

    def _pump(self) -> None:
        for office in self.offices:
            notify.pump(office.ap)
        self.after(1800, "notifications", self._pump, standing=True)

    # ── a second installation ───────────────────────────────────────────────────────────────────────────────

    @property
    def plants(self) -> list[Plant]:
        """List the installations that run."""
        return [self.plant, *([self.rival] if self.rival is not None and not self.rival_ended else [])]

    def second(self) -> None:
        """Start a second installation on the same companies, for invoices and what they wait for."""
        self.rival = Plant(self.machine, self.offices, self.lines, self.after, {}, self.plant)
        self.rival.enrolled()
        for office in self.offices:
            office.rivalled = True
        self.machine.fault("ours: a second installation")

    def end_second(self) -> None:
        """End it, once it has nothing on its way any more."""
        if self.rival is None or self.rival_ended:
            return
        for office in self.offices:
            pair = self.rival.pair(office)
            busy = any(chunk.in_flight for chunk in pair.ledger("invoices").unfinished())
            pair.close()
            if busy:
                self.after(1800, "the second installation ends", self.end_second)
                return
        self.rival_ended = True
        for office in self.offices:
            office.rivalled = False

    def _interrupt(self, count: int) -> None:
        for plant in reversed(self.plants):
            plant.interrupt(count)

    # ── ours ────────────────────────────────────────────────────────────────────────────────────────────────

    def install(self, release: int, *, quietly: bool = False) -> None:
        """Deploy a release: new containers, another fingerprint, another form of message."""
        fingerprint.VERSION = str(release)
        fingerprint.FORMER.clear()
        if release == 2:
            fingerprint.FORMER["1"] = fingerprint.written
        if not quietly:
            self.plant.release = release
            for plant in self.plants:
                plant.restart()
            self._end_frozen()
            self.machine.fault("ours: release deployed" if release == 2 else "ours: release rolled back")

    def _end_frozen(self) -> None:
        """End a process that stands still: it must not wake up in another release, nor after a restore."""
        if self.machine.frozen is not None:
            self.machine.frozen.dead = True
            self.machine.fault("ours: ended while it stood still")

    def restored(self, saved: bytes) -> None:
        """Bring our rows back to a copy, as a restore does; nothing of ours runs until the vendors are through."""
        lost = "\n".join(self.plant.store.restore(saved))
        self.plant.restart()
        self._end_frozen()
        self.plant.paused_until = self.machine.now() + timedelta(seconds=SETTLE + TIMEOUT + EDGE)
        for line in self.lines.values():
            line.refused.clear()
        for office in self.offices:
            for paper in office.papers.values():
                paper.forgotten |= paper.key in lost
            changes.mapped_as_restored(self, office)
            office.rolled_back = True
        if lost:
            self.machine.fault("ours: state rolled back")

    # ── the calm ────────────────────────────────────────────────────────────────────────────────────────────

    def _calm(self) -> None:
        """All faults end, and people fix what people fix."""
        if self.machine.now() < self.storm_end:
            self.after((self.storm_end - self.machine.now()).total_seconds(), "calm", self._calm)
            return
        self.calm_steps = self.steps
        self.machine.peace()
        for office in self.offices:
            people.come_back(self, office)
            office.ap.forced.clear()
            office.heavy.clear()
            office.erp.nearly_unlock()
            clerks.tidy(self, office)
        for line in self.lines.values():
            line.outage_until, line.very_late = None, False
        for plant in self.plants:
            plant.blobs.away_until = None
            plant.enrolled()
        self.end_second()
        for later in (1, 6) if self.short else (2, 8, 27, 31):
            self.after(later * 3600, "operators", lambda: operators.operate(self), standing=True)
        for later in JUDGED:
            self.after(later * 3600, "held documents are judged", lambda: operators.judge(self), standing=True)
        for later in LOOKS:
            self.after(later * 3600, "is all well?", self._look, standing=True)

    def _look(self) -> None:
        """End the history where all has come right and nothing is planned any more; some live on to their end."""
        from tests.simulation.checker import breaches

        quiet = not self.machine.late and all(what in self._standing for _, _, what, _ in self._heap)
        if self.converged is None and quiet and next(breaches(self), None) is None:
            self.converged = self.machine.now()
            self.good_after = self.steps - self.calm_steps, (self.converged - self.storm_end).total_seconds() / 3600
