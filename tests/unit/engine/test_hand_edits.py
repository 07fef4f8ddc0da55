"""What people edited of dimensions at the platform is never overwritten, and never comes to the ERP."""

from __future__ import annotations

import pytest

from ml_connector.engine.ledger.rows import Row, SharedField
from ml_connector.engine.replay import replay
from ml_connector.errors import OutcomeUnknown, Transient
from tests.unit.engine.bench import Bench, Killed
from tests.unit.engine.guarded import DIMENSIONS, GuardedBench


@pytest.fixture
def empty(bench: Bench) -> GuardedBench:
    """Give two systems with nothing in them."""
    return GuardedBench(bench.runtime, bench.systems, bench.clock, bench.queue)


@pytest.fixture
def sent(empty: GuardedBench) -> GuardedBench:
    """Give a cost center and an item of a list that were delivered."""
    empty.enter("C1")
    empty.enter("L1", "Project")
    empty.run()
    assert [key for key, _ in empty.lists.posted] == ["C1", "L1"]
    assert empty.counts(DIMENSIONS) == {"delivered": 2}
    return empty


# ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_erp_changed_is_sent_and_nothing_else(sent: GuardedBench) -> None:
    sent.edit("C1", budget="700")
    sent.enter("C1", "Marketing")
    sent.run()
    assert sent.lists.patched == [("C1", {"name": "Marketing"})]
    assert sent.lists.posted == []
    assert sent.lists.ap["C1"] == {"code": "C1", "name": "Marketing", "active.1000": "true", "budget": "700"}
    assert sent.counts_of_run() == {"delivered": 1, "unchanged": 1}
    assert sent.agreed("C1")["name"] == SharedField(erp="Marketing", platform="Marketing")


def test_what_did_not_change_is_neither_read_nor_sent_whatever_people_edit(sent: GuardedBench) -> None:
    sent.edit("C1", name="By hand")
    sent.run(full=True)
    assert (sent.lists.reads, sent.lists.patched, sent.lists.ap["C1"]["name"]) == ([], [], "By hand")
    assert sent.counts_of_run() == {"unchanged": 2}


def test_many_are_read_in_one_look(empty: GuardedBench) -> None:
    for number in range(60):
        empty.enter(f"C{number}")
    empty.run()
    assert empty.lists.reads == [60]
    for number in range(60):
        empty.enter(f"C{number}", "Other")
    empty.run()
    assert sum(empty.lists.reads) == 60
    assert len(empty.lists.reads) <= 5


def test_what_people_entered_there_already_as_the_erp_has_it_counts_as_unchanged(sent: GuardedBench) -> None:
    sent.edit("C1", name="Marketing")
    sent.enter("C1", "Marketing")
    sent.run()
    assert (sent.lists.patched, sent.counts_of_run()) == ([], {"unchanged": 2})
    sent.enter("C1", "Research")
    sent.run()
    assert sent.lists.patched == [("C1", {"name": "Research"})]


# ── what was edited ─────────────────────────────────────────────────────────────────────────────────────────────


def conflict(sent: GuardedBench) -> None:
    """Have the name edited there and changed in the ERP, and the rest changed in the ERP alone."""
    sent.edit("C1", name="By hand")
    sent.enter("C1", "Marketing", active=False)
    sent.run()


def test_what_was_edited_there_is_left_and_held_and_the_rest_is_sent(sent: GuardedBench) -> None:
    conflict(sent)
    assert sent.lists.patched == [("C1", {"active.1000": "false"})]
    assert sent.lists.ap["C1"]["name"] == "By hand"
    (held,) = sent.held()
    assert held.waiting_for == "conflict:C1"
    assert held.reason == (
        "The dimension C1 was edited in Basware, and that is left as it is: name is 'By hand' there and 'Marketing' in "
        "Sage X3. To fix: `ml-connector resolve acme dimensions C1 --post` to send what Sage X3 has, or "
        "`ml-connector resolve acme dimensions C1 --match C1` to leave it; or enter the same in both, and this resumes "
        "automatically."
    )
    assert sent.counts_of_run() == {"held": 1, "unchanged": 1}
    assert sent.lists.erp["C1"].name == "Marketing"


