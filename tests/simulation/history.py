"""One seed, one history: days of faults, then calm days in which everything must come right."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from infra.sandbox import sap_b1
from infra.sandbox.basware import create_app, notify
from ml_connector.engine import redrive
from ml_connector.engine.breaker import Breaker
from tests.simulation import people
from tests.simulation.machine import START, Machine, Weather
from tests.simulation.plant import LogKeeper, Plant
from tests.simulation.wire import Line
from tests.simulation.worlds import make_office

CALM = timedelta(hours=42)
SHORT = timedelta(hours=14)
"""Too short for a daily comparison to make good what was lost: some histories end so."""
MOST_STEPS = 12_000


@dataclass(frozen=True)
class Tilt:
    """Loads the dice for what a test is after: the weather, the length of the storm, what people do."""

    weather: dict[str, float] = field(default_factory=dict)
    acts: tuple[people.Act, ...] = ()
    hours: int = 0
    short: bool | None = None


class History:
    """A whole run. `seed` decides everything, but for what `tilt` fixes."""

    def __init__(self, seed: int, tilt: Tilt | None = None) -> None:
        self.seed, self.tilt = seed, tilt or Tilt()
        self.machine = Machine(seed)
        dice = self.machine.dice
        self.storm_end = START + timedelta(hours=self.tilt.hours or dice.choice((6, 14, 26)))
        self.short = dice.random() < 0.35
        if self.tilt.short is not None:
            self.short = self.tilt.short
        self.end = self.storm_end + (SHORT if self.short else CALM)
        self._heap: list[tuple[datetime, int, str, Callable[[], Any]]] = []
        self._count = self.steps = 0
        self._ticks: dict[str, datetime] = {}
        self.wrong: list[str] = []
        self.log = LogKeeper()
        names = ["alpha", "beta"] if dice.random() < 0.3 else ["alpha"]
        clock, sleep = self.machine.now, self.machine.sleep
        self.offices = [make_office(n, i + 1, Random(dice.random()), clock, sleep) for i, n in enumerate(names)]
        self.lines = {}
        for office in self.offices:
            self.lines[office.name, "sap_b1"] = Line(office.name, "sap_b1", office.erp, sap_b1.create_app(office.erp))
            self.lines[office.name, "basware"] = Line(office.name, "basware", office.ap, create_app(office.ap))
        self.plant = Plant(self.machine, self.offices, self.lines, self.after)
        self.machine.preempting = self.plant.interrupt

    # ── events ──────────────────────────────────────────────────────────────────────────────────────────────

    def after(self, seconds: float, what: str, act: Callable[[], Any]) -> None:
        """Plan an event."""
        self._count += 1
        heapq.heappush(self._heap, (self.machine.now() + timedelta(seconds=seconds), self._count, what, act))

    def meanwhile(self, seconds: float, what: str, act: Callable[[], Any]) -> None:
        """Plan what people do later, before the calm is far on: there must be time to make it good."""
        left = (self.storm_end - self.machine.now()).total_seconds() + 1800
        self.after(min(seconds, max(left, 1.0)), what, act)

    def run(self) -> History:
        """Live it through."""
        logger = logging.getLogger("ml_connector")
        level, propagate = logger.level, logger.propagate
        logger.addHandler(self.log)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            self._begin()
            while self._step():
                pass
        finally:
            logger.removeHandler(self.log)
            logger.setLevel(level)
            logger.propagate = propagate
        return self

    def _begin(self) -> None:
        self.plant.enrolled()
        self._set_weather()
        hours = (self.storm_end - START).total_seconds() / 3600
        dice = self.machine.dice
        acts = [a for a in self.tilt.acts or people.ACTS if not (self.short and a in people.HEALED_DAILY)]
        for _ in range(int(hours * dice.choice((0.3, 0.8, 1.5)))):
            act, office = dice.choice(acts), dice.choice(self.offices)
            self.after(dice.uniform(0, hours * 3600), act.__name__, lambda a=act, o=office: a(self, o))
        self.after(300, "roster", self._roster)
        self.after(120, "notifications", self._pump)
        self.after(hours * 3600, "calm", self._calm)
        for later in (1, 6) if self.short else (2, 27, 31):
            self.after((hours + later) * 3600, "operators", self._operate)

    def _set_weather(self) -> None:
        """Draw which kinds of faults there are: each history has its own mixture."""
        dice = self.machine.dice
        some = {
            "wire": (0.01, 0.05, 0.2), "late": (0.1, 0.5), "crash": (0.0005, 0.003, 0.01), "preempt": (0.002, 0.02),
            "lost": (0.05, 0.5), "doubled": (0.05, 0.3), "delayed": (0.05, 0.3), "missed_tick": (0.1, 0.5),
            "doubled_tick": (0.1, 0.5), "hook": (0.1, 0.5),
        }  # fmt: skip
        drawn = {k: dice.choice(v) if dice.random() < 0.6 else 0 for k, v in some.items()}
        self.machine.weather = Weather(**drawn | self.tilt.weather)

    def _step(self) -> bool:
        """Do what comes first: an event, a tick, a message."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            self.wrong.append(f"no end after {MOST_STEPS} steps")
            return False
        now = self.machine.now()
        choices: list[tuple[datetime, int, Callable[[], Any]]] = []
        if self._heap:
            choices.append((self._heap[0][0], 0, self._event))
        for number, queue in enumerate(self.plant.queues):
            if (at := queue.next_at()) is not None:
                choices.append((at, 1 + number, lambda q=queue: self.plant.handle(q)))
        for number, prefix in enumerate(("due#", "tick#basware", "tick#sap_b1")):
            if (tick := self.plant.next_tick(prefix)) is not None:
                tick = max(tick, self._ticks.get(prefix, tick))
                choices.append((tick, 5 + number, lambda p=prefix: self._tick(p)))
        at, _, act = min(choices, key=lambda c: (max(c[0], now), c[1]))
        if at > self.end:
            return False
        self.machine.jump(at)
        act()
        return True

    def _event(self) -> None:
        _, _, what, act = heapq.heappop(self._heap)
        self.machine.note(f"* {what}")
        act()

    def _tick(self, prefix: str) -> None:
        """Take a tick; some are missed, some come twice."""
        machine = self.machine
        self._ticks[prefix] = machine.now() + timedelta(seconds=60)
        if machine.hit(machine.weather.missed_tick):
            machine.fault("ours: tick missed")
            return
        for _ in range(2 if machine.hit(machine.weather.doubled_tick) else 1):
            if prefix == "due#":
                self.plant.maintained()
            else:
                self.plant.ticked(prefix.removeprefix("tick#"))

    def _roster(self) -> None:
        self.plant.enrolled()
        self.after(3600 * 4, "roster", self._roster)

    def _pump(self) -> None:
        for office in self.offices:
            notify.pump(office.ap)
        self.after(1800, "notifications", self._pump)

    # ── the calm ────────────────────────────────────────────────────────────────────────────────────────────

    def _calm(self) -> None:
        """All faults end, and people mend what people mend."""
        self.machine.weather = Weather()
        for office in self.offices:
            self.plant.write_secrets(office)
            office.ap.forced.clear()
            office.erp.sessions.consecutive["manager"] = min(office.erp.sessions.consecutive["manager"], 4)
        for line in self.lines.values():
            line.outage_until = None
        self.plant.enrolled()

    def _operate(self) -> None:
        """Operators ping, redrive what is dead, replay what only they can judge; users send refused invoices again."""
        for office in self.offices:
            pair = self.plant.pair(office)
            for breaker in pair.breakers.values():
                self._knock(breaker)
            for flow in pair.integration.flows:
                self._redrive(pair, flow.name)
            people.send_refused_again(self, office)
            pair.close()
        self.plant.records.dead.clear()

    def _knock(self, breaker: Breaker) -> None:
        """Ping: it clears the breaker where the login works, and it does now."""
        data = breaker._data()
        if data.get("refused") == breaker._version:
            breaker.welcome()
            self.lines[breaker._pk.split("#")[1], breaker._system].refused.clear()

    def _redrive(self, pair: Any, flow: str) -> None:
        ledger = pair.ledger(flow)
        for chunk in list(ledger.unfinished()):
            if chunk.state == "dead":
                redrive.reopen(ledger, chunk.id, "redriven")
            elif (chunk.waiting_for or "").startswith("lookup:"):
                with suppress(Exception):
                    redrive.hasten(ledger, chunk.id, "looked at")
