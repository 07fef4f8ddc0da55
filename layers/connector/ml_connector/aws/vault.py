"""Envelope encryption: AES-256-GCM under a data key that KMS gives and alone can open again."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ml_connector.aws.errors import code_of, translated
from ml_connector.ports import Clock

FORMAT = b"\x01"
"""First byte; then two bytes of length, the encrypted data key, the nonce, the ciphertext with its tag."""
LENGTH_BYTES, NONCE_BYTES, KEY_BYTES = 2, 12, 32
ENCRYPTED_BYTES = 184
"""How long KMS makes a data key of `KEY_BYTES`."""
MAX_AGE = 300.0
MAX_USES = 1_000
KEPT = 256
"""Data keys kept in memory: for how many seconds, how many texts sealed with one, and how many of them."""
NOT_OURS = "The sealed text was changed, or sealed for another use or under another key."
UNREADABLE = {"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"}


@dataclass(slots=True)
class _DataKey:
    cipher: AESGCM = field(repr=False)
    encrypted: bytes = field(repr=False)
    made: float
    uses: int = 0


class KmsVault:
    """A vault under one KMS key; the context is also KMS's encryption context, and so stands in CloudTrail.

    A data key serves one context, for five minutes or 1,000 texts, unless the caller names a `group` of contexts that
    share one: then the group is KMS's context, and the text's own is bound to it alone. Every method raises `Transient`
    where AWS throttles or is not reached, and `Misconfigured` where the key cannot be used.
    """

    def __init__(self, client: Any, key_id: str, clock: Clock, *, max_age: float = MAX_AGE) -> None:
        """`client` is boto3's for `kms`; `max_age`: seconds that an opened data key stays in memory."""
        self._client, self._key_id, self._clock, self._max_age = client, key_id, clock, max_age
        self._lock = threading.Lock()
        self._sealing: OrderedDict[str, _DataKey] = OrderedDict()
        self._opening: OrderedDict[tuple[str, bytes], _DataKey] = OrderedDict()

    @property
    def key_name(self) -> str:
        """Name the KMS key."""
        return self._key_id

    def seal(self, plain: bytes, context: str, *, data_key: bytes | None = None, group: str | None = None) -> bytes:
        """Encrypt; `context` must be given again to open, and is no secret. `data_key`: one that `new_key` made."""
        key = self._key_to_seal(context) if data_key is None else self._key_to_open(data_key, group or context)
        nonce = secrets.token_bytes(NONCE_BYTES)
        text = key.cipher.encrypt(nonce, plain, context.encode())
        return FORMAT + len(key.encrypted).to_bytes(LENGTH_BYTES, "big") + key.encrypted + nonce + text

    def open(self, sealed: bytes, context: str, *, group: str | None = None) -> bytes:
        """Decrypt; raises `ValueError` where the text or the context is not the one sealed."""
        encrypted, nonce, text = _parts(sealed)
        key = self._key_to_open(encrypted, group or context)
        try:
            return key.cipher.decrypt(nonce, text, context.encode())
        except InvalidTag:
            raise ValueError(NOT_OURS) from None

    def new_key(self, group: str) -> bytes:
        """Make a data key for a group of contexts; it is encrypted, and may be kept anywhere."""
        return self._generate(group).encrypted

    def load_key(self, data_key: bytes, group: str) -> None:
        """Have a data key ready to seal with; raises `ValueError` where KMS does not know it."""
        self._key_to_open(data_key, group)

    def stand_in(self) -> bytes:
        """Give a text that opens for nobody, after KMS was asked for its data key."""
        encrypted = secrets.token_bytes(ENCRYPTED_BYTES)
        length = len(encrypted).to_bytes(LENGTH_BYTES, "big")
        return FORMAT + length + encrypted + secrets.token_bytes(NONCE_BYTES + KEY_BYTES)

    def _key_to_seal(self, context: str) -> _DataKey:
        with self._lock:
            key = self._sealing.get(context)
            if key is None or not self._is_young(key) or key.uses >= MAX_USES:
                key = self._generate(context)
                _keep(self._sealing, context, key)
            key.uses += 1
            return key

    def _key_to_open(self, encrypted: bytes, context: str) -> _DataKey:
        with self._lock:
            key = self._opening.get((context, encrypted))
        if key is None or not self._is_young(key):
            key = self._decrypt(encrypted, context)
            with self._lock:
                _keep(self._opening, (context, encrypted), key)
        return key

    def _generate(self, context: str) -> _DataKey:
        with translated(f"the KMS key {self._key_id}"):
            answer = self._client.generate_data_key(
                KeyId=self._key_id, KeySpec="AES_256", EncryptionContext={"context": context}
            )
        key = self._data_key(answer["Plaintext"], answer["CiphertextBlob"])
        _keep(self._opening, (context, key.encrypted), key)
        return key

    def _decrypt(self, encrypted: bytes, context: str) -> _DataKey:
        with translated(f"the KMS key {self._key_id}"):
            try:
                answer = self._client.decrypt(
                    KeyId=self._key_id, CiphertextBlob=encrypted, EncryptionContext={"context": context}
                )
            except ClientError as error:
                if code_of(error) not in UNREADABLE:
                    raise
                raise ValueError(NOT_OURS) from None
        if len(answer["Plaintext"]) != KEY_BYTES:
            raise ValueError(NOT_OURS)  # never from AWS; emulators decrypt junk to junk
        return self._data_key(answer["Plaintext"], encrypted)

    def _data_key(self, plain: bytes, encrypted: bytes) -> _DataKey:
        return _DataKey(AESGCM(plain), encrypted, self._clock.now().timestamp())

    def _is_young(self, key: _DataKey) -> bool:
        return self._clock.now().timestamp() - key.made < self._max_age


def _keep(keys: OrderedDict[Any, _DataKey], name: Any, key: _DataKey) -> None:
    """Keep a key, and drop the oldest beyond the limit."""
    keys[name] = key
    keys.move_to_end(name)
    while len(keys) > KEPT:
        keys.popitem(last=False)


def _parts(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """Split into encrypted data key, nonce and text."""
    begin = len(FORMAT) + LENGTH_BYTES
    end = begin + int.from_bytes(sealed[len(FORMAT) : begin], "big")
    if sealed[:1] != FORMAT or end == begin or len(sealed) < end + NONCE_BYTES:
        raise ValueError("This is no sealed text of this vault.")
    return sealed[begin:end], sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :]
