"""One engine for each state directory, so that the leases of a dead one may be ended at once."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from ml_connector.embedded import private
from ml_connector.embedded.disk import told
from ml_connector.errors import Misconfigured


class StateLock:
    """The right to run an engine on a state directory; the kernel takes it back however the process ends.

    Raises `Misconfigured` on `acquire` (or `with`) while another process has it.
    """

    def __init__(self, path: Path | str) -> None:
        """`path` is the state directory; it is made where it is missing."""
        self._folder = Path(path)
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock, without waiting."""
        if self._handle is not None:
            raise RuntimeError("This lock is held already.")
        with told(self._folder):
            private.folder(self._folder)
            private.file(self._folder / "lock")
            handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode(errors="replace").strip()
            os.close(handle)
            raise Misconfigured(self._sentence(owner)) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would let two processes lock two files."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> StateLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _sentence(self, owner: str) -> str:
        who = f"Process {owner}" if owner else "Another process"
        return (
            f"{who} already works with the state in {self._folder}: wait until it ends, or stop it. Do not start a "
            "second run with another state folder (--state) for the same companies: neither would see what the other "
            "has sent, and documents could be posted twice."
        )
