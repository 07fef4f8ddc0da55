"""The embedded rings against lists: each group first in, first out, one message at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ml_connector.embedded.queue import MemoryQueue

groups = st.sampled_from(["one", "two", "three"])


class RingsMachine(RuleBasedStateMachine):
    """For each group what waits, in order; which group is taken; until when one is closed."""

    def __init__(self):
        super().__init__()
        self.moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.queue = MemoryQueue(self)
        self.waiting: dict[str, list[int]] = {}
        self.tries: dict[int, int] = {}
        self.taken = {}
        self.closed: dict[str, datetime] = {}
        self.count = self.dead = 0

    def now(self):
        return self.moment

    def sleep(self, seconds):
        self.moment += timedelta(seconds=seconds)

    def open_groups(self):
        return {
            g
            for g, queue in self.waiting.items()
            if queue and g not in self.taken and self.closed.get(g, self.moment) <= self.moment
        }

    @rule(group=groups, message=st.dictionaries(st.text("ab", max_size=2), st.integers(), max_size=2))
    def notify(self, group, message):
        self.count += 1
        given = {**message, "n": self.count}
        self.queue.notify(group, given)
        given["n"] = "changed after it was sent"
        self.waiting.setdefault(group, []).append(self.count)

    @rule(pairs=st.lists(groups, max_size=4))
    def notify_many(self, pairs):
        made = []
        for group in pairs:
            self.count += 1
            made.append((group, {"n": self.count}))
            self.waiting.setdefault(group, []).append(self.count)
        self.queue.notify_many(made)

    @rule()
    def take(self):
        before = self.open_groups()
        queued = self.queue.take()
        if queued is None:
            assert not before
            return
        assert queued.group in before
        number = queued.message["n"]
        assert number == self.waiting[queued.group][0], "the oldest of its group"
        self.tries[number] = self.tries.get(number, 0) + 1
        assert queued.received == self.tries[number]
        self.taken[queued.group] = queued

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def done(self, data):
        group = data.draw(st.sampled_from(sorted(self.taken)))
        queued = self.taken.pop(group)
        self.queue.done(queued)
        self.waiting[group].pop(0)
        self.closed.pop(group, None)
        with pytest.raises(ValueError, match="not taken"):
            self.queue.done(queued)

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), delay=st.sampled_from([0, 0, 5, 60]))
    def again(self, data, delay):
        group = data.draw(st.sampled_from(sorted(self.taken)))
        self.queue.again(self.taken.pop(group), delay)
        self.closed[group] = self.moment + timedelta(seconds=delay)

    @rule(seconds=st.integers(0, 40))
    def later(self, seconds):
        self.sleep(seconds)

    @rule(group=groups)
    def dead_letter(self, group):
        self.queue.dead_letter(group, {"n": -1})
        self.dead += 1

    @invariant()
    def nothing_is_lost(self):
        assert self.queue.empty() == (not any(self.waiting.values()))
        assert len(self.queue.dead_letters) == self.dead

    @invariant()
    def it_knows_when_it_goes_on(self):
        at = self.queue.next_at()
        if self.open_groups():
            assert at is not None and at <= self.moment
        else:
            later = [self.closed[g] for g, queue in self.waiting.items() if queue and g not in self.taken]
            assert at == min(later, default=None)


TestRings = RingsMachine.TestCase
