"""A page of records as a source gives it. Use them by way of `flow`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ml_connector.records import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Broken:
    """A source record that could not be read: its key as far as known, why, and the raw text."""

    key: str
    reason: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some records of a source. `position` is where the next page begins (None: there is none).

    `stamp` is the highest change stamp in the page, in the source's own spelling, so that stamps compare as text.
    """

    records: Sequence[R]
    broken: Sequence[Broken] = ()
    position: str | None = None
    stamp: str | None = None
