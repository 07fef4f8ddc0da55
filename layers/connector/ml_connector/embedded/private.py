"""Files and folders for their owner alone, whatever the umask says and whoever made them before."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def folder(path: Path, below: Path | None = None) -> None:
    """Make a folder (mode 0700), or close one that is open to others; with `below`, each one from there down as well.

    A folder that belongs to everybody by its sticky bit, as /tmp does, or to another user stays as it is.
    """
    levels = [p for p in (path, *path.parents) if below is not None and (p == below or below in p.parents)] or [path]
    for level in reversed(levels):
        level.mkdir(parents=True, exist_ok=True, mode=FOLDER)
        mode = level.stat().st_mode
        if mode & 0o077 and not mode & stat.S_ISVTX:
            with suppress(PermissionError):
                level.chmod(FOLDER)


def file(path: Path) -> None:
    """Make a file (mode 0600) where there is none, or close one that is open to others.

    One that is there is not opened: to close it again would drop SQLite's locks on it.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE))
    except FileExistsError:
        mode = path.stat().st_mode
        if mode & 0o077 and stat.S_ISREG(mode):
            with suppress(PermissionError):
                path.chmod(FILE)


def write(path: Path, body: bytes) -> None:
    """Write a file (mode 0600), in the place of what it held."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE)
    with os.fdopen(handle, "wb") as target:
        _close_to_others(handle)
        target.write(body)


def _close_to_others(handle: int) -> None:
    mode = os.fstat(handle).st_mode
    if mode & 0o077 and stat.S_ISREG(mode):  # a report may be written to a terminal or a pipe
        with suppress(PermissionError):
            os.fchmod(handle, FILE)
