"""A target that creates a record once and never changes it: nothing is sent to it a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ml_connector import http_log
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.ledger.rows import Chunk, Decision
from ml_connector.engine.replay import decide, replay
from ml_connector.engine.tenant_integration import TenantIntegration
from ml_connector.errors import OutcomeUnknown, Transient
from ml_connector.flow import Rendered, Sent, Verdict
from ml_connector.records import Account
from tests.unit.engine.bench import ACCOUNTS, Accounts, Bench, Killed, Systems, account

LOST = OutcomeUnknown("The connection broke.")


class Once(Accounts):
    """Accounts, at a target that creates each of them once. `posts` are the keys in each call, `known` what it knew."""

    once = True

    def __init__(self, systems: Systems) -> None:
        super().__init__(systems)
        self.posts: list[list[str]] = []
        self.known: dict[str, bool] = {}
        self.acts = False

    def standing(self, batch: Sequence[Rendered], /) -> dict[str, Verdict]:
        self.s.fault("look")
        self.known |= {one.key: one.known for one in batch}
        return {one.key: self._stands(one) for one in batch if one.key in self.s.taken}

    def _stands(self, one: Rendered) -> Verdict:
        (sent,) = one.entities["accounts"]
        there = self.s.taken[one.key].name
        if there == sent["name"]:
            return Verdict("unchanged")
        return Verdict("held", f"{one.key} is there as {there} and cannot be changed.", f"conflict:{one.key}")

    def render(self, record: Account, codes: Any, touch: str | None = None) -> Rendered:
        made = super().render(record, codes, touch)
        name = codes.platform("term", record.name) if record.name.startswith("M") else record.name
        return replace(made, entities={"accounts": [{"name": name, "code": record.code}]})

    def send(self, stage: str, batch: Sequence[Rendered]) -> Sent:
        self.posts.append([one.key for one in batch])
        assert not {one.key for one in batch} & self.s.taken.keys(), "sent a second time"
        if self.acts:
            self.acts, faults, self.s.faults = False, self.s.faults, []
            super().send(stage, list(batch))
            self.s.faults = faults
        return super().send(stage, list(batch))


class OnceBench(Bench):
    target: Once

    def place(self) -> Any:
        place: Any = super().place()
        place.parts[Account] = self.target
        return place

    def pair(self) -> TenantIntegration:
        made = super().pair()
        made.in_doubt_seconds = {"erp": 900, "ap": 900}
        return made

    def round(self, hours: float = 0.02, **accounts: str) -> None:
        """Let the source have these, read it, and work for a while."""
        self.systems.accounts |= {key: account(key, name) for key, name in accounts.items()}
        self.poll(ACCOUNTS)
        self.work(hours)

    def dies(self, hours: float = 0) -> None:
        """Work until the process dies, and let another one begin."""
        with pytest.raises(Killed):
            self.work(hours)
        self.runtime = replace(self.runtime, boot="another")
        for queued in list(self.queue._taken.values()):
            self.queue.done(queued)

    def left(self) -> list[Chunk]:
        return list(self.pair().ledger("accounts").unfinished())


@pytest.fixture
def once(bench: Bench) -> OnceBench:
    made = OnceBench(bench.runtime, bench.systems, bench.clock, bench.queue)
    made.target = Once(bench.systems)
    return made


def test_what_is_new_is_looked_for_and_created(once: OnceBench) -> None:
    once.round(a="Paper", b="Ink")
    assert once.target.posts == [["a", "b"]] and once.target.known == {"a": False, "b": False}
    assert once.counts(ACCOUNTS) == {"delivered": 2}
    once.round()
    assert len(once.target.posts) == 1


def test_what_is_there_after_a_restore_is_not_created_again(once: OnceBench) -> None:
    once.systems.taken["a"] = account("a", "Paper")
    once.round(a="Paper", b="Ink")
    assert once.target.posts == [["b"]]
    assert once.counts(ACCOUNTS) == {"delivered": 1, "unchanged": 1}


def test_a_changed_record_is_held_in_words_and_a_replay_does_not_send_it(once: OnceBench) -> None:
    once.round(a="Paper", b="Ink")
    once.round(a="Cardboard")
    (held,) = once.left()
    assert held.waiting_for == "conflict:a"
    ends = "`ml-connector resolve acme accounts a --match a`."
    assert held.reason == f"a is there as Paper and cannot be changed. When that is done: {ends}"
    assert replay(once.pair(), ACCOUNTS, "a", "somebody").what == "retried"
    assert replay(once.pair(), ACCOUNTS, "b", "somebody").what == "marked"
    once.round(2)
    assert once.target.posts == [["a", "b"]]
    assert [chunk.waiting_for for chunk in once.left()] == ["conflict:a"]


def test_a_newer_version_takes_the_place_of_one_that_is_held(once: OnceBench) -> None:
    once.round(a="Paper")
    once.round(a="Cardboard")
    once.round(2, a="Wood")
    assert len(once.left()) == 1
    once.round(2, a="Paper")
    assert not once.left(), "it is again what was created"
    assert once.target.posts == [["a"]]


@pytest.mark.parametrize("what", ["match", "post"])
def test_a_person_ends_the_conflict(once: OnceBench, what: Any) -> None:
    once.round(a="Paper")
    once.round(a="Cardboard")
    if what == "post":
        del once.systems.taken["a"]
        once.work(2)
        (held,) = once.left()
        assert "somebody deleted it there" in (held.reason or "") and "--post" in (held.reason or "")
        assert once.target.posts == [["a"]], "not by itself"
    (held,) = once.left()
    decision = Decision(what=what, number="a", by="Ann", at=once.clock.now().isoformat())
    assert decide(once.pair().ledger("accounts"), held.id, decision, "Ann did")
    once.work(0.1)
    assert not once.left()
    assert once.target.posts == ([["a"]] if what == "match" else [["a"], ["a"]])
    once.round()
    assert not once.left(), "settled for good"


def test_what_was_deleted_there_is_not_created_again_by_a_replay(once: OnceBench) -> None:
    once.round(a="Paper")
    del once.systems.taken["a"]
    replay(once.pair(), ACCOUNTS, "a", "somebody")
    once.round(1)
    (held,) = once.left()
    assert held.waiting_for == "conflict:a" and once.target.known["a"]
    assert once.target.posts == [["a"]]


@pytest.mark.parametrize("acts", [True, False], ids=["it was created", "it was not"])
def test_an_unknown_outcome_is_looked_for_and_sent_again_only_after_the_settle_time(
    once: OnceBench, acts: bool
) -> None:
    once.systems.faults = [("send", LOST)]
    once.target.acts = acts
    once.round(0.2, a="Paper")
    assert once.target.posts == [["a"]], "not before 900 seconds"
    assert bool(once.left()) is not acts
    once.work(0.3)
    assert once.target.posts == ([["a"]] if acts else [["a"], ["a"]])
    assert once.counts(ACCOUNTS) == {"delivered": 1}


def test_a_created_record_found_in_doubt_is_delivered_though_a_mapping_changed_since(once: OnceBench) -> None:
    mappings = once.pair().mappings
    mappings.set(Mapping(integration="erp-ap", kind="term", code="Paper", target="M1"))
    once.systems.faults = [("send", LOST)]
    once.target.acts = True
    once.systems.accounts = {"a": account("a", "M1")}
    once.poll(ACCOUNTS)
    once.work()
    assert once.systems.taken["a"].name == "Paper"
    mappings.remove("term", "Paper")
    mappings.set(Mapping(integration="erp-ap", kind="term", code="Cardboard", target="M1"))
    once.work(0.3)
    assert not once.left() and once.target.posts == [["a"]]
    assert once.counts(ACCOUNTS) == {"delivered": 1}


def test_a_changed_mapping_alone_asks_and_sends_nothing(once: OnceBench, monkeypatch: pytest.MonkeyPatch) -> None:
    once.round(a="Paper")
    once.systems.faults = [("look", Transient("nobody may ask"))]
    monkeypatch.setattr(TenantIntegration, "shape", lambda *_: "another")
    once.compare(ACCOUNTS)
    assert not once.left() and once.sheet(ACCOUNTS).counts["unchanged"] == 1
    assert once.systems.faults and once.target.posts == [["a"]]


@pytest.mark.parametrize("acts", [True, False], ids=["after it was created", "before"])
def test_a_process_that_dies_while_it_creates_creates_nothing_twice(once: OnceBench, acts: bool) -> None:
    once.systems.faults = [("send", Killed())]
    once.target.acts = acts
    once.systems.accounts = {"a": account("a", "Paper")}
    once.poll(ACCOUNTS)
    once.dies()
    once.work(0.2)
    assert once.target.posts == ([["a"]] if acts else [["a"], ["a"]])
    assert once.counts(ACCOUNTS) == {"delivered": 1}


def test_a_death_does_not_shorten_the_time_of_a_request_that_broke_off(once: OnceBench) -> None:
    once.systems.faults = [("send", LOST), ("look", Killed())]
    once.systems.accounts = {"a": account("a", "Paper")}
    once.poll(ACCOUNTS)
    once.dies(0.1)
    once.work(0.15)
    assert once.target.posts == [["a"]], "the first request may create it for 900 seconds"
    once.work(0.3)
    assert once.counts(ACCOUNTS) == {"delivered": 1}


def test_a_look_that_fails_sends_nothing(once: OnceBench) -> None:
    once.systems.faults = [("look", Transient("a page of a proxy"))] * 3
    once.systems.accounts = {"a": account("a", "Paper")}
    once.poll(ACCOUNTS)
    with http_log.recording():
        once.work()
    assert not once.target.posts
    once.work(0.1)
    assert once.target.posts == [["a"]]
