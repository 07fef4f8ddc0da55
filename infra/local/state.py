"""The state of a local run: a folder that survives a kill at any moment, and the ports that stand on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ml_connector.embedded import private
from ml_connector.embedded.blobs import FolderBlobs
from ml_connector.embedded.clock import SystemClock, SystemRandom
from ml_connector.embedded.disk import told
from ml_connector.embedded.lock import StateLock
from ml_connector.embedded.queue import MemoryQueue
from ml_connector.embedded.secrets import FolderSecrets
from ml_connector.embedded.store import SqliteStore
from ml_connector.embedded.vault import FileVault
from ml_connector.engine.runtime import Runtime
from ml_connector.tenant import BootstrapOptions

CRASHES = 10
"""A local process is killed for many reasons that are no record's fault, so a chunk is given more tries than in
Lambda, where a worker holds one chunk alone."""


@dataclass
class State:
    """The opened folder."""

    folder: Path
    secrets: FolderSecrets
    queue: MemoryQueue
    vault: FileVault
    runtime: Runtime

    def tools(self, *, dry_run: bool = False) -> BootstrapOptions:
        """Give what wiring needs; local runs may talk to http and loopback addresses."""
        return BootstrapOptions(self.vault, insecure=True, dry_run=dry_run)


def open_state(secrets: Path, folder: Path | None = None, *, sole: bool = True) -> State:
    """Open the state beside the secrets (or `folder`), made on first use. `sole`: this process holds the lock."""
    folder = folder or secrets / ".state"
    with told(folder):
        private.folder(folder)
    clock, rng = SystemClock(), SystemRandom()
    queue = MemoryQueue(clock)
    runtime = Runtime(
        store=SqliteStore(folder / "state.sqlite"),
        queue=queue,
        blobs=FolderBlobs(folder / "audit"),
        clock=clock,
        rng=rng,
        boot=str(rng.uuid4()),
        sole=sole,
        crash_limit=CRASHES,
    )
    return State(folder, FolderSecrets(secrets), queue, FileVault(folder / "vault.key"), runtime)


@contextmanager
def locked_state(secrets: Path, folder: Path | None = None) -> Iterator[State]:
    """Open the state as the one engine process; raises `Misconfigured` where another one runs."""
    folder = folder or secrets / ".state"
    with told(folder):
        private.folder(folder)
    with StateLock(folder):
        yield open_state(secrets, folder)
