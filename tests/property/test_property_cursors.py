"""A source with change stamps under a cursor: nothing is ever skipped, and the watermark moves between passes only."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ml_connector.engine.poll.run import Poll
from ml_connector.errors import Transient
from ml_connector.flow import Page
from tests.property.test_property_chunking import bench
from tests.unit.engine.bench import ACCOUNTS, Accounts, Killed, account

OVERLAP = timedelta(hours=2)
"""How far a source reaches back by itself; longer than a pass lasts, which begins again after an hour."""
PAGE = 2
keys = st.sampled_from("abcdefgh")


@dataclass
class Stamped(Accounts):
    """Reads in the order of keys, each page as the table is when it is asked for; breaks off where told."""

    machine: CursorMachine

    def __post_init__(self):
        super().__init__(self.machine.bench.systems)

    def pages(self, since, position):
        machine = self.machine
        since = self.back(since) if since else ""
        while True:
            machine.step()
            rows = [
                a for k, a in sorted(self.s.accounts.items()) if k > (position or "") and machine.stamps[k] >= since
            ]
            some, more = rows[:PAGE], len(rows) > PAGE
            position = some[-1].key if more else None
            stamp = max((machine.stamps[a.key] for a in some), default=None)
            machine.seen = max(machine.seen, stamp or "")
            yield Page(some, position=position, stamp=stamp)
            if not more:
                return

    def back(self, stamp):
        return (self.machine.read_stamp(stamp) - OVERLAP).isoformat()


class CursorMachine(RuleBasedStateMachine):
    """People change records while passes are read, cut off, killed, resumed and begun again."""

    @initialize()
    def begin(self):
        self.bench = bench()
        self.stamps: dict[str, str] = {}
        self.seen = ""
        self.marks = [(0, None)]
        self.plan: list[str] = []
        for key in "abcdefgh"[:5]:
            self.change(key, "first")
        self.pair().connection  # noqa: B018 - the connection is made by the first poll
        self.read([])

    def read_stamp(self, text):
        from datetime import datetime

        return datetime.fromisoformat(text)

    def pair(self):
        pair = self.bench.pair()
        place = pair.connection("erp")
        place.parts = {**place.parts, ACCOUNTS.record: Stamped(self)}
        return pair

    def cursor(self):
        return self.pair().ledger("accounts").cursor()[0]

    @rule(key=keys, name=st.sampled_from(["Travel", "Hotels", "Meals"]))
    def change(self, key, name):
        """Enter or change a record, stamped with the source's time."""
        self.bench.clock.sleep(1)
        self.bench.systems.accounts[key] = account(key, name)
        self.stamps[key] = self.bench.clock.now().isoformat()

    @rule(seconds=st.sampled_from([5, 240, 1800]))
    def later(self, seconds):
        self.bench.clock.sleep(seconds)

    def step(self):
        """Do the next planned thing in the middle of a pass."""
        before = self.cursor()
        assert before.watermark == self.marks[-1][1], "it never moves within a pass"
        what = self.plan.pop(0) if self.plan else ""
        if what == "break":
            raise Transient("The source broke off.")
        if what == "kill":
            raise Killed
        if what in self.stamps:
            self.change(what, f"{what} at {self.bench.clock.now()}")

    @rule(plan=st.lists(st.sampled_from(["", "", "break", "kill", "a", "c", "h", "e"]), max_size=6), cut=st.booleans())
    def read(self, plan, cut=False):
        """Read a pass, or a part of one; `cut`: the slice is over after a page."""
        self.plan = [what for what in plan if what in {"", "break", "kill"} or what in self.stamps]
        self.bench.runs += 1
        deadline = self.bench.clock.now() - timedelta(seconds=1) if cut else None
        poll = Poll(self.pair(), ACCOUNTS, f"run{self.bench.runs}", deadline=deadline)
        through = False
        with suppress(Transient, Killed):
            through = poll.read()
        now = self.cursor()
        if not through:
            assert now.watermark == self.marks[-1][1], "a pass that is not through moves nothing"
        assert now.watermark is None or now.watermark <= self.seen, "only what was seen at the source"
        assert (now.watermark or "") >= (self.marks[-1][1] or ""), "it never goes back"
        assert now.passes == self.marks[-1][0] + through
        self.marks.append((now.passes, now.watermark))

    @rule(early=st.sampled_from("abc"), late=st.sampled_from("gh"), others=st.permutations(["", ""]))
    def overtaken(self, early, late, others):
        """A record changes behind the reader, and then one before it: the pass sees a newer stamp than it missed."""
        for key in "abcdefgh":
            self.change(key, "all")
        self.read([*others, early, late])

    @rule()
    def settle(self):
        self.bench.work()

    @rule()
    def nothing_was_skipped(self):
        """One more incremental pass, and the target has each record as it is."""
        self.bench.clock.sleep(3700)  # a pass that stood still begins again
        self.read([])
        self.bench.work(0.1)
        assert {k: a.name for k, a in self.bench.systems.taken.items()} == {
            k: a.name for k, a in self.bench.systems.accounts.items()
        }

    def teardown(self):
        if hasattr(self, "bench"):
            self.nothing_was_skipped()

    @invariant()
    def seq_is_never_used_twice(self):
        if not hasattr(self, "bench"):
            return
        ledger = self.pair().ledger("accounts")
        numbers = [chunk.seq for chunk in (*ledger.unfinished(), *ledger.finished()) if "." not in chunk.id]
        assert len(numbers) == len(set(numbers))


TestCursor = CursorMachine.TestCase
TestCursor.settings = settings(max_examples=settings.default.max_examples // 3)  # each step is a pass, or several
