"""What a disk refuses, in a sentence with the path and what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_connector.errors import Misconfigured, Transient

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def told(path: Path | str, what: str = "written") -> Iterator[None]:
    """Turn errors of a file or folder into ours.

    Raises `Transient` where there is no room, `Misconfigured` where the path cannot be used.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise Transient(full(path)) from error
        where = error.filename or path
        todo = "Make it a path that this user may read and write."
        if error.errno == errno.ENOENT:
            todo = "Make its folder first."
        raise Misconfigured(f"{where} cannot be {what}: {error.strerror or error}. {todo}") from error


def full(path: Path | str) -> str:
    """Say that there is no room."""
    return f"{path} cannot be written: the disk is full. Make room, then run again; nothing that was sent is forgotten."
