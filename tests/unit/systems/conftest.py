"""A server on this machine whose answers a test writes byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def listening() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server on this machine whose answers a test writes byte by byte."""
    door = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve(answer: Callable[[socket.socket], None]) -> str:
        def loop() -> None:
            while not over.is_set():
                try:
                    guest, _ = door.accept()
                except OSError:
                    return
                threading.Thread(target=attend, args=(guest,), daemon=True).start()

        def attend(guest: socket.socket) -> None:
            with guest:
                try:
                    guest.recv(65_536)
                    answer(guest)
                except OSError:
                    pass  # the client left, as it should

        threading.Thread(target=loop, daemon=True).start()
        return f"http://127.0.0.1:{door.getsockname()[1]}"

    yield serve
    over.set()
    door.close()
