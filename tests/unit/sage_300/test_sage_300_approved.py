"""Nothing of ours is set ready or posted that is another document by now than what was sent."""

from __future__ import annotations

import pytest

from ml_connector.errors import Held
from ml_connector.flow import Found
from tests.unit.sage_300.test_sage_300_batches import BATCHES, Ledger


def deeds(server):
    return [one.method for one in server.requests if one.method == "PATCH" or "$process" in str(one.url)]


class Approver:
    """Approves so many times, and refuses then; remembers what it was shown."""

    def __init__(self, approves: int) -> None:
        self.approves, self.shown = approves, []

    def __call__(self, found: Found) -> None:
        self.shown.append(found)
        if len(self.shown) > self.approves:
            raise Held("conflict:i", "It is another one.")


@pytest.fixture
def posting(make):
    return make(post_batches=True)


@pytest.mark.parametrize("status", ["Open", "ReadyToPost"])
@pytest.mark.parametrize("approves", [0, 1])
def test_each_step_is_approved_right_before_it(posting, status, approves):
    ledger, check = Ledger(posting.server), Approver(approves)
    ledger.enter(status=status)
    steps = ["PATCH", "POST"] if status == "Open" else ["POST"]
    if approves < len(steps):
        with pytest.raises(Held):
            posting.target.read_back(Found("109:1", "109", check=check))
    else:
        posting.target.read_back(Found("109:1", "109", check=check))
    assert deeds(posting.server) == steps[:approves]


def test_what_is_changed_after_the_batch_was_set_ready_is_seen_before_the_posting(posting):
    ledger, check = Ledger(posting.server), Approver(1)
    ledger.enter()
    change = ledger.batches

    def meddled(request):
        reply = change(request)
        if request.method == "PATCH":
            ledger.rows[109]["Invoices"][0] |= {"DocumentNumber": "OTHER", "DocumentType": "DebitNote"}
        return reply

    posting.server.answers[BATCHES] = meddled
    with pytest.raises(Held):
        posting.target.read_back(Found("109:1", "109", check=check))
    assert deeds(posting.server) == ["PATCH"]
    assert [(one.reference, one.kind) for one in check.shown] == [("R-4711", "invoice"), ("OTHER", "debit note")]


@pytest.mark.parametrize("status", ["Open", "ReadyToPost"])
def test_a_batch_to_which_somebody_added_an_entry_is_left_to_a_person(posting, status):
    ledger = Ledger(posting.server)
    ledger.enter(status=status)
    (one,) = ledger.rows[109]["Invoices"]
    ledger.rows[109]["Invoices"].append(one | {"EntryNumber": 2, "DocumentNumber": "X-OTHER"})
    with pytest.raises(Held, match="added X-OTHER of vendor 1200 to batch 109") as held:
        posting.target.read_back(Found("109:1", "109", check=Approver(9)))
    assert held.value.waiting_for == "conflict:R-4711"
    assert deeds(posting.server) == []
