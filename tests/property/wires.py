"""An `Http` in front of a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ml_connector.embedded.clock import SeededRandom
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Hands:
    """A clock that moves where somebody sleeps."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@contextmanager
def http_that(answer: Callable[[httpx.Request], httpx.Response], **more: Any) -> Iterator[Http]:
    """Give an `Http` whose server is a function."""
    given = {"redactor": Redactor(), "clock": Hands(), **more}
    http = Http(
        base_url="https://vendor.test",
        vendor="Vendor",
        rng=SeededRandom(1),
        timeout=30,
        transport=httpx.MockTransport(answer),
        **given,
    )
    try:
        yield http
    finally:
        http.close()
