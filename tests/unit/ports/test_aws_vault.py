from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ml_connector.aws.vault import KmsVault
from ml_connector.errors import Misconfigured, Transient


class FakeKms:
    """Encrypts a data key by writing its number and context down."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error: str | None = None
        self._keys: dict[bytes, tuple[bytes, dict[str, str]]] = {}

    def generate_data_key(self, KeyId: str, KeySpec: str, EncryptionContext: dict[str, str]) -> dict[str, bytes]:
        self._count("generate", KeyId)
        assert KeySpec == "AES_256"
        number = len(self._keys)
        encrypted = f"encrypted-{number}".encode()
        self._keys[encrypted] = (number.to_bytes(32, "big"), EncryptionContext)
        return {"Plaintext": self._keys[encrypted][0], "CiphertextBlob": encrypted}

    def decrypt(self, KeyId: str, CiphertextBlob: bytes, EncryptionContext: dict[str, str]) -> dict[str, bytes]:
        self._count("decrypt", KeyId)
        plain, context = self._keys.get(CiphertextBlob, (b"", {}))
        if context != EncryptionContext:
            raise ClientError({"Error": {"Code": "InvalidCiphertextException", "Message": ""}}, "Decrypt")
        return {"Plaintext": plain}

    def _count(self, name: str, key_id: str) -> None:
        assert key_id == "the-key"
        self.calls.append(name)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": ""}}, name)


@pytest.fixture
def kms() -> FakeKms:
    return FakeKms()


def test_a_data_key_serves_one_context_for_five_minutes(kms: FakeKms, clock: Any) -> None:
    vault = KmsVault(kms, "the-key", clock)
    for _ in range(20):
        vault.open(vault.seal(b"x", "a"), "a")
    assert kms.calls == ["generate"]
    vault.seal(b"x", "b")
    assert kms.calls == ["generate"] * 2
    clock.sleep(300)
    sealed = vault.seal(b"x", "a")
    assert kms.calls == ["generate"] * 3
    clock.sleep(300)
    assert vault.open(sealed, "a") == b"x"
    assert kms.calls[3:] == ["decrypt"]


def test_a_stand_in_asks_kms_as_a_sealed_text_does(kms: FakeKms, clock: Any) -> None:
    vault = KmsVault(kms, "the-key", clock)
    with pytest.raises(ValueError, match="sealed"):
        vault.open(vault.stand_in(), "a")
    assert kms.calls == ["decrypt"]


def test_a_data_key_seals_1000_texts(kms: FakeKms, clock: Any) -> None:
    vault = KmsVault(kms, "the-key", clock)
    for _ in range(1_001):
        vault.seal(b"x", "a")
    assert kms.calls == ["generate"] * 2


def test_few_keys_are_kept(kms: FakeKms, clock: Any) -> None:
    vault = KmsVault(kms, "the-key", clock)
    sealed = [vault.seal(b"x", f"context-{n}") for n in range(300)]
    assert vault.open(sealed[299], "context-299") == vault.open(sealed[0], "context-0") == b"x"
    assert kms.calls == ["generate"] * 300 + ["decrypt"]


def test_a_text_of_another_key_or_context_does_not_open(kms: FakeKms, clock: Any) -> None:
    sealed = KmsVault(kms, "the-key", clock).seal(b"x", "a")
    with pytest.raises(ValueError, match="sealed"):
        KmsVault(kms, "the-key", clock).open(sealed, "b")
    with pytest.raises(ValueError, match="sealed"):
        KmsVault(kms, "the-key", clock).open(sealed.replace(b"encrypted", b"encrYpted"), "a")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", Transient),
        ("KMSInternalException", Transient),
        ("AccessDeniedException", Misconfigured),
        ("DisabledException", Misconfigured),
        ("NotFoundException", Misconfigured),
    ],
)
def test_trouble_with_kms_is_not_taken_for_a_wrong_text(
    kms: FakeKms, clock: Any, code: str, kind: type[Exception]
) -> None:
    sealed = KmsVault(kms, "the-key", clock).seal(b"x", "a")
    kms.error = code
    vault = KmsVault(kms, "the-key", clock)
    with pytest.raises(kind, match="the-key"):
        vault.open(sealed, "a")
    with pytest.raises(kind, match="the-key"):
        vault.seal(b"x", "a")