def test_an_edit_of_a_field_that_the_erp_did_not_change_is_left_and_told_as_well(sent: GuardedBench) -> None:
    sent.edit("C1", name="By hand")
    sent.enter("C1", active=False)
    sent.run()
    assert sent.lists.ap["C1"] == {"code": "C1", "name": "By hand", "active.1000": "false"}
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:C1"]


def test_what_was_edited_holds_nobody_else(sent: GuardedBench) -> None:
    sent.edit("C1", name="By hand")
    sent.edit("L1", name="By hand as well")
    for key in ("C1", "L1", "C2"):
        sent.enter(key, "Marketing")
    sent.run()
    assert sorted(str(chunk.waiting_for) for chunk in sent.held()) == ["conflict:C1", "conflict:L1"]
    assert sent.lists.posted == [("C2", {"code": "C2", "name": "Marketing", "active.1000": "true"})]
    assert sent.counts_of_run() == {"held": 2, "delivered": 1}


def test_a_hold_is_looked_at_later_and_later_and_sends_nothing(sent: GuardedBench) -> None:
    conflict(sent)
    sent.lists.patched, sent.lists.reads = [], []
    sent.work(12)
    assert sent.lists.patched == []
    assert 5 < len(sent.lists.reads) < 20
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:C1"]


@pytest.mark.parametrize("back", ["Sales", "Marketing"])
def test_it_ends_once_the_edit_is_taken_back_or_is_what_the_erp_has(sent: GuardedBench, back: str) -> None:
    conflict(sent)
    sent.edit("C1", name=back)
    sent.work(1)
    assert sent.held() == []
    assert sent.lists.ap["C1"]["name"] == "Marketing"
    assert sent.counts_of_run() == {"delivered": 1, "unchanged": 1} if back == "Sales" else True


def test_it_is_sent_as_the_erp_has_it_by_then(sent: GuardedBench) -> None:
    conflict(sent)
    sent.enter("C1", "Research", active=False)
    sent.decide("post")
    assert sent.lists.ap["C1"]["name"] == "Research"


def test_what_was_cleared_there_is_an_edit_too(sent: GuardedBench) -> None:
    del sent.lists.ap["L1"]["name"]
    sent.enter("L1", "Other")
    sent.run()
    assert "name" not in sent.lists.ap["L1"]
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:L1"]


# ── a person's word ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_person_lets_the_erp_have_its_way(sent: GuardedBench) -> None:
    conflict(sent)
    sent.decide("post")
    assert sent.lists.ap["C1"]["name"] == "Marketing"
    assert sent.held() == []
    assert sent.counts_of_run() == {"delivered": 1, "unchanged": 1}
    sent.enter("C1", "Research", active=False)
    sent.run()
    assert sent.lists.ap["C1"]["name"] == "Research"


def test_a_person_leaves_what_was_edited_and_is_asked_again_only_when_it_changes(sent: GuardedBench) -> None:
    conflict(sent)
    sent.decide("match")
    assert (sent.lists.ap["C1"]["name"], sent.held()) == ("By hand", [])
    sent.run(full=True)
    assert (sent.lists.reads, sent.counts_of_run()) == ([], {"unchanged": 2})
    sent.enter("C1", "Marketing", active=True)
    sent.run()
    assert (sent.lists.patched, sent.held()) == ([("C1", {"active.1000": "true"})], [])
    sent.enter("C1", "Research")
    sent.run()
    assert sent.lists.ap["C1"]["name"] == "By hand"
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:C1"]


def test_a_decision_over_what_was_edited_once_more_is_not_followed(sent: GuardedBench) -> None:
    conflict(sent)
    sent.edit("C1", name="By another hand")
    sent.decide("post")
    assert sent.lists.ap["C1"]["name"] == "By another hand"
    (held,) = sent.held()
    assert "By another hand" in str(held.reason)
    sent.decide("post")
    assert sent.lists.ap["C1"]["name"] == "Marketing"


