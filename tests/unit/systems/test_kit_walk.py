"""Paging over live data, the same for every vendor: rows that leave take no other along, and are no trouble."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import Struct

from ml_connector.errors import Transient
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.walk import LastKey, Pager, Place, walk

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
        return Batch(
            [Row("b" if place.token else "a")],
            ["b" if place.token else "a"],
            link=None if place.token else "Things?$skiptoken=x",
            count=2,
        )

    assert [batch.keys for batch in walk(page, None, pager=LINKS, key=lambda row: row.key, size=SIZE)] == [["a"], ["b"]]
    with pytest.raises(Transient, match="Vendor pages in a loop: its next link names no place"):
        list(walk(page, None, pager=COUNTS, key=lambda row: row.key, size=SIZE))


# ── neither link nor count ──────────────────────────────────────────────────────────────────────────────────────


class Silent:
    """A list whose pages tell nothing of what follows, and have `limit` rows at most, whatever is asked for."""

    def __init__(self, count: int, limit: int, *, skips: bool = True) -> None:
        self.rows, self.limit, self.skips, self.asked = [f"{n:03d}" for n in range(count)], limit, skips, 0

    def page(self, place: Place) -> Batch[Row]:
        self.asked += 1
        begin = place.skip if self.skips else 0
        some = self.rows[begin : begin + self.limit]
        return Batch([Row(key) for key in some], some)

    def read(self, pager: Pager) -> list[str]:
        pages = walk(self.page, None, pager=pager, key=lambda row: row.key, size=20)
        return [row.key for batch in pages for row in batch.rows]


SHORT_ENDS, NOTHING_NEW_ENDS = Pager("Vendor", full=20, asked=20), Pager("Vendor", full=1, asked=20)


@pytest.mark.parametrize("pager", [SHORT_ENDS, NOTHING_NEW_ENDS], ids=["short", "nothing new"])
@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 39, 40, 58, 60])
def test_a_list_that_tells_nothing_is_read_to_its_end(pager: Pager, count: int) -> None:
    assert Silent(count, 20).read(pager) == [f"{n:03d}" for n in range(count)]


@pytest.mark.parametrize("limit", [1, 3, 7, 19])
def test_pages_shorter_than_was_asked_for_are_no_end_where_only_nothing_new_is(limit: int) -> None:
    assert len(Silent(50, limit).read(NOTHING_NEW_ENDS)) == 50
    assert len(Silent(50, limit).read(SHORT_ENDS)) == limit, "a vendor whose own limit may be lower must not say so"


def test_a_server_that_ignores_the_place_is_told_from_a_list_of_one_page() -> None:
    assert len(Silent(12, 20, skips=False).read(NOTHING_NEW_ENDS)) == 12
    with pytest.raises(Transient, match="a page was given twice"):
        Silent(50, 20, skips=False).read(NOTHING_NEW_ENDS)


def test_a_list_that_is_suddenly_empty_while_it_is_read_is_no_end() -> None:
    server = Silent(50, 20)
    pages = walk(
        lambda place: Batch([], []) if server.asked else server.page(place),
        None, pager=NOTHING_NEW_ENDS, key=lambda row: row.key, size=20,
    )  # fmt: skip
    with pytest.raises(Transient, match="nothing is left"):
        list(pages)


# ── by the last key ─────────────────────────────────────────────────────────────────────────────────────────────


class Table:
    """A table that is asked for rows greater than a key; `limit` is its own, whatever is asked for."""

    def __init__(self, keys: list[str], limit: int = 4, *, sorts: bool = True, heeds: bool = True) -> None:
        self.keys, self.limit, self.sorts, self.heeds = keys, limit, sorts, heeds
        self.asked: list[str | None] = []

    def page(self, last: str | None) -> Batch[Row]:
        self.asked.append(last)
        some = sorted(self.keys) if self.sorts else self.keys
        found = [key for key in some if not (self.heeds and last is not None and key <= last)][: self.limit]
        return Batch([Row(key) for key in found], found)

    def read(self, position: str | None = None, size: int = 4) -> list[str]:
        return [key for batch in LastKey("Vendor", size).walk(self.page, position) for key in batch.keys]


KEYS = [f"K{n:02d}" for n in range(10)]


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_each_row_comes_once_whatever_the_server_limits_a_page_to(limit: int) -> None:
    table = Table(KEYS, limit)
    assert table.read() == KEYS
    assert table.asked[:2] == [None, KEYS[limit - 1]] and table.asked[-2:] == ["K09", "K08"], "twice"


def test_another_process_goes_on_behind_the_key() -> None:
    first = next(LastKey("Vendor", 4).walk(Table(KEYS).page))
    assert first.position == "K03"
    assert Table(KEYS).read(first.position) == KEYS[4:]
    *_, last = LastKey("Vendor", 4).walk(Table(KEYS).page)
    assert (last.keys, last.position) == ([], None), "the end is told by a page that leads nowhere"


def test_rows_that_come_and_go_meanwhile_move_no_other() -> None:
    table = Table(list(KEYS))
    read = []
    for batch in LastKey("Vendor", 4).walk(table.page):
        read += batch.keys
        table.keys = [key for key in table.keys if key not in {"K01", "K03"}] + [f"A{len(read)}"]
    assert read == KEYS


@pytest.mark.parametrize(
    "table", [Table(KEYS[::-1], sorts=False), Table(KEYS, heeds=False)], ids=["unsorted", "the same again"]
)
def test_a_server_that_does_not_do_as_asked_leaves_no_row_out_silently(table: Table) -> None:
    with pytest.raises(Transient, match=r"does not give records in the order of their keys: K0\d comes after K0"):
        table.read(size=20)


@pytest.mark.parametrize("limit", [1, 4])
def test_a_list_that_is_suddenly_empty_was_not_read_to_its_end(limit: int) -> None:
    table, read = Table(list(KEYS), limit), []
    with pytest.raises(Transient, match="where it gave"):
        for batch in LastKey("Vendor", 4).walk(table.page):
            read += batch.keys
            table.keys = []
    assert read == KEYS[:limit]


def test_where_the_order_is_not_known_only_a_page_that_comes_again_is_noticed() -> None:
    keys = ["b", "A", "c"]
    pages: dict[str | None, Batch[Row]] = {None: Batch([], keys), "A": Batch([], ["c"]), "c": Batch([], [])}
    assert [key for batch in LastKey("Vendor", 4, None).walk(pages.__getitem__) for key in batch.keys] == keys
    with pytest.raises(Transient, match="loop"):
        list(LastKey("Vendor", 4, None).walk(lambda _: Batch([], keys)))


def test_keys_are_compared_as_the_server_does() -> None:
    keys = ["a", "B", "c"]
    pages: dict[str | None, Batch[Row]] = {None: Batch([], keys), "B": Batch([], ["c"]), "c": Batch([], [])}
    given = list(LastKey("Vendor", 4, str.casefold).walk(pages.__getitem__))
    assert given[0].keys == keys and given[0].position == "c"


def test_a_row_without_a_key_is_passed_and_a_page_of_them_is_trouble() -> None:
    pages: dict[str | None, Batch[Row]] = {None: Batch([], ["a", "?+1"]), "a": Batch([], ["?a+0"])}
    assert [batch.keys for batch in LastKey("Vendor", 2).walk(pages.__getitem__)] == [["a", "?+1"], ["?a+0"]]
    with pytest.raises(Transient, match="records without keys behind a"):
        list(LastKey("Vendor", 1).walk(pages.__getitem__))
