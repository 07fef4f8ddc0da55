"""A fingerprint tells two records apart exactly where they differ, and says by whom it was made."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.engine.ledger.fingerprint import fingerprint, fingerprint_raw
from tests.property.drawn import orders, records, texts

epochs = st.text("0123456789abcdef", min_size=8, max_size=8)


@given(records, records, epochs)
def test_equal_fingerprints_mean_equal_records(one, other, epoch):
    assert (fingerprint(one, epoch) == fingerprint(other, epoch)) == (_plain(one) == _plain(other))


def _plain(record):
    return msgspec.json.encode(record, order="sorted")


@given(records, epochs, st.randoms(use_true_random=False))
def test_the_order_in_which_fields_came_is_nothing(record, epoch, dice):
    fields = list(msgspec.to_builtins(record).items())
    dice.shuffle(fields)
    again = msgspec.convert(dict(fields), type(record))
    assert fingerprint(again, epoch) == fingerprint(record, epoch)


@given(records, epochs)
def test_what_was_written_down_and_read_again_has_the_same_fingerprint(record, epoch):
    kept = msgspec.json.decode(msgspec.json.encode(record), type=type(record))
    assert fingerprint(kept, epoch) == fingerprint(record, epoch)


@given(records, epochs, epochs, texts)
def test_another_epoch_is_another_fingerprint_also_of_what_does_not_parse(record, one, other, raw):
    assert (fingerprint(record, one) == fingerprint(record, other)) == (one == other)
    assert (fingerprint_raw(raw, one) == fingerprint_raw(raw, other)) == (one == other)


@given(orders, st.data())
def test_one_changed_field_of_one_line_shows(order, data):
    if not order.lines:
        return
    at = data.draw(st.integers(0, len(order.lines) - 1))
    line = msgspec.structs.replace(order.lines[at], closed=not order.lines[at].closed)
    changed = msgspec.structs.replace(order, lines=(*order.lines[:at], line, *order.lines[at + 1 :]))
    assert fingerprint(changed, "e") != fingerprint(order, "e")
