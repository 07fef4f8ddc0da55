from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from ml_connector.embedded.clock import SystemClock
from ml_connector.embedded.queue import MemoryQueue


def test_the_oldest_open_message_comes_first(clock: Any) -> None:
    queue = MemoryQueue(clock)
    for n, group in enumerate("abcab"):
        queue.notify(group, {"n": n})
    taken = [queue.take() for _ in range(3)]
    assert [queued.message["n"] for queued in taken] == [0, 1, 2]
    queue.done(taken[1])
    queue.done(taken[0])
    assert queue.take().message == {"n": 3}


def test_a_delay_closes_the_group_and_no_other(clock: Any) -> None:
    queue = MemoryQueue(clock)
    queue.notify("a", {"n": 1})
    queue.notify("a", {"n": 2})
    first = queue.take()
    queue.again(first, 30)
    queue.notify("b", {"n": 3})
    queue.done(queue.take())
    assert queue.take() is None
    assert queue.next_at() == clock.now() + timedelta(seconds=30)
    clock.sleep(29.9)
    assert queue.take() is None
    clock.sleep(0.1)
    assert queue.next_at() is not None
    again = queue.take()
    assert (again.message, again.received) == ({"n": 1}, 2)


def test_empty_means_nothing_waits_or_is_taken(clock: Any) -> None:
    queue = MemoryQueue(clock)
    assert queue.empty()
    assert queue.next_at() is None
    queue.dead_letter("a", {})
    assert queue.empty()
    queue.notify("a", {})
    assert not queue.empty()
    assert queue.next_at() == clock.now()
    queued = queue.take()
    assert not queue.empty()
    assert queue.next_at() is None
    queue.done(queued)
    assert queue.empty()


def test_a_message_is_finished_once(clock: Any) -> None:
    queue = MemoryQueue(clock)
    queue.notify("a", {})
    queued = queue.take()
    queue.again(queued)
    for late in (queue.done, queue.again):
        with pytest.raises(ValueError, match="not taken"):
            late(queued)
    queue.done(queue.take())
    assert queue.empty()


def test_wait_ends_with_a_ring_and_with_its_time() -> None:
    queue = MemoryQueue(SystemClock())
    began = time.monotonic()
    assert queue.wait(0.02) is False
    threading.Timer(0.05, queue.notify, ("a", {})).start()
    assert queue.wait(20) is True
    assert time.monotonic() - began < 10


def test_wait_ends_with_a_delay() -> None:
    queue = MemoryQueue(SystemClock())
    queue.notify("a", {})
    queue.again(queue.take(), 0.05)
    began = time.monotonic()
    assert queue.wait(20) is True
    assert 0.03 < time.monotonic() - began < 10


def test_it_behaves_as_a_plain_model_does(clock: Any) -> None:
    """2,000 random steps against lists: same message, or none, each time."""
    rng = random.Random(11)
    queue = MemoryQueue(clock)
    model: dict[str, list[int]] = defaultdict(list)
    taken: dict[str, Any] = {}
    delayed: dict[str, Any] = {}
    for n in range(2_000):
        step = rng.random()
        if step < 0.4:
            group = f"g{rng.randrange(8)}"
            queue.notify(group, {"n": n})
            model[group].append(n)
        elif step < 0.75:
            heads = [
                (queue[0], group)
                for group, queue in model.items()
                if queue and group not in taken and delayed.get(group, clock.now()) <= clock.now()
            ]
            queued = queue.take()
            assert (queued and (queued.message["n"], queued.group)) == (min(heads) if heads else None)
            if queued:
                taken[queued.group] = queued
        elif step < 0.97 and taken:
            group = rng.choice(sorted(taken))
            queued = taken.pop(group)
            if rng.random() < 0.3:
                pause = rng.choice([0, 5, 20])
                queue.again(queued, pause)
                delayed[group] = clock.now() + timedelta(seconds=pause)
            else:
                queue.done(queued)
                model[group].pop(0)
        else:
            clock.sleep(rng.randrange(10))
    assert queue.empty() == (not any(model.values()))


def test_eight_workers_keep_the_order_of_each_group() -> None:
    queue = MemoryQueue(SystemClock())
    for n in range(800):
        queue.notify(f"g{n % 5}", {"n": n})
    handled: dict[str, list[int]] = defaultdict(list)
    busy: set[str] = set()
    overlaps: list[str] = []

    def work() -> None:
        while not queue.empty():
            queued = queue.take()
            if queued is None:
                queue.wait(0.05)
                continue
            if queued.group in busy:
                overlaps.append(queued.group)
            busy.add(queued.group)
            handled[queued.group].append(queued.message["n"])
            busy.discard(queued.group)
            queue.done(queued)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == []
    assert dict(handled) == {f"g{g}": list(range(g, 800, 5)) for g in range(5)}
