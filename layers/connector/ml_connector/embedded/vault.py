"""Encryption of what rests on this machine: AES-256-GCM with a key beside the state."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ml_connector.embedded import private
from ml_connector.errors import Misconfigured

log = logging.getLogger("ml_connector")
KEY_BYTES, NONCE_BYTES = 32, 12
FORMAT = b"\x01"
"""First byte of every sealed text, then the nonce, then the ciphertext with its tag."""


class MemoryVault:
    """A vault whose key lives as long as the object, unless one (32 bytes) is given."""

    def __init__(self, key: bytes | None = None) -> None:
        key = key or secrets.token_bytes(KEY_BYTES)
        self._cipher = AESGCM(key)
        self._key_name = hashlib.blake2b(b"ml-connector vault", key=key, digest_size=8).hexdigest()

    @property
    def key_name(self) -> str:
        """Name the key by a hash from which it cannot be found."""
        return self._key_name

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt; `context` must be given again to open."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; raises `ValueError` where the text or the context is not the one sealed."""
        nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] != FORMAT or len(nonce) < NONCE_BYTES:
            raise ValueError("This is no sealed text of this vault.")
        try:
            return self._cipher.decrypt(nonce, text, context.encode())
        except InvalidTag:
            raise ValueError("The sealed text was changed, or sealed for another use or under another key.") from None

    def stand_in(self) -> bytes:
        """Give a text that opens for nobody."""
        return FORMAT + secrets.token_bytes(NONCE_BYTES + KEY_BYTES)


class FileVault(MemoryVault):
    """A vault whose key rests in a file that only its owner reads (mode 0600), made on first use.

    A file that is no key is set aside and a new key made: what was sealed is made again from the secrets. Raises
    `Misconfigured` where the file cannot be read.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(_key(Path(path)))


def _key(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    key = _read(path)
    if len(key) != KEY_BYTES:
        _set_aside(path)
        _make(path)
        key = _read(path)
    return key


def _read(path: Path) -> bytes:
    try:
        with contextlib.suppress(PermissionError):  # another user's, who let us read it
            path.chmod(0o600)
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"The vault key {path} cannot be read: {error.strerror}. Correct its access rights."
        ) from None


def _set_aside(path: Path) -> None:
    """Keep what is no key under another name, for whoever wants to know what happened."""
    aside = path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}")
    if len(_read(path)) == KEY_BYTES:
        return  # another process was first
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
    log.warning(
        "%s is not a key of %d bytes. It was kept as %s and a new key made: sessions are opened again, and webhook "
        "keys sealed again from the secrets.",
        path,
        KEY_BYTES,
        aside.name,
    )


def _make(path: Path) -> None:
    """Write a new key; of two processes that do so at once, the first one's stays."""
    if not path.parent.is_dir():
        private.folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_BYTES))
        os.fsync(handle)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # atomic, and fails where a key is: no key is ever replaced or seen half written
    finally:
        os.close(handle)
        draft.unlink()