# ── in doubt ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["present", "send", "sent", "verdict"])
def test_a_crash_anywhere_makes_no_edit_of_what_we_sent(sent: GuardedBench, where: str) -> None:
    sent.enter("C1", "Marketing")
    sent.lists.faults = [(where, Killed())]
    sent.poll(DIMENSIONS)
    sent.die()
    sent.work(1)
    sent.enter("C1", "Research")
    sent.run()
    assert (sent.lists.ap["C1"]["name"], sent.held()) == ("Research", [])


@pytest.mark.parametrize("where", ["send", "sent"])
@pytest.mark.parametrize("error", [OutcomeUnknown("cut"), Transient("busy")])
def test_what_was_sent_in_doubt_and_never_settled_is_ours_when_the_erp_changes_again(
    sent: GuardedBench, where: str, error: Exception
) -> None:
    """Its chunk is lost: the row alone tells that it was on its way."""
    sent.enter("C1", "Marketing")
    sent.lists.faults = [(where, error)]
    sent.poll(DIMENSIONS)
    sent.work()
    for chunk in list(sent.ledger.unfinished()):
        sent.ledger.store.delete(sent.ledger.pk, f"c#{chunk.id}")
    sent.enter("C1", "Research")
    sent.run(full=True)
    sent.work(1)
    assert (sent.lists.ap["C1"]["name"], sent.held()) == ("Research", [])


def test_a_new_one_whose_sending_nobody_heard_of_is_ours(empty: GuardedBench) -> None:
    empty.enter("C1")
    empty.lists.faults = [("sent", Killed())]
    empty.poll(DIMENSIONS)
    empty.die()
    for chunk in list(empty.ledger.unfinished()):
        empty.ledger.store.delete(empty.ledger.pk, f"c#{chunk.id}")
    empty.enter("C1", "Research")
    empty.run(full=True)
    empty.work(1)
    assert (empty.lists.ap["C1"]["name"], empty.held()) == ("Research", [])
    assert empty.counts(DIMENSIONS) == {"delivered": 1}


def test_an_edit_over_what_was_in_doubt_is_left(sent: GuardedBench) -> None:
    sent.enter("C1", "Marketing")
    sent.lists.faults = [("sent", Killed())]
    sent.poll(DIMENSIONS)
    sent.die()
    sent.edit("C1", name="By hand")
    sent.work(0.05)
    assert sent.lists.ap["C1"]["name"] == "By hand"
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:C1"]


def test_after_a_restore_what_differs_is_left_and_what_is_equal_is_agreed(sent: GuardedBench) -> None:
    before = {item.sk: dict(item.data) for item in sent.ledger.store.query(sent.ledger.pk, "r#")}
    for key in ("C1", "L1"):
        sent.enter(key, "Marketing")
    sent.run()
    sent.edit("L1", name="By hand")
    for key, data in before.items():
        item = sent.ledger.store.get(sent.ledger.pk, key)
        assert item is not None
        sent.ledger.store.put(type(item)(item.pk, item.sk, data, item.rev))
    sent.run(full=True)
    assert sent.lists.ap["C1"]["name"] == "Marketing"
    assert sent.lists.ap["L1"]["name"] == "By hand"
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:L1"]


def test_with_an_empty_state_nothing_that_stands_there_is_overwritten(sent: GuardedBench) -> None:
    sent.edit("C1", name="By hand")
    for item in list(sent.ledger.store.query(sent.ledger.pk)):
        sent.ledger.store.delete(item.pk, item.sk)
    sent.run(full=True)
    assert (sent.lists.posted, sent.lists.patched) == ([], [])
    (held,) = sent.held()
    assert held.waiting_for == "conflict:C1"
    assert (held.reason or "").startswith(
        "The dimension C1 stands in Basware already, otherwise than in Sage X3, and nothing tells who"
    ), "nobody is said to have edited it"
    assert sent.ledger.rows(["C1"])["C1"][0].code == "C1", "it is there: who refers to it waits for nobody"
    assert sent.counts_of_run() == {"held": 1, "unchanged": 1}


