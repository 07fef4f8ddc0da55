"""Delivers notifications over HTTP, from a thread: only where the sandbox runs as a server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from . import notify
from .model import Notification
from .world import World

INTERVAL_SECONDS = 0.1


def over(client: httpx.Client, notification: Notification) -> int:
    """POST a notification and return the status; 0 when there was no answer."""
    try:
        return client.post(notification.url, content=notification.body, headers=notification.headers).status_code
    except httpx.HTTPError:
        return 0


@contextmanager
def delivering(world: World, client: httpx.Client | None = None) -> Iterator[None]:
    """Deliver the world's notifications through `client` until the block ends."""
    own = client or httpx.Client(timeout=10)
    stop = threading.Event()
    world.deliver = lambda notification: over(own, notification)

    def run() -> None:
        while not stop.wait(INTERVAL_SECONDS):
            notify.pump(world)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(15)
        own.close()
