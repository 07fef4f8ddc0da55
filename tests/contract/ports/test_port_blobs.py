"""What every keeper of objects promises."""

from __future__ import annotations

import os
from typing import Any

import pytest


def test_an_object_is_read_as_it_was_written(blobs: Any) -> None:
    body = os.urandom(350 * 1024)
    blobs.put("audit/acme/2026/01/31/1.json.gz", body)
    blobs.put("audit/empty", b"")
    assert blobs.get("audit/acme/2026/01/31/1.json.gz") == body
    assert blobs.get("audit/empty") == b""


def test_an_absent_object_is_none(blobs: Any) -> None:
    assert blobs.get("a/b") is None
    blobs.put("a/b", b"x")
    assert blobs.get("a") is None
    assert blobs.get("a/b/c") is None


def test_the_same_key_again_replaces(blobs: Any) -> None:
    blobs.put("a/b", b"first")
    blobs.put("a/b", b"second")
    assert blobs.get("a/b") == b"second"
    assert list(blobs.keys("")) == ["a/b"]


def test_keys_come_in_the_order_of_their_bytes(blobs: Any) -> None:
    names = ["a!", "a-b/2", "a.json", "a/1", "a/10", "a/2/z", "a0", "b c/ä", "b/Ä~客", "é"]
    for name in reversed(names):
        blobs.put(name, b"x")
    assert list(blobs.keys("")) == names == sorted(names, key=str.encode)


def test_a_prefix_may_end_anywhere(blobs: Any) -> None:
    names = ["audit/acme/1", "audit/acme/2", "audit/acme-2/1", "audits/1", "b"]
    for name in names:
        blobs.put(name, b"x")
    for prefix in ["", "a", "audit", "audit/", "audit/acme", "audit/acme/", "audit/acme/1", "audit/acme/1/", "c", "/"]:
        assert list(blobs.keys(prefix)) == sorted(name for name in names if name.startswith(prefix))


def test_more_keys_than_one_page(blobs: Any) -> None:
    names = [f"audit/{n:05}" for n in range(1_050)]
    for name in names:
        blobs.put(name, b"")
    assert list(blobs.keys("audit/")) == names


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../../b",
        "a/./b",
        "..",
        "a\0b",
        "a\\..\\b",
        "a\nb",
        "a" * 256,
        "/".join(["ab"] * 400),
    ],
)
def test_a_key_that_leaves_its_place_is_refused(blobs: Any, key: str) -> None:
    with pytest.raises(ValueError, match="cannot be the key"):
        blobs.put(key, b"x")
    with pytest.raises(ValueError, match="cannot be the key"):
        blobs.get(key)
