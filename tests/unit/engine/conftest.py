"""The bench of each test."""

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededChance
from ml_connector.embedded.rings import MemoryRings
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.runtime import World
from tests.clock import Clock
from tests.unit.engine.bench import BEGIN, Bench, Systems


@pytest.fixture
def bench() -> Bench:
    clock = Clock(BEGIN)
    rings = MemoryRings(clock)
    world = World(SqliteStore(":memory:", clock), rings, MemoryBlobs(), clock, SeededChance(1), boot="b", sole=True,
                  crash_limit=2)  # fmt: skip
    return Bench(world, Systems(), clock, rings)
