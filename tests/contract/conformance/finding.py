"""Finds the stand of a system."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from tests.contract.conformance.stand import Stand


def stand_of(system: str) -> type[Stand]:
    """Find a system's stand, or fail with what to do."""
    name = f"tests.contract.conformance.stands.{system}"
    try:
        found: type[Stand] = importlib.import_module(name).STAND
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        pytest.fail(
            f"{system} has no stand: write tests/contract/conformance/stands/{system}.py with a subclass of `Stand` "
            "named STAND; it inherits every law."
        )
    return found


def closing(stand: Stand) -> Iterator[Stand]:
    yield stand
    stand.close()
