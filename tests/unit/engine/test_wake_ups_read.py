"""Rings that cannot be read are passed over, so that no group stands still behind one."""

import json

import pytest

from ml_connector.engine.ledger.enqueue import FORM, read_wake_up, wake_up_of
from ml_connector.engine.ledger.rows import Chunk

CHUNK = Chunk(id="7", tenant="acme", integration="erp-ap", flow="accounts", lane="l", run="r", created="2026-03-02")
RING = wake_up_of(CHUNK, "s")


def test_our_own_ring_is_read():
    assert read_wake_up(json.dumps(RING)) == RING
    assert read_wake_up(json.dumps({**RING, "cause": "crashed", "more": 1}))["cause"] == "crashed"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "7",
        "[]",
        '"7"',
        "{}",
        json.dumps({**RING, "v": FORM + 1}),
        json.dumps({**RING, "v": "1"}),
        json.dumps({**RING, "id": None}),
        json.dumps({k: v for k, v in RING.items() if k != "scope"}),
    ],
)
def test_another_form_is_none(text):
    assert read_wake_up(text) is None