def test_an_older_version_that_is_looked_at_late_takes_nothing_back(sent: GuardedBench) -> None:
    conflict(sent)
    sent.enter("C1", "Research")
    sent.run()
    (held,) = sent.held()
    assert "Research" in str(held.reason)
    assert sent.counts_of_run() == {"held": 1, "unchanged": 1}
    sent.decide("post")
    sent.work(2)
    assert (sent.lists.ap["C1"]["name"], sent.held()) == ("Research", [])


def test_a_replay_sends_what_the_erp_has_and_leaves_edits(sent: GuardedBench) -> None:
    sent.edit("C1", name="By hand")
    assert replay(sent.pair(), DIMENSIONS, "C1", "note").what == "marked"
    sent.run()
    assert sent.lists.ap["C1"]["name"] == "By hand"
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:C1"]


def test_a_replay_of_what_nobody_edited_is_sent_with_its_touch(sent: GuardedBench) -> None:
    replay(sent.pair(), DIMENSIONS, "C1", "note")
    sent.run()
    assert sent.lists.patched == [("C1", {})]  # the target adds the touch
    assert sent.counts_of_run() == {"delivered": 1, "unchanged": 1}


# ── refused, gone, back ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_refused_stays_refused_and_is_no_edit_later(sent: GuardedBench) -> None:
    sent.lists.refused = {"C1"}
    sent.enter("C1", "Marketing")
    sent.run()
    assert sent.counts_of_run() == {"rejected": 1, "unchanged": 1}
    sent.lists.refused = set()
    sent.enter("C1", "Research")
    sent.run()
    assert (sent.lists.ap["C1"]["name"], sent.held()) == ("Research", [])


def test_what_is_deleted_in_the_erp_ends_its_hold_and_is_deactivated(sent: GuardedBench) -> None:
    sent.enter("C2")
    sent.enter("C3")
    sent.run()
    sent.edit("C1", name="By hand")
    sent.enter("C1", "Marketing")
    sent.run()
    del sent.lists.erp["C1"]
    sent.work(1)
    assert sent.held() == []
    assert sent.lists.ap["C1"]["name"] == "By hand"
    sent.run(full=True)
    assert sent.lists.ap["C1"]["active.1000"] == "false"


def test_what_comes_back_to_the_erp_is_active_again_though_we_had_deactivated_it(sent: GuardedBench) -> None:
    sent.enter("C2")
    sent.enter("C3")
    sent.run()
    gone = sent.lists.erp.pop("C1")
    sent.run(full=True)
    assert sent.lists.ap["C1"]["active.1000"] == "false"
    sent.lists.erp["C1"] = gone
    sent.run()
    assert (sent.lists.ap["C1"]["active.1000"], sent.held()) == ("true", [])


def test_a_shadow_reads_and_sends_nothing_there(sent: GuardedBench) -> None:
    sent.shadow = True
    sent.edit("C1", name="By hand")
    sent.enter("C1", "Marketing")
    sent.run()
    assert (sent.lists.reads, sent.lists.patched, sent.held()) == ([], [], [])


def test_rows_of_before_know_of_no_agreement(sent: GuardedBench) -> None:
    """They were sent before the flow was guarded: what differs is left, since nobody knows who wrote it."""
    row, item = sent.ledger.rows(["C1"], consistent=True)["C1"]
    assert isinstance(row, Row)
    sent.ledger.store.put(type(item)(item.pk, item.sk, {k: v for k, v in item.data.items() if k != "shared"}, item.rev))
    sent.enter("C1", "Marketing")
    sent.run()
    assert sent.lists.ap["C1"]["name"] == "Sales"
    assert [chunk.waiting_for for chunk in sent.held()] == ["conflict:C1"]
