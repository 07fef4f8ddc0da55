from __future__ import annotations

import time
from datetime import UTC, datetime

from ml_connector.embedded.clock import SeededRandom, SystemClock, SystemRandom


def test_the_system_clock_tells_utc_and_sleeps() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    began = time.monotonic()
    clock.sleep(0.02)
    clock.sleep(-1)
    assert 0.015 < time.monotonic() - began < 5


def test_a_seed_repeats_its_history() -> None:
    histories = [[(c.random(), c.uuid4()) for _ in range(20)] for c in (SeededRandom(7), SeededRandom(7))]
    assert histories[0] == histories[1]
    assert SeededRandom(8).uuid4() != SeededRandom(7).uuid4()


def test_uuids_are_of_version_4_and_numbers_below_1() -> None:
    for rng in (SeededRandom("seed"), SystemRandom()):
        assert all(rng.uuid4().version == 4 and 0 <= rng.random() < 1 for _ in range(100))


def test_system_uuids_do_not_repeat() -> None:
    rng = SystemRandom()
    assert len({rng.uuid4() for _ in range(1000)}) == 1000
