"""Master records of one type: pages of rows become pages of records, and one bad row costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

from ml_connector.flow import Broken, Page
from ml_connector.records import Record
from ml_connector.systems.kit.paging import only_asked_for
from ml_connector.systems.kit.rows import Batch, raw_of

W = TypeVar("W")
R = TypeVar("R", bound=Record)
OVERLAP = timedelta(days=1)
"""Stamps are days without a time: the day of the last one and the day before are read again."""


def begin(since: str) -> date:
    """Give the day from which on changes are read, for the stamp of the last reading."""
    return date.fromisoformat(since[:10]) - OVERLAP


class Masters(Generic[W, R]):
    """A source of one record type, declared by four functions."""

    def __init__(
        self,
        changed: Callable[[str | None, str | None], Iterable[Batch[W]]],
        by_keys: Callable[[Sequence[str]], Iterable[Batch[W]]],
        convert: Callable[[W], R | None],
        stamp: Callable[[W], str | None] = lambda _: None,
    ) -> None:
        """`changed` reads what changed since a day, from a position on; `by_keys` these very rows, or more.

        `convert` gives None for a row that is not ours, and raises `ValueError` or `ArithmeticError` for a bad one;
        `stamp` tells the day of a row's last change.
        """
        self._changed, self._by_keys, self._convert, self._stamp = changed, by_keys, convert, stamp

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[R]]:
        """Read what changed since the day `since`; everything where there is no stamp."""
        return map(self._page, self._changed(since, position))

    def reread(self, keys: Sequence[str]) -> Iterator[Page[R]]:
        """Read these very records; what is gone, ours no more, or not asked for is left out."""
        return only_asked_for(map(self._page, self._by_keys(keys) if keys else ()), keys)

    def _page(self, batch: Batch[W]) -> Page[R]:
        records, broken = [], batch.broken
        for row, key in zip(batch.rows, batch.row_keys, strict=True):
            try:
                record = self._convert(row)
            except (ValueError, ArithmeticError) as error:
                broken.append(Broken(key, str(error), raw_of(row)))
            else:
                if record is not None:
                    records.append(record)
        stamps = [stamp for row in batch.rows if (stamp := self._stamp(row))]
        return Page(records, broken, batch.position, max(stamps, default=None))


class EmptySource:
    """A source of records that a company does not keep."""

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Any]]:  # noqa: ARG002
        """Read nothing, and so be complete at once."""
        yield Page([])

    def reread(self, keys: Sequence[str]) -> Iterator[Page[Any]]:  # noqa: ARG002
        """Find nothing."""
        return iter(())
