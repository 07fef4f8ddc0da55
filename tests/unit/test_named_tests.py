"""Tests that the documentation names are there: a guard that nobody tests any more is not promised to be tested."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if NAMED.search(page.read_text()))


@cache
def known() -> frozenset[tuple[str, str]]:
    """Give (file, name) of every test."""
    files = (ROOT / "tests").rglob("test_*.py")
    return frozenset(
        (file.name, name) for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)
    )


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_each_test_that_a_page_names_exists(page: Path) -> None:
    missing = {f"{file}::{name}" for file, name in NAMED.findall(page.read_text()) if (file, name) not in known()}
    assert not missing, f"{page.relative_to(ROOT)} names tests that are not there"


def test_the_guards_of_syspro_are_named() -> None:
    assert ROOT / "docs/vendors/syspro.md" in PAGES


def test_the_guards_of_avidxchange_are_named() -> None:
    assert ROOT / "docs/vendors/avidxchange.md" in PAGES
