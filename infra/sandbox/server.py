"""Serves a sandbox (a WSGI application) on a loopback port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class QuietHandler(WSGIRequestHandler):
    """Keeps connections open between requests, as the vendors do, and writes no access log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Stay silent: a sandbox is asked thousands of times."""


def build(app: WSGIApplication, port: int = 0, patience: float | None = None) -> BaseWSGIServer:
    """Bind `app` to 127.0.0.1 on `port` (0: any free one; read it from `server.port`).

    `patience`: seconds after which a connection that says nothing is closed.
    """
    handler = type("Handler", (QuietHandler,), {"timeout": patience})
    return make_server("127.0.0.1", port, app, threaded=True, request_handler=handler)


@contextmanager
def serving(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve `app` from a thread of this process and yield its address, e.g. http://127.0.0.1:40123."""
    server = build(app, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)  # so soon it sees that it is over
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
