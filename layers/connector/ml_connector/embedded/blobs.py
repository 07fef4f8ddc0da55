"""Objects as files below a folder, or in memory."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

from ml_connector.embedded import private
from ml_connector.embedded.disk import told
from ml_connector.ports import object_key

DRAFTS = ".drafts"


class FolderBlobs:
    """Objects as files: the key is the path below the folder. A reader never sees half an object.

    They are their owner's alone (0700 and 0600), whatever stood there before.
    """

    def __init__(self, folder: Path | str) -> None:
        """`folder` is made on the first write."""
        self._folder = Path(folder)

    def put(self, key: str, body: bytes) -> None:
        """Store an object; the same key again replaces it. Raises `ValueError` for a key that is no path below."""
        path = self._path(key)
        drafts = self._folder / DRAFTS
        draft = drafts / secrets.token_hex(16)
        with told(path):
            private.folder(drafts, self._folder)
            private.folder(path.parent, self._folder)
            try:
                private.write(draft, body)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        """Read an object; None where there is none. Raises `ValueError` for a key that is no path below."""
        try:
            return self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            with told(key, "read"):
                raise error from None

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys under a prefix in the order of their UTF-8 bytes, one folder in memory at a time."""
        yield from self._walk("", prefix)

    def _walk(self, below: str, prefix: str) -> Iterator[str]:
        for name in self._names(below):
            key = below + name
            if key.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._walk(key, prefix)
            elif key.startswith(prefix):
                yield key

    def _names(self, below: str) -> list[str]:
        """Names in a folder, folders with their slash: only so does sorting give the order of whole keys."""
        try:
            with os.scandir(self._folder / below) as entries:
                names = [entry.name + "/" if entry.is_dir() else entry.name for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            with told(self._folder / below, "read"):
                raise error from None
        return sorted(name for name in names if below or name != f"{DRAFTS}/")

    def _path(self, key: str) -> Path:
        return self._folder.joinpath(*_parts(key))


class MemoryBlobs:
    """Objects in memory, gone with the process."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, key: str, body: bytes) -> None:
        """Store an object; the same key again replaces it. Raises `ValueError` for a key that is no path."""
        with self._lock:
            self._bodies["/".join(_parts(key))] = bytes(body)

    def get(self, key: str) -> bytes | None:
        """Read an object; None where there is none. Raises `ValueError` for a key that is no path."""
        return self._bodies.get("/".join(_parts(key)))

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys under a prefix in order, as they are at the call."""
        with self._lock:
            found = sorted(key for key in self._bodies if key.startswith(prefix))
        return iter(found)


def _parts(key: str) -> list[str]:
    """Split a key into the names of folders and file."""
    parts = object_key(key)
    if parts[0] == DRAFTS:
        raise ValueError(f"{key!r} cannot be the key of an object.")
    return parts
