"""Paging over live data, the same for every vendor: rows that leave take no other along, and are no trouble."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import Struct

from ml_connector.errors import Transient
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.walk import Pager, Place, walk

LINKS, COUNTS = Pager("Vendor", tokens=True), Pager("Vendor", full=100)
SIZE = 10
both = pytest.mark.parametrize("pager", [LINKS, COUNTS], ids=["links", "counts"])


class Row(Struct):
    """One row."""

    key: str


class Server:
    """A list in pages of ten, from which rows leave after a page was given."""

    def __init__(self, pager: Pager, leaving: dict[int, list[str]], *, links: bool = True) -> None:
        self.rows, self.pager, self.leaving, self.links = [f"{n:03d}" for n in range(60)], pager, leaving, links
        self.asked = 0

    def page(self, place: Place) -> Batch[Row]:
        self.asked += 1
        some = self.rows[place.skip : place.skip + SIZE]
        end = place.skip + SIZE
        link = f"Things?$skip={end}" if self.links and end < len(self.rows) else None
        batch = Batch([Row(key) for key in some], some, link=link, count=len(self.rows) if self.pager.full else None)
        self.rows = [key for key in self.rows if key not in self.leaving.get(self.asked, ())]
        return batch

    def read(self, position: str | None = None, pages: int = 99) -> tuple[list[str], str | None]:
        read: list[str] = []
        walked = walk(self.page, position, pager=self.pager, key=lambda row: row.key, size=SIZE)
        for number, batch in enumerate(walked, 1):
            read += batch.keys
            if number == pages:
                return read, batch.position
        return read, None


@both
@pytest.mark.parametrize("leaving", range(1, 12))
def test_rows_that_leave_between_two_pages_are_no_trouble(pager: Pager, leaving: int) -> None:
    server = Server(pager, {2: [f"{n:03d}" for n in range(leaving)]})
    read, _ = server.read()
    assert read == [f"{n:03d}" for n in range(60)], "each once, in order, and no error"


@both
@pytest.mark.parametrize("leaving", range(1, 12))
def test_rows_that_leave_before_another_process_goes_on_are_no_trouble(pager: Pager, leaving: int) -> None:
    server = Server(pager, {3: [f"{n:03d}" for n in range(leaving)]})
    before, position = server.read(pages=3)
    after, _ = server.read(position)
    assert position is not None and set(before + after) == {f"{n:03d}" for n in range(60)}


@both
def test_a_count_that_tells_of_more_is_believed_though_the_link_is_missing(pager: Pager) -> None:
    server = Server(COUNTS, {}, links=False)
    server.pager, told = pager, server.page
    pages: Callable[[Place], Batch[Row]] = lambda place: _counted(told(place))  # noqa: E731
    read = [key for batch in walk(pages, None, pager=pager, key=lambda row: row.key, size=SIZE) for key in batch.keys]
    assert len(read) == 60


def _counted(batch: Batch[Row]) -> Batch[Row]:
    return Batch(batch.rows, batch.keys, link=batch.link, count=60)


@both
def test_a_link_past_what_came_leaves_no_row_out(pager: Pager) -> None:
    server = Server(pager, {})
    told = server.page

    def far(place: Place) -> Batch[Row]:
        batch = told(place)
        return Batch(batch.rows, batch.keys, link=batch.link and f"Things?$skip={place.skip + SIZE + 7}")

    read = [key for batch in walk(far, None, pager=pager, key=lambda row: row.key, size=SIZE) for key in batch.keys]
    assert len(read) == len(set(read)) == 60


def test_a_token_is_followed_only_where_the_vendor_has_them() -> None:
    def page(place: Place) -> Batch[Row]:
        return Batch([Row("b" if place.token else "a")], ["b" if place.token else "a"],
                     link=None if place.token else "Things?$skiptoken=x", count=2)  # fmt: skip

    assert [batch.keys for batch in walk(page, None, pager=LINKS, key=lambda row: row.key, size=SIZE)] == [["a"], ["b"]]
    with pytest.raises(Transient, match="Vendor pages in a loop: its next link names no place"):
        list(walk(page, None, pager=COUNTS, key=lambda row: row.key, size=SIZE))
