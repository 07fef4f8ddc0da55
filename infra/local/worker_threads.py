"""Threads that a run may leave behind.

A request under way cannot be broken off, and a server that hangs must not hold up the end of a run. Whoever leaves a
thread behind ends the process at once: a kill at any moment is safe, and the thread must not go on working on a state
that another process may open.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn


class WorkerThreads:
    """A few daemon threads, and what they raised."""

    def __init__(self) -> None:
        """Nobody works yet."""
        self._threads: list[threading.Thread] = []
        self._faults: list[BaseException] = []

    def start(self, work: Callable[..., None], *args: Any) -> None:
        """Let a thread do `work`."""
        thread = threading.Thread(target=self._do, args=(work, *args), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _do(self, work: Callable[..., None], *args: Any) -> None:
        try:
            work(*args)
        except BaseException as error:  # noqa: BLE001 - raised again by `wait`
            self._faults.append(error)

    def wait(self, seconds: float) -> bool:
        """Wait until all have ended, for so long at most; tells whether they have. Raises what one of them raised."""
        ends = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(ends - time.monotonic(), 0.0))
        if self._faults:
            raise self._faults[0]
        return not any(thread.is_alive() for thread in self._threads)


def leave(code: int) -> NoReturn:
    """End the process now, without waiting for threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
