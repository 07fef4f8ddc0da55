"""The way to a server: one deadline over a whole exchange, and no connection to an address that may not be called.

httpx counts its timeouts again with each byte: a server that drips the headers of its answer would hold a worker for
ever. Here each step has the time that is left of the whole exchange, from the connection to the body's last byte.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from ml_connector.systems.addresses import PORTS, Reach
from ml_connector.systems.read_body import SPAN, TRICKLED, Trickle

PIECE = 16 * 1024
"""Bytes that are sent before the time is looked at again."""
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """List the addresses that a name leads to just now. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Deadline:
    """The end of an exchange, counted from its first step: to wait for a free connection is not the server's fault."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._ends = seconds, 0.0

    def left(self) -> float:
        """Give the seconds that are left."""
        now = time.monotonic()
        self._ends = self._ends or now + self._seconds
        return self._ends - now

    @property
    def over(self) -> bool:
        """Tell whether the time is up."""
        return bool(self._ends) and self.left() <= 0


class _Until(float):
    """A timeout that a deadline may make shorter. httpcore hands it through, from the request to the socket."""

    deadline: Deadline

    @classmethod
    def of(cls, seconds: float, deadline: Deadline) -> _Until:
        made = cls(seconds)
        made.deadline = deadline
        return made


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """Give the seconds for a step; raises `late` where none are left."""
    if not isinstance(timeout, _Until):
        return timeout
    left = min(float(timeout), timeout.deadline.left())
    if left <= 0:
        raise late(TRICKLED)
    return left


class Wire(httpx.BaseTransport):
    """The real network for one server: a pool of its own, through the proxy that the environment names, if any."""

    def __init__(
        self,
        *,
        reach: Reach,
        verify: ssl.SSLContext,
        timeout: float,
        limits: httpx.Limits,
        resolve: Resolve = resolve,
    ) -> None:
        """`timeout` in seconds is that of one step; a whole exchange has `SPAN` of them."""
        self._reach, self._verify, self._span, self._limits = reach, verify, timeout * SPAN, limits
        self._direct = self._pool(Backend(reach, resolve), None)
        self._proxied: dict[str, httpx.HTTPTransport] = {}
        self._proxies = getproxies()

    def _pool(self, backend: httpcore.NetworkBackend, proxy: str | None) -> httpx.HTTPTransport:
        made = httpx.HTTPTransport(verify=self._verify, limits=self._limits, proxy=proxy)
        made._pool._network_backend = backend
        return made

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request under a deadline of its own. Raises httpx's errors, and `Misconfigured` for an address."""
        deadline = Deadline(self._span)
        pool = self._route(request.url)
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        request.extensions = {**request.extensions, "timeout": _under(timeouts, deadline)}
        try:
            response = pool.handle_request(request)
        except httpx.TimeoutException as error:
            raise _late(error, deadline) from error
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Answer(response.stream, deadline)
        return response

    def _route(self, url: httpx.URL) -> httpx.HTTPTransport:
        """Choose the way. Behind a proxy it is the proxy that asks for the name, and only an address can be judged."""
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        proxy = None if proxy and proxy_bypass(url.host) else proxy
        self._reach.check(url.host, url.port or PORTS.get(url.scheme, 0), proxied=bool(proxy))
        if not proxy:
            return self._direct
        if proxy not in self._proxied:
            address = proxy if "://" in proxy else f"http://{proxy}"
            self._proxied[proxy] = self._pool(Backend(None, resolve), address)
        return self._proxied[proxy]

    def close(self) -> None:
        """Close every pool."""
        for pool in (self._direct, *self._proxied.values()):
            pool.close()


def _under(timeouts: dict[str, float | None], deadline: Deadline) -> dict[str, float | None]:
    steps = {k: _Until.of(v, deadline) if v is not None and k != "pool" else v for k, v in timeouts.items()}
    return {"connect": None, "read": None, "write": None, "pool": None, **steps}


def _late(error: httpx.TimeoutException, deadline: Deadline) -> httpx.TimeoutException:
    """Tell a step that took too long from an exchange that did; a connection that was not made did nothing."""
    if deadline.over and not isinstance(error, (httpx.ConnectTimeout, httpx.PoolTimeout)):
        return Trickle(TRICKLED)
    return error


class _Answer(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except httpx.TimeoutException as error:
            raise _late(error, self._deadline) from error

    def close(self) -> None:
        self._stream.close()


class Backend(httpcore.NetworkBackend):
    """Connects to addresses that were judged, and never to a name: it could lead elsewhere at the second look."""

    def __init__(self, reach: Reach | None, resolve: Resolve) -> None:
        """`reach` None: the operator's own proxy."""
        self._reach, self._resolve, self._inner = reach, resolve, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. Raises httpcore's errors, and `Misconfigured`."""
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        if self._reach is not None:
            addresses = self._reach.usable(host, port, addresses)
        failed: Exception = httpcore.ConnectError("the name leads nowhere")
        for address in addresses:
            left = _left(timeout, httpcore.ConnectTimeout)
            try:
                return Stream(self._inner.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class Stream(httpcore.NetworkStream):
    """A connection whose every step has the time that is left of its exchange."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come."""
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        for at in range(0, len(buffer), PIECE):
            self._inner.write(buffer[at : at + PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Agree on a key; Python bounds the whole of it by its timeout."""
        return Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        """Tell about the connection."""
        return self._inner.get_extra_info(info)
