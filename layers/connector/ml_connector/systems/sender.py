"""Sends requests over one transport, as the client of httpx does, and does nothing that nobody here needs.

Redirects are followed by nobody but an adapter that judged them, bodies are unpacked within limits (`read_body`), and
addresses with a password in them are refused in the secret. What is left takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import httpx


class Sender:
    """One pool. `before` sees each request right before it leaves, also the replay after a renewed login."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
        headers: Mapping[str, str],
        before: Iterable[Callable[[httpx.Request], None]] = (),
        *,
        keeps_cookies: bool = True,
    ) -> None:
        """`headers` are those of each request that names no others. `keeps_cookies`: they are sent back."""
        self._transport, self._headers, self._before = transport, headers, tuple(before)
        self._keeps_cookies, self.cookies = keeps_cookies, httpx.Cookies()

    def close(self) -> None:
        """Close the pool."""
        self._transport.close()

    def build(
        self, method: str, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str], content: bytes | None
    ) -> httpx.Request:
        """Make a request. Raises `UnicodeError` for a cookie, `httpx.InvalidURL` or `ValueError` for the rest."""
        named = {name.lower() for name in headers}
        # some of these are a server's words
        given = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
        usual = [(name.encode(), value.encode()) for name, value in self._headers.items() if name.lower() not in named]
        request = httpx.Request(method, url, params=params, headers=[*usual, *given], content=content)
        if self.cookies:
            self.cookies.set_cookie_header(request)
        return request

    def send(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        """Send, as often as `auth` wants, and give the last answer with its body unread.

        Raises what httpx does, and `ValueError` where the headers of an answer cannot be read.
        """
        if auth is None:
            return self._once(request)
        flow = auth.sync_auth_flow(request)
        try:
            request = next(flow)
            while True:
                response = self._once(request)
                try:
                    request = flow.send(response)
                    response.read()
                except StopIteration:
                    return response
                except BaseException:
                    response.close()
                    raise
        finally:
            flow.close()

    def _once(self, request: httpx.Request) -> httpx.Response:
        for look in self._before:
            look(request)
        response = self._transport.handle_request(request)
        response.request = request
        if self._keeps_cookies and "set-cookie" in response.headers:
            try:
                self.cookies.extract_cookies(response)
            except BaseException:
                response.close()
                raise
        return response
