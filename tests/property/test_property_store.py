"""The embedded store against a dictionary: conditions, order, the due index, expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from ml_connector.embedded.overlay import OverlayStore
from ml_connector.embedded.store import SqliteStore
from ml_connector.errors import Conflict
from ml_connector.ports import Item
from tests.property.drawn import json_values

pks = st.sampled_from(["p", "p#q", "ü"])
sks = st.sampled_from(["a", "a#1", "a#2", "b", "ä", "~", "\U0001f600", "\uffff"])
prefixes = st.sampled_from(["", "a", "a#", "b", "ä", "\uffff", "zz"])
data = st.dictionaries(st.text("abc", min_size=1, max_size=3), json_values, max_size=3)
dues = st.none() | st.sampled_from(["2026-03-02T09:00:00", "2026-03-02T10:00:00", "2026-03-03T09:00:00"])
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def utf8(key: str) -> bytes:
    return key.encode()


class StoreMachine(RuleBasedStateMachine):
    """Rows by (pk, sk) with a revision; `held` are rows as somebody read them, perhaps long ago."""

    held = Bundle("held")

    def __init__(self):
        super().__init__()
        self.moment = START
        self.store = SqliteStore(clock=self)
        self.rows: dict[tuple[str, str], Item] = {}

    def now(self):
        return self.moment

    def sleep(self, seconds):
        self.moment += timedelta(seconds=seconds)

    def teardown(self):
        self.store.close()

    def alive(self):
        return {k: i for k, i in self.rows.items() if i.ttl is None or i.ttl > self.moment.timestamp()}

    def accepted(self, item):
        """Say what the condition of a write comes to; an expired row is absent for who writes it again."""
        there = self.rows.get((item.pk, item.sk))
        if item.rev == 0:
            return (item.pk, item.sk) not in self.alive()
        return there is not None and there.rev == item.rev

    @rule(target=held, pk=pks, sk=sks)
    def read(self, pk, sk):
        found = self.store.get(pk, sk)
        assert found == self.alive().get((pk, sk))
        return found or Item(pk, sk)

    @rule(
        target=held, row=held, value=data, due=dues, ttl=st.none() | st.integers(-50, 500), blob=st.none() | st.binary()
    )
    def write(self, row, value, due, ttl, blob):
        item = replace(
            row,
            data=value,
            due_pk="due" if due else None,
            due_at=due,
            blob=blob,
            ttl=None if ttl is None else int(START.timestamp()) + ttl,
        )
        if not self.accepted(item):
            with pytest.raises(Conflict):
                self.store.put(item)
            return row
        stored = self.store.put(item)
        assert stored == replace(item, rev=item.rev + 1)
        self.rows[item.pk, item.sk] = stored
        return stored

    @rule(rows=st.lists(held, min_size=1, max_size=4, unique_by=lambda i: (i.pk, i.sk)), value=data, due=dues)
    def write_many(self, rows, value, due):
        place = {"due_pk": "due", "due_at": due} if due else {}
        items = [Item(row.pk, row.sk, value, row.rev, **place) for row in rows]
        expected = [self.accepted(item) for item in items]
        assert self.store.put_many(items) == expected
        for item, took in zip(items, expected, strict=True):
            if took:
                there = self.rows[item.pk, item.sk] if item.rev else item
                self.rows[item.pk, item.sk] = replace(there, data=value, rev=item.rev + 1, **place)

    @rule(pk=pks, sk=sks)
    def delete(self, pk, sk):
        self.store.delete(pk, sk)
        self.rows.pop((pk, sk), None)

    @rule(seconds=st.integers(0, 200))
    def later(self, seconds):
        self.sleep(seconds)

    @rule()
    def sweep(self):
        alive = self.alive()
        assert self.store.sweep() == len(self.rows) - len(alive)
        self.rows = alive

    @rule(pk=pks, prefix=prefixes, after=st.none() | sks, limit=st.none() | st.integers(0, 4), reverse=st.booleans())
    def query(self, pk, prefix, after, limit, reverse):
        mine = [i for (p, sk), i in self.alive().items() if p == pk and sk.startswith(prefix)]
        mine.sort(key=lambda i: utf8(i.sk), reverse=reverse)
        if after is not None:
            mine = [i for i in mine if (utf8(i.sk) < utf8(after) if reverse else utf8(i.sk) > utf8(after))]
        expected = mine if limit is None else mine[:limit]
        assert list(self.store.query(pk, prefix, after=after, limit=limit, reverse=reverse)) == expected

    @rule(until=dues.filter(bool), limit=st.integers(1, 5))
    def due(self, until, limit):
        found = self.store.due("due", until, limit)
        mine = [i for i in self.alive().values() if i.due_at and i.due_at <= until]
        assert [i.due_at for i in found] == sorted(i.due_at for i in mine)[:limit]
        assert all(i in mine for i in found)

    @rule(pk=pks, some=st.lists(sks, max_size=6))
    def many(self, pk, some):
        assert self.store.get_many(pk, some) == {sk: i for (p, sk), i in self.alive().items() if p == pk and sk in some}

    @invariant()
    def a_sheet_over_it_shows_the_same_and_keeps_its_writes_to_itself(self):
        sheet = OverlayStore(self.store)
        before = list(self.store.query("p"))
        assert list(sheet.query("p")) == before
        if before:
            sheet.put(replace(before[0], data={"only": "here"}))
            sheet.delete("p", before[-1].sk)
        assert list(self.store.query("p")) == before


TestStore = StoreMachine.TestCase
