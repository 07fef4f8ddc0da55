"""What every vault promises."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

PLAIN = b"geheim-7f3a" * 50
CONTEXT = "session#acme#basware"


def test_what_was_sealed_opens_under_its_context(vault_maker: Any) -> None:
    vault = vault_maker()
    for plain in (PLAIN, b"", bytes(100_000)):
        assert vault.open(vault.seal(plain, CONTEXT), CONTEXT) == plain


def test_another_process_opens_it(vault_maker: Any) -> None:
    assert vault_maker().open(vault_maker().seal(PLAIN, CONTEXT), CONTEXT) == PLAIN


def test_another_context_does_not_open_it(vault_maker: Any) -> None:
    vault = vault_maker()
    sealed = vault.seal(PLAIN, CONTEXT)
    for other in (vault, vault_maker()):
        with pytest.raises(ValueError, match="another use"):
            other.open(sealed, "session#other#basware")


def test_a_changed_text_does_not_open(vault_maker: Any) -> None:
    vault = vault_maker()
    sealed = vault.seal(PLAIN, CONTEXT)
    for at in (0, 1, len(sealed) // 2, len(sealed) - 1):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(ValueError, match="sealed"):
            vault.open(changed, CONTEXT)


@pytest.mark.parametrize("text", [b"", b"\x01", b"\x01\x00\x05abc", b"x" * 200])
def test_junk_does_not_open(vault_maker: Any, text: bytes) -> None:
    with pytest.raises(ValueError, match="sealed"):
        vault_maker().open(text, CONTEXT)


def test_a_stand_in_opens_for_nobody_and_is_never_the_same(vault_maker: Any) -> None:
    vault = vault_maker()
    assert vault.stand_in() != vault.stand_in()
    assert len(vault.stand_in()) > len(vault.seal(b"", CONTEXT))
    with pytest.raises(ValueError, match="sealed"):
        vault.open(vault.stand_in(), CONTEXT)


def test_a_cut_text_does_not_open(vault_maker: Any) -> None:
    vault = vault_maker()
    sealed = vault.seal(PLAIN, CONTEXT)
    for length in range(0, len(sealed), 7):
        with pytest.raises(ValueError, match="sealed"):
            vault.open(sealed[:length], CONTEXT)


def test_the_same_text_is_never_sealed_to_the_same(vault_maker: Any) -> None:
    vault = vault_maker()
    assert len({vault.seal(PLAIN, CONTEXT) for _ in range(50)}) == 50


def test_nothing_of_the_secret_is_printed(vault_maker: Any) -> None:
    vault = vault_maker()
    sealed = vault.seal(PLAIN, CONTEXT)
    assert b"geheim" not in sealed
    vault.open(sealed, CONTEXT)
    with pytest.raises(ValueError, match="sealed") as caught:
        vault.open(sealed, "other")
    printed = repr(vault) + repr(vars(vault)) + "".join(traceback.format_exception(caught.value))
    assert "geheim" not in printed
    assert repr(b"k" * 32)[2:-1] not in printed
