"""A kill at any moment loses nothing and doubles nothing."""

import random
import time
from collections import Counter

import pytest

from tests.program import Program


@pytest.mark.long
def test_kills_at_many_moments_end_in_the_same_state_as_none(stage):
    stage.write("sap_b1", in_doubt_seconds=5)  # a kill in mid-send leaves a doubt, which the last run waits out
    draw = random.Random(7)
    kills = 0
    for _ in range(14):
        with Program("local", "run", "--secrets", str(stage.folder)) as run:
            enough = calls(stage) + draw.randint(0, 120)  # of about a thousand that a whole run makes
            while run.poll() is None and calls(stage) < enough:
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.05))  # not always when a call has just arrived
            kills += run.poll() is None
    code, report = stage.run()
    assert kills >= 8
    assert code == 0, report
    flows = report["tenants"]["acme"]["sap_b1-basware"]
    assert not report["failed"] and {name: f for name, f in flows.items() if f["pending"]} == {}
    booked = stage.booked()
    assert [b for b, n in Counter(booked).items() if n > 1] == []
    ours = {d.record["invoiceNumber"] for d in stage.ap.documents.values() if d.status == "Transferred"}
    unanswered = {number for _, number in booked if number.startswith("RE-")} ^ ours
    assert not unanswered, (
        unanswered,
        [h for h in report["held"] if h["document"] in unanswered],
        [d.status for d in stage.ap.documents.values() if d.record["invoiceNumber"] in unanswered],
    )
    assert len(ours) + len(report["held"]) + _refused(stage) == 59
    assert set(stage.ap.imported["vendors"]) and len(stage.ap.imported["vendors"]) == 300


def calls(stage) -> int:
    """Count what was asked of both vendors."""
    return sum(stage.erp.calls.values()) + sum(stage.ap.calls.values())


def _refused(stage) -> int:
    return sum(d.status == "TransferFailed" for d in stage.ap.documents.values())
