"""The bench of each test."""

import pytest

from ml_connector.embedded.blobs import MemoryBlobs
from ml_connector.embedded.clock import SeededRandom
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.runtime import Runtime
from tests.clock import Clock
from tests.unit.engine.bench import BEGIN, Bench, Systems


@pytest.fixture
def bench() -> Bench:
    clock = Clock(BEGIN)
    queue = MemoryQueue(clock)
    runtime = Runtime(
        SqliteStore(":memory:", clock), queue, MemoryBlobs(), clock, SeededRandom(1), boot="b", sole=True, crash_limit=2
    )
    return Bench(runtime, Systems(), clock, queue)
