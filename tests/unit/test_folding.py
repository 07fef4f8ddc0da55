"""One folding: what looks alike is one number, and what is another number stays one."""

from __future__ import annotations

import unicodedata

import pytest

from ml_connector.folding import fold, same, spellings

NUMBER = "RÉ-2026 07a"


@pytest.mark.parametrize(
    "other",
    [
        unicodedata.normalize("NFD", NUMBER),
        NUMBER.lower(),
        NUMBER.upper(),
        f"  {NUMBER}\t",
        "RÉ\u20132026 07a",
        "RÉ\u22122026 07a",
        "RÉ\u20112026 07a",
        "RÉ-2026\u00a007a",
        "RÉ-2026\u202f07a",
        "RÉ-2026\u200707a",
        "RÉ-２０２６ 07a",
        "RÉ-2026\u200b 07a",
        "RÉ\u00ad-2026 07a",
    ],
)
def test_what_looks_alike_is_one(other: str) -> None:
    assert other != NUMBER and same(other, NUMBER)


@pytest.mark.parametrize("other", ["RE-2026 07a", "RÉ-202607a", "RÉ2026 07a", "RÉ-2026 7a", "RÉ-2026 07b", ""])
def test_what_is_another_number_stays_one(other: str) -> None:
    assert not same(other, NUMBER)


def test_a_folding_is_its_own_folding() -> None:
    for text in (NUMBER, "ǅ ß ﬁ", "\u0345\u0301", "İ", " - ", "\u00bd"):
        assert fold(fold(text)) == fold(text)
    assert fold(None) == ""


def test_a_plain_number_has_few_spellings_and_comes_first() -> None:
    assert list(spellings("INV-7")) == ["INV-7", "inv-7"]
    assert list(spellings("4711")) == ["4711"]
    odd = list(spellings("Ré\u00a07"))
    assert odd[0] == "Ré\u00a07" and {"Ré 7", "RÉ 7", unicodedata.normalize("NFD", "Ré 7"), "RÉ\u00a07"} <= set(odd)
