from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest

from ml_connector.embedded.clock import SystemClock
from ml_connector.embedded.rings import MemoryRings


def test_the_oldest_open_message_comes_first(clock: Any) -> None:
    rings = MemoryRings(clock)
    for n, group in enumerate("abcab"):
        rings.ring(group, {"n": n})
    taken = [rings.take() for _ in range(3)]
    assert [ring.message["n"] for ring in taken] == [0, 1, 2]
    rings.done(taken[1])
    rings.done(taken[0])
    assert rings.take().message == {"n": 3}


def test_a_delay_closes_the_group_and_no_other(clock: Any) -> None:
    rings = MemoryRings(clock)
    rings.ring("a", {"n": 1})
    rings.ring("a", {"n": 2})
    first = rings.take()
    rings.again(first, 30)
    rings.ring("b", {"n": 3})
    rings.done(rings.take())
    assert rings.take() is None
    assert rings.next_at() == clock.now() + timedelta(seconds=30)
    clock.sleep(29.9)
    assert rings.take() is None
    clock.sleep(0.1)
    assert rings.next_at() is not None
    again = rings.take()
    assert (again.message, again.received) == ({"n": 1}, 2)


def test_empty_means_nothing_waits_or_is_taken(clock: Any) -> None:
    rings = MemoryRings(clock)
    assert rings.empty()
    assert rings.next_at() is None
    rings.bury("a", {})
    assert rings.empty()
    rings.ring("a", {})
    assert not rings.empty()
    assert rings.next_at() == clock.now()
    ring = rings.take()
    assert not rings.empty()
    assert rings.next_at() is None
    rings.done(ring)
    assert rings.empty()


def test_a_message_is_finished_once(clock: Any) -> None:
    rings = MemoryRings(clock)
    rings.ring("a", {})
    ring = rings.take()
    rings.again(ring)
    for late in (rings.done, rings.again):
        with pytest.raises(ValueError, match="not taken"):
            late(ring)
    rings.done(rings.take())
    assert rings.empty()


def test_wait_ends_with_a_ring_and_with_its_time() -> None:
    rings = MemoryRings(SystemClock())
    began = time.monotonic()
    assert rings.wait(0.02) is False
    threading.Timer(0.05, rings.ring, ("a", {})).start()
    assert rings.wait(20) is True
    assert time.monotonic() - began < 10


def test_wait_ends_with_a_delay() -> None:
    rings = MemoryRings(SystemClock())
    rings.ring("a", {})
    rings.again(rings.take(), 0.05)
    began = time.monotonic()
    assert rings.wait(20) is True
    assert 0.03 < time.monotonic() - began < 10


def test_it_behaves_as_a_plain_model_does(clock: Any) -> None:
    """2,000 random steps against lists: same message, or none, each time."""
    chance = random.Random(11)
    rings = MemoryRings(clock)
    model: dict[str, list[int]] = defaultdict(list)
    taken: dict[str, Any] = {}
    delayed: dict[str, Any] = {}
    for n in range(2_000):
        step = chance.random()
        if step < 0.4:
            group = f"g{chance.randrange(8)}"
            rings.ring(group, {"n": n})
            model[group].append(n)
        elif step < 0.75:
            heads = [
                (queue[0], group)
                for group, queue in model.items()
                if queue and group not in taken and delayed.get(group, clock.now()) <= clock.now()
            ]
            ring = rings.take()
            assert (ring and (ring.message["n"], ring.group)) == (min(heads) if heads else None)
            if ring:
                taken[ring.group] = ring
        elif step < 0.97 and taken:
            group = chance.choice(sorted(taken))
            ring = taken.pop(group)
            if chance.random() < 0.3:
                pause = chance.choice([0, 5, 20])
                rings.again(ring, pause)
                delayed[group] = clock.now() + timedelta(seconds=pause)
            else:
                rings.done(ring)
                model[group].pop(0)
        else:
            clock.sleep(chance.randrange(10))
    assert rings.empty() == (not any(model.values()))


def test_eight_workers_keep_the_order_of_each_group() -> None:
    rings = MemoryRings(SystemClock())
    for n in range(800):
        rings.ring(f"g{n % 5}", {"n": n})
    handled: dict[str, list[int]] = defaultdict(list)
    busy: set[str] = set()
    overlaps: list[str] = []

    def work() -> None:
        while not rings.empty():
            ring = rings.take()
            if ring is None:
                rings.wait(0.05)
                continue
            if ring.group in busy:
                overlaps.append(ring.group)
            busy.add(ring.group)
            handled[ring.group].append(ring.message["n"])
            busy.discard(ring.group)
            rings.done(ring)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == []
    assert dict(handled) == {f"g{g}": list(range(g, 800, 5)) for g in range(5)}
