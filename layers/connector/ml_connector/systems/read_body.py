"""Reads the body of an answer under limits of size and time, and unpacks it within them.

A read timeout counts again with each byte, so a server that drips one each ten seconds would hold a worker for hours;
and two kilobytes that were packed twice become gigabytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx

from ml_connector.deadline import Deadline
from ml_connector.ports import Clock

LARGEST = 64 * 1024 * 1024
"""Bytes of a body, packed as well as unpacked, and after each unpacking of several."""
SPAN = 2
"""Timeouts that a whole exchange may take, from the connection to the last byte."""
OFFERED = "gzip, deflate"
"""The codings that are unpacked here, within limits; no other is asked for, whatever is installed."""
PIECE = 64 * 1024
"""Bytes that are unpacked at a time."""
LAYERS = 3
TRICKLED = "the answer trickled in for too long"


class Trickle(httpx.ReadTimeout):
    """The answer came in drops until its time was up; once more would cost as much again."""


class TooLarge(httpx.ReadError):
    """The answer is larger than any that is meant; it would be as large once more."""


class Bounded(httpx.BaseTransport):
    """Hands out answers whose bodies are unpacked already, and end with an error where they are too large or slow."""

    def __init__(self, inner: httpx.BaseTransport, clock: Clock, timeout: float, ends: Deadline | None = None) -> None:
        """`timeout` in seconds is that of one step; no exchange outlasts `ends`."""
        self._inner, self._clock, self._span = inner, clock, timedelta(seconds=timeout * SPAN)
        self._ends = ends or Deadline()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and put the limits around the answer's body."""
        deadline = self._ends.cut(self._clock.now() + self._span)
        response = self._inner.handle_request(request)
        if not response.is_stream_consumed and isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Body(response.stream, _codings(response.headers), self._clock, deadline)
            response.headers.pop("content-encoding", None)
        return response

    def close(self) -> None:
        """Close the transport below."""
        self._inner.close()


def read_body(response: httpx.Response) -> bytes:
    """Read a body whole, which `Bounded` limits. Raises `Trickle`, or `TooLarge`."""
    if response.is_stream_consumed or not isinstance(response.stream, _Body):
        return b"".join(_limited(response.iter_bytes()))
    return b"".join(response.stream)


class _Body(httpx.SyncByteStream):
    """A body that is cut when its time is up; the time is looked at below the unpacking, where drops are seen."""

    def __init__(self, stream: httpx.SyncByteStream, codings: list[str], clock: Clock, deadline: datetime) -> None:
        self._stream, self._codings, self._clock, self._deadline = stream, codings, clock, deadline

    def __iter__(self) -> Iterator[bytes]:
        parts = _limited(self._timed())
        for coding in reversed(self._codings):
            parts = _limited(_unpacked(parts, coding))
        yield from parts

    def _timed(self) -> Iterator[bytes]:
        for part in self._stream:
            yield part
            if self._clock.now() > self._deadline:
                raise Trickle(TRICKLED)

    def close(self) -> None:
        self._stream.close()


def _codings(headers: httpx.Headers) -> list[str]:
    """Name the codings in the order in which they were put on; what is none of ours stays as it came."""
    named = [name.strip().lower() for name in ",".join(headers.get_list("content-encoding")).split(",")]
    found = [name.removeprefix("x-") for name in named if name.removeprefix("x-") in {"gzip", "deflate"}]
    if len(found) > LAYERS:
        raise httpx.DecodingError(f"the answer is packed {len(found)} times over")
    return found


def _limited(parts: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for part in parts:
        size += len(part)
        if size > LARGEST:
            raise TooLarge(f"the answer is larger than {LARGEST >> 20} MiB")
        yield part


def _unpacked(parts: Iterator[bytes], coding: str) -> Iterator[bytes]:
    """Unpack piece by piece; a body that ends too early gives what there is, as an unpacked one does."""
    engine = zlib.decompressobj(zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
    fresh = coding == "deflate"
    try:
        for part in parts:
            rest = part
            while rest and not engine.eof:
                try:
                    piece = engine.decompress(rest, PIECE)
                except zlib.error:
                    if not fresh:
                        raise
                    engine, fresh = zlib.decompressobj(-zlib.MAX_WBITS), False  # some servers leave the frame out
                    continue
                fresh, rest = False, engine.unconsumed_tail
                yield piece
        yield engine.flush()
    except zlib.error as error:
        raise httpx.DecodingError(f"the answer cannot be unpacked ({error})") from error
