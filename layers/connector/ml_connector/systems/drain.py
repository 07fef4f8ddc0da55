"""Reads the body of an answer under limits of size and time.

A read timeout counts anew with each byte, so a server that drips one each ten seconds would hold a worker for hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx

from ml_connector.ports import Clock

LARGEST = 64 * 1024 * 1024
SPAN = 2
"""Timeouts that a whole body may take once its headers have come."""


class Trickle(httpx.ReadTimeout):
    """The body came in drops until its time was up; once more would cost as much again."""


def drain(response: httpx.Response, clock: Clock, timeout: float) -> bytes:
    """Read a streamed body whole, `timeout` in seconds. Raises `Trickle`, or `httpx.ReadError` for too large a one."""
    if not response.is_stream_consumed and isinstance(response.stream, httpx.SyncByteStream):
        response.stream = _Timed(response.stream, clock, clock.now() + timedelta(seconds=timeout * SPAN))
    parts, size = [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise httpx.ReadError("the answer is larger than 64 MiB")
    return b"".join(parts)


class _Timed(httpx.SyncByteStream):
    """A body that is cut when its time is up; below the unpacking, since packed drops come out as nothing."""

    def __init__(self, stream: httpx.SyncByteStream, clock: Clock, deadline: datetime) -> None:
        self._stream, self._clock, self._deadline = stream, clock, deadline

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            yield part
            if self._clock.now() > self._deadline:
                raise Trickle("the answer trickled in for too long")

    def close(self) -> None:
        self._stream.close()
