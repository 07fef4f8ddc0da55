"""A sandbox as a program of its own: `python -m infra.sandbox.VENDOR --port 0 --seed 1` prints one JSON line."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

from ..server import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def parser(description: str | None) -> argparse.ArgumentParser:
    """Give the options that every sandbox has; a vendor adds its own."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (0: any free one)")
    made.add_argument("--seed", type=int, default=1)
    return made


def serve(
    app: WSGIApplication,
    port: int,
    line: Callable[[str], dict[str, Any]],
    beside: AbstractContextManager[Any] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, with what goes on `beside`; prints what `line` says of the address."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        address = stack.enter_context(serving(app, port))
        if beside is not None:
            stack.enter_context(beside)
        print(json.dumps(line(address)), flush=True)
        stop.wait()
