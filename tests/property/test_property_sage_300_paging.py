"""Sage 300's paging: rows by `$skip` with pages that overlap, and filters that an address can hold."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ml_connector.errors import Transient
from ml_connector.systems.kit.odata import LONGEST, any_of, narrowed
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.walk import Place
from ml_connector.systems.sage_300.query import Query, walk

sizes, counts = st.integers(1, 12), st.integers(0, 60)
literals = st.tuples(st.text(st.characters(codec="utf-8"), max_size=24), st.integers(0, 150)).map(
    lambda drawn: [f"'{drawn[0]}{n}'" for n in range(drawn[1])]
)


class Row(Struct):
    """One row."""

    Key: str


QUERY: Query[Row] = Query("XX/Things", Row, lambda row: row.Key)


class List:
    """A resource in pages of one size, into which rows may come and of which others may leave meanwhile."""

    def __init__(self, keys, size, counts=True, links=True, jump=0):
        self.keys, self.size, self.counts, self.links, self.jump = sorted(keys), size, counts, links, jump
        self.meanwhile = lambda: None
        self.asked = 0

    def __call__(self, query, place: Place) -> Batch[Row]:
        self.asked += 1
        assert self.asked < 3000, "reads without end"
        some = self.keys[place.skip : place.skip + self.size]
        end = place.skip + len(some)
        link = f"http://inner/XX/Things?$skip={end + self.jump}" if self.links and end < len(self.keys) else None
        batch = Batch([Row(k) for k in some], some, link=link, count=len(self.keys) if self.counts else None)
        self.meanwhile()
        return batch


def keys(count):
    return [f"k{n:04d}" for n in range(0, 2 * count, 2)]


def read(server, position=None):
    return [row.Key for batch in walk(server, QUERY, position) for row in batch.rows]


@given(counts, sizes, st.booleans())
def test_sage_300_gives_each_row_once_in_order(count, size, annotated):
    assert read(List(keys(count), size, counts=annotated)) == keys(count)


@given(counts, sizes)
def test_sage_300_is_read_to_its_count_though_the_links_are_missing(count, size):
    assert read(List(keys(count), size, links=False)) == keys(count)


@given(counts, sizes, st.integers(0, 30))
def test_a_link_of_sage_300_that_leads_too_far_leaves_no_row_out(count, size, jump):
    assert read(List(keys(count), size, jump=jump)) == keys(count)


@given(counts, sizes, st.data())
def test_another_process_goes_on_in_sage_300_where_one_stopped(count, size, data):
    server = List(keys(count), size)
    pages = list(walk(server, QUERY))
    at = data.draw(st.integers(0, len(pages) - 1))
    before = [row.Key for batch in pages[: at + 1] for row in batch.rows]
    after = read(server, pages[at].position) if pages[at].position else []
    assert before + after == keys(count)


@given(st.integers(20, 60), st.integers(5, 12), st.data())
def test_rows_that_leave_sage_300_meanwhile_take_no_other_with_them(count, size, data):
    """What is there from the beginning to the end is read, whatever leaves, and whatever comes."""
    server = List(keys(count), size)
    moves = data.draw(st.lists(st.tuples(st.booleans(), st.integers(0, 10**6)), max_size=8))
    gone: set[str] = set()

    def move() -> None:
        if not moves:
            return
        leaves, number = moves.pop()
        if leaves and len(server.keys) > size + 1:
            gone.add(server.keys.pop(number % len(server.keys)))
        elif not leaves:
            server.keys = sorted({*server.keys, f"k{2 * (number % count) + 1:04d}"})

    server.meanwhile = move
    seen: set[str] = set()
    position, through = None, False
    while not through:
        still = not moves
        with suppress(Transient):  # it ends loudly, and goes on from its position
            for batch in walk(server, QUERY, position):
                seen.update(row.Key for row in batch.rows)
                position = batch.position
            through = True
        assert through or not still, "it cannot get on though nothing moves any more"
    assert set(keys(count)) - gone <= seen


@pytest.mark.parametrize(
    "link",
    ["", "?", "?$skip=0", "?$skip=x", "?$skip=²", "http://[", "?$skip=-5", "?$skiptoken=5", "?$skip=" + "9" * 5000],
)
@pytest.mark.parametrize("size", [1, 4, 5, 9])
def test_a_link_of_sage_300_that_leads_nowhere_is_no_end(size, link):
    def fetch(query, place):
        some = [f"a{n}" for n in range(size)]
        return Batch([Row(key) for key in some], some, link=link)

    with pytest.raises(Transient, match="loop"):
        for number, _ in enumerate(walk(fetch, QUERY)):
            assert number < 10, "reads without end"


@given(literals, st.sampled_from(["", "ReceiptDate gt 2026-01-01T00:00:00Z"]))
def test_filters_hold_every_value_once_and_fit_an_address(values, tail):
    plain = any_of(f"Vendor eq {value}" for value in values)
    for filters in (list(plain), [one[0] for one in narrowed("Vendor", values, tail)]):
        assert all(len(quote(one)) <= LONGEST + 100 for one in filters)
        assert sum(one.count("Vendor eq ") for one in filters) >= len(values)
        rest = "\0".join(filters)
        for value in values:
            _, found, rest = rest.partition(f"Vendor eq {value}")
            assert found, "each value, in order"
