"""Which tests run in which process, and in which order, where several run beside each other (`make e2e`)."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

STACK = "e2e/stack/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what lasts longest: nobody waits for it at the end."""
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, STACK not in item.nodeid))


class OneEmulator(LoadScopeScheduling):
    """Hands out the tests in their order, one by one, but those of a file of `stack` together: they share an emulator.

    The marker `xdist_group` would say the same, but this version of pytest does not show it to xdist.
    """

    def _split_scope(self, nodeid: str) -> str:
        return super()._split_scope(nodeid) if STACK in nodeid else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneEmulator:
    config.option.loadscopereorder = False
    return OneEmulator(config, log)
