"""Paging: each row once, whatever the page's size, and nothing lost where rows leave while it is read."""

from __future__ import annotations

from contextlib import suppress

import httpx
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ml_connector.errors import Transient
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.walk import Place
from ml_connector.systems.sap_b1.query import Query, walk
from tests.property.wires import http_that

sizes, counts = st.integers(1, 9), st.integers(0, 60)


class Row(Struct):
    """One row."""

    Key: str


QUERY = Query("Things", Row, "Key")


class Server:
    """An entity set by `$skip` or by token, of which rows may leave and into which others may come meanwhile."""

    def __init__(self, keys, size, tokens=False):
        self.keys, self.size, self.tokens = sorted(keys), size, tokens
        self.meanwhile = lambda: None
        self.done = False

    def __call__(self, query, place: Place) -> Batch[Row]:
        start = int(place.token) if place.token else place.skip
        some = self.keys[start : start + self.size]
        more = start + self.size < len(self.keys)
        name = "$skiptoken" if self.tokens else "$skip"
        link = f"Things?{name}={start + self.size}" if more else None
        batch = Batch([Row(key) for key in some], some, link=link)
        self.meanwhile()
        return batch


def keys(count):
    return [f"k{n:04d}" for n in range(count)]


@given(counts, sizes, st.booleans())
def test_each_row_is_read_once_in_order(count, size, tokens):
    server = Server(keys(count), size, tokens)
    assert [row.Key for batch in walk(server, QUERY) for row in batch.rows] == keys(count)


@given(counts, sizes, st.booleans(), st.data())
def test_another_process_goes_on_where_one_stopped(count, size, tokens, data):
    server = Server(keys(count), size, tokens)
    pages = list(walk(server, QUERY))
    at = data.draw(st.integers(0, len(pages) - 1))
    if pages[at].position is None:
        return
    rest = [row.Key for batch in walk(server, QUERY, pages[at].position) for row in batch.rows]
    before = [row.Key for batch in pages[: at + 1] for row in batch.rows]
    assert before + rest == keys(count) or set(before + rest) == set(keys(count))


@given(st.integers(20, 60), st.integers(5, 9), st.data())
def test_rows_that_leave_meanwhile_take_no_other_with_them(count, size, data):
    """What is there from the beginning to the end is read, whatever leaves before or behind the reader."""
    server = Server(keys(count), size)
    gone: set[str] = set()
    budget = data.draw(st.lists(st.integers(0, 10**6), max_size=8))

    def leave() -> None:
        if budget and len(server.keys) > size + 1:
            gone.add(server.keys.pop(budget.pop() % len(server.keys)))

    server.meanwhile = leave
    read: set[str] = set()
    position, through = None, False
    while not through:  # where rows leave faster than pages come, it ends loudly and goes on from its position
        with suppress(Transient):
            for batch in walk(server, QUERY, position):
                read.update(row.Key for row in batch.rows)
                position = batch.position
            through = True
        assert through or budget or not server.done, "it cannot get on though nothing moves any more"
        server.done = not budget
    assert set(keys(count)) - gone <= read


@given(
    sizes,
    st.sampled_from(
        [
            "",
            "Things",
            "Things?$skip=0",
            "Things?$skip=x",
            "Things?$skip=²",
            "http://[",
            "Things?$skip=" + "9" * 40,
            "Things?$skiptoken=",
        ]
    ),
)
def test_a_link_that_leads_nowhere_ends_the_reading(size, link):
    def fetch(query, place):
        return Batch(
            [Row(f"a{place.skip}{n}") for n in range(size)], [f"a{place.skip}{n}" for n in range(size)], link=link
        )

    read = 0
    try:
        for _ in walk(fetch, QUERY):
            read += 1
            assert read < 50, "reads without end"
    except Transient as error:
        assert "loop" in str(error)
    else:
        raise AssertionError("the reading ended as if it were whole")


def listing(pages):
    """Serve pages behind continuation tokens, of Basware's kind."""

    def answer(request: httpx.Request) -> httpx.Response:
        at = int(request.headers.get("x-amz-meta-continuationtoken", "t0")[1:])
        more = {"x-amz-meta-continuationtoken": f"t{at + 1}"} if at + 1 < len(pages) else {}
        return httpx.Response(200, json={"things": [{"id": n} for n in pages[at]]}, headers=more)

    return answer


def client_of(http):
    client = object.__new__(Basware)
    client.http = http
    client.auth = type("Auth", (), {"ready": staticmethod(lambda: None)})
    client.context = type("Wiring", (), {"insecure": False})
    return client


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_basware_is_read_to_the_page_without_a_token_though_some_are_empty(shape):
    pages, number = [], 0
    for count in shape:
        pages.append(list(range(number, number + count)))
        number += count
    with http_that(listing(pages)) as http:
        read = [row["id"] for page in client_of(http).list("/things", "things") for row in page]
    assert read == list(range(number))


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_circle_of_tokens_is_an_error_and_no_end(ahead, back):
    def answer(request: httpx.Request) -> httpx.Response:
        at = int(request.headers.get("x-amz-meta-continuationtoken", "0"))
        following = at + 1 if at < ahead + back else ahead
        return httpx.Response(
            200, json={"things": [{"id": at}]}, headers={"x-amz-meta-continuationtoken": str(following)}
        )

    with http_that(answer) as http:
        try:
            for number, _ in enumerate(client_of(http).list("/things", "things")):
                assert number < 30
        except Transient:
            return
    raise AssertionError("a circle looked like a whole list")
