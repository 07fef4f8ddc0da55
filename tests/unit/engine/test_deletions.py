"""Deletions: what a full comparison finds missing is asked for once more, and then switched off."""

import pytest

from ml_connector.engine.ledger.rows import GONE
from ml_connector.engine.ledger.seen_keys import SeenKeys
from ml_connector.engine.poll.run import Poll
from ml_connector.engine.replay import approve
from ml_connector.engine.write.worker import write
from ml_connector.errors import Rejected, Transient
from tests.unit.engine.bench import ACCOUNTS, Killed, account


def _delivered(bench, *keys):
    bench.systems.accounts = {k: account(k) for k in keys}
    bench.compare(ACCOUNTS)


def _row(bench, key):
    return bench.pair().ledger("accounts").rows([key])[key][0]


def test_what_vanished_at_the_source_is_switched_off_and_counted(bench):
    _delivered(bench, *"abcdefgh")
    del bench.systems.accounts["d"]
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == ["d"]
    assert _row(bench, "d").delivered_fp == GONE
    assert bench.counts(ACCOUNTS) == {"delivered": 9, "unchanged": 7}


def test_it_is_switched_off_once(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    for _ in range(3):
        bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == ["b"]


def test_an_ordinary_pass_finds_no_deletions(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.systems.deactivated == []


def test_a_record_that_the_list_lacked_but_the_source_has_is_left_alone(bench):
    _delivered(bench, *"abcdefgh")
    bench.systems.hidden = {"d"}
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == []
    assert bench.sheet(ACCOUNTS).reconciled
    assert _row(bench, "d").delivered_fp not in {None, GONE}


def test_a_record_that_comes_back_is_sent_again(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    bench.compare(ACCOUNTS)
    bench.systems.accounts["b"] = account("b")
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert bench.systems.sends[-1] == ["b"]
    assert _row(bench, "b").delivered_fp not in {None, GONE}


def test_a_record_that_comes_back_before_it_was_switched_off_stays_on(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    bench.poll(ACCOUNTS, full=True)
    bench.systems.accounts["b"] = account("b", "Back")
    bench.poll(ACCOUNTS)
    bench.work(0.5)
    assert bench.systems.deactivated == []
    assert bench.systems.taken["b"].name == "Back"


def test_where_much_is_missing_a_person_is_asked(bench):
    keys = [f"k{n:02d}" for n in range(40)]
    _delivered(bench, *keys)
    bench.systems.accounts = {k: account(k) for k in keys[:19]}
    bench.compare(ACCOUNTS)
    bench.work(30)
    assert bench.systems.deactivated == []
    held = bench.sheet(ACCOUNTS).held[0]
    assert held["waiting_for"] == "approval:accounts"
    assert "21 of 40 accounts" in held["reason"]
    assert "ml-connector confirm-deactivation acme accounts" in held["reason"]
    assert approve(bench.pair().ledger("accounts"), "Ann agreed.") == 21
    bench.work(0.1)
    assert sorted(bench.systems.deactivated) == keys[19:]


def test_what_waits_for_a_person_is_let_go_when_the_source_has_it_again(bench):
    keys = [f"k{n:02d}" for n in range(40)]
    _delivered(bench, *keys)
    bench.systems.accounts = {}
    bench.compare(ACCOUNTS)
    bench.systems.accounts = {k: account(k) for k in keys}
    bench.work(25)
    assert bench.systems.deactivated == []
    assert not list(bench.pair().ledger("accounts").unfinished())


@pytest.mark.parametrize(
    ("known", "missing", "asked"),
    [
        (60, 20, False),  # a third, and no more
        (59, 20, True),
        (12, 12, True),
        (12, 4, False),
        (12, 5, True),
        (3, 1, False),
        (3, 2, True),
        (2, 1, False),
        (1, 1, True),  # an empty list
    ],
)
def test_of_a_small_list_a_third_is_much_and_an_empty_one_always_is(bench, known, missing, asked):
    keys = [f"k{n:02d}" for n in range(known)]
    _delivered(bench, *keys)
    bench.systems.accounts = {k: account(k) for k in keys[missing:]}
    bench.compare(ACCOUNTS)
    assert sorted(bench.systems.deactivated) == ([] if asked else keys[:missing])
    assert {line["waiting_for"] for line in bench.sheet(ACCOUNTS).held} == ({"approval:accounts"} if asked else set())
    if asked:
        approve(bench.pair().ledger("accounts"), "Ann agreed.")
        bench.work(0.1)
        assert sorted(bench.systems.deactivated) == keys[:missing]


def test_the_last_record_is_asked_for_although_others_have_come(bench):
    """Everything that was known is gone, and what the list shows is new: it is not empty, but most is missing."""
    _delivered(bench, *"abc")
    bench.systems.accounts = {k: account(k) for k in "xyz"}
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == []


def test_of_a_large_list_some_hundredths_are_much(bench):
    keys = [f"k{n:04d}" for n in range(1100)]
    _delivered(bench, *keys)
    bench.systems.accounts = {k: account(k) for k in keys[22:]}
    bench.compare(ACCOUNTS)
    assert sorted(bench.systems.deactivated) == keys[:22], "two hundredths, and no more"
    bench.systems.accounts = {k: account(k) for k in keys[22 + 22 :]}
    bench.compare(ACCOUNTS)
    assert len(bench.systems.deactivated) == 22


def test_a_record_that_the_target_keeps_is_rejected_and_tried_again_the_next_night(bench):
    _delivered(bench, "a", "kept")
    del bench.systems.accounts["kept"]
    bench.compare(ACCOUNTS)
    assert bench.sheet(ACCOUNTS).rejected == [{"key": "kept", "reason": "It is in use."}]
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == ["kept", "kept"]


def test_a_refused_chunk_and_passing_trouble_lose_nothing(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    bench.systems.faults = [("reread", Transient("away")), ("retire", Transient("away")), ("retire", Rejected("No."))]
    bench.compare(ACCOUNTS)
    bench.work(1)
    assert bench.sheet(ACCOUNTS).rejected == [{"key": "b", "reason": "No."}]


def test_a_kill_at_the_switching_off_does_it_again(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    bench.poll(ACCOUNTS, full=True)
    bench.systems.faults = [("retire", Killed())]
    queued = bench.queue.take()
    with pytest.raises(Killed):
        write(bench.pair(), ACCOUNTS, queued.message["id"])
    bench.queue.done(queued)
    bench.work(0.1)
    assert bench.systems.deactivated == ["b"]
    assert _row(bench, "b").delivered_fp == GONE


def test_a_shadow_shows_what_it_would_switch_off(bench):
    _delivered(bench, *"abc")
    del bench.systems.accounts["b"]
    bench.shadow = True
    bench.compare(ACCOUNTS)
    assert bench.systems.deactivated == []


def test_a_comparison_leaves_no_roll_behind(bench):
    _delivered(bench, *"abcdefgh")
    ledger = bench.pair().ledger("accounts")
    assert not list(ledger.store.query(ledger.pk, "s#"))


@pytest.mark.parametrize(("back", "asked"), [(12, 0), (11, 0), (9, 0), (7, 5)])
@pytest.mark.parametrize("full", [True, False], ids=["a full comparison", "an ordinary pass"])
def test_what_is_back_ends_the_question_whether_it_is_gone(bench, back, asked, full):
    keys = [f"k{n:02d}" for n in range(12)]
    _delivered(bench, *keys)
    bench.systems.accounts = {}
    bench.compare(ACCOUNTS)
    assert bench.counts(ACCOUNTS)["held"] == 12
    bench.systems.accounts = {k: account(k) for k in keys[:back]}
    bench.poll(ACCOUNTS, full=full)
    bench.work(0.1)
    assert bench.counts(ACCOUNTS).get("held", 0) == asked
    left = [] if asked else keys[back:]
    assert sorted(bench.systems.deactivated) == left
    if asked:
        assert f"{asked} of 12 accounts are missing" in bench.sheet(ACCOUNTS).held[0]["reason"]
        assert approve(bench.pair().ledger("accounts"), "agreed") == asked
        bench.work(0.1)
        assert sorted(bench.systems.deactivated) == keys[back:]
    assert bench.sheet(ACCOUNTS).reconciled


def test_what_is_back_in_one_part_ends_the_question_over_the_others_too(bench):
    keys = [f"k{n:03d}" for n in range(300)]
    _delivered(bench, *keys)
    bench.systems.accounts = {k: account(k) for k in keys[:100]}
    bench.compare(ACCOUNTS)
    assert bench.counts(ACCOUNTS)["held"] == 200
    bench.systems.accounts = {k: account(k) for k in keys if k not in {"k150", "k250", "k251"}}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    assert "held" not in bench.counts(ACCOUNTS) and sorted(bench.systems.deactivated) == ["k150", "k250", "k251"]


def test_a_kill_right_before_the_end_is_saved_makes_nothing_missing(bench, monkeypatch):
    """What the pass has seen is forgotten last: whoever ends it in the killed one's place compares with it again."""
    _delivered(bench, *"abcdefgh")
    real = Poll._end

    def killed(self):
        raise Killed

    monkeypatch.setattr(Poll, "_end", killed)
    with pytest.raises(Killed):
        bench.poll(ACCOUNTS, full=True)
    monkeypatch.setattr(Poll, "_end", real)
    bench.poll(ACCOUNTS)
    assert [c.op for c in bench.pair().ledger("accounts").unfinished()] == []
    assert list(bench.runtime.store.query(bench.pair().ledger("accounts").pk, "s#")) == []


def test_who_ends_a_pass_forgets_nothing_that_a_later_one_has_seen(bench):
    ledger, clock = bench.pair().ledger("accounts"), bench.clock
    rolls = []
    for page in ("left", "mine", "later"):
        rolls.append(SeenKeys(ledger, ledger.now()))
        rolls[-1].note(["a"], page)
        clock.sleep(0.5)
    rolls[1].clear()
    assert [("a" in roll.seen()) for roll in rolls] == [False, False, True]


def test_a_pass_is_over_though_what_it_has_seen_cannot_be_forgotten(bench, monkeypatch):
    _delivered(bench, *"ab")

    began, cursor = SeenKeys.clear, lambda: bench.pair().ledger("accounts").cursor()[0]

    def away_at_the_end(roll):
        if cursor().now is None:
            raise Transient("AWS throttles the table; it is tried again later.")
        began(roll)

    monkeypatch.setattr(SeenKeys, "clear", away_at_the_end)
    before = cursor().passes
    assert bench.poll(ACCOUNTS, full=True) is not False
    assert (cursor().passes, cursor().now, cursor().figures.error) == (before + 1, None, None)
