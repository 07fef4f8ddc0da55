"""Encryption of what rests on this machine: AES-256-GCM with a key beside the state."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ml_connector.errors import Misconfigured

KEY_BYTES, NONCE_BYTES = 32, 12
FORMAT = b"\x01"
"""First byte of every sealed text, then the nonce, then the ciphertext with its tag."""


class MemoryVault:
    """A vault whose key lives as long as the object, unless one (32 bytes) is given."""

    def __init__(self, key: bytes | None = None) -> None:
        self._cipher = AESGCM(key or secrets.token_bytes(KEY_BYTES))

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


class FileVault(MemoryVault):
    """A vault whose key rests in a file that only its owner reads (mode 0600), made on first use.

    Raises `Misconfigured` where the file is no key.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(_key(Path(path)))


def _key(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            f"{path} is not a key of {KEY_BYTES} bytes. Restore it from a backup; or delete it, and every session "
            "is made anew."
        )
    return key


def _make(path: Path) -> None:
    """Write a new key; of two processes that do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
