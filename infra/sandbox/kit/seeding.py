"""Seeded companies, made once in a process: a copy of one costs a sixth of making it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable
from dataclasses import fields
from random import Random
from typing import Any

_MOST = 8
_kept: dict[Hashable, bytes] = {}


def seed_once(world: Any, key: Hashable, build: Callable[[], None]) -> None:
    """Fill a fresh world as `build` does; `key` must name everything that what it makes depends on."""
    if key in _kept:
        for name, value in pickle.loads(_kept[key]).items():  # noqa: S301 - our own, a line below
            setattr(world, name, value)
        return
    build()
    state = {f.name: getattr(world, f.name) for f in fields(world)}
    _kept[key] = pickle.dumps({n: v for n, v in state.items() if isinstance(v, dict | set | list | Random)})
    if len(_kept) > _MOST:
        del _kept[next(iter(_kept))]


def forget() -> None:
    """Have the next ones made again."""
    _kept.clear()
