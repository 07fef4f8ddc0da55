"""The door to a system: it stays shut for every secret that was refused, whoever still has an old one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ml_connector.embedded.vault import MemoryVault
from ml_connector.engine.access.breaker import REMEMBERED, Breaker
from ml_connector.engine.access.sessions import Session, Sessions
from ml_connector.errors import LoginRefused
from tests.unit.engine.bench import Bench


def door(bench: Bench, version: str) -> Breaker:
    runtime = bench.runtime
    return Breaker(runtime.store, runtime.clock, tenant="t", system="erp", version=version, boot="b", sole=False)


def test_the_refusal_of_one_version_opens_the_door_for_no_other_that_was_refused(bench: Bench) -> None:
    """Else workers with the old secret and workers with the new one take turns, until the server locks the user."""
    new, old = door(bench, "new"), door(bench, "old")
    new.login_refused("The password is wrong.")
    old.login_refused("The password is wrong.")
    for refused in (new, old):
        with pytest.raises(LoginRefused, match="until the secret is changed"):
            refused.may_log_in()
    door(bench, "newer").may_log_in()


def test_the_end_of_an_outage_opens_no_refused_login_and_a_person_opens_all(bench: Bench) -> None:
    for version in ("old", "new"):
        door(bench, version).login_refused("No.")
    door(bench, "new").succeeded()
    with pytest.raises(LoginRefused):
        door(bench, "old").check()
    door(bench, "new").reset()
    door(bench, "old").check()


def test_an_older_version_may_be_tried_again_once_no_worker_can_have_it_any_more(bench: Bench) -> None:
    """The server's password was set back to what it had been, and so was the secret."""
    door(bench, "old").login_refused("No.")
    door(bench, "new").login_refused("No.")
    bench.clock.moment += REMEMBERED + timedelta(seconds=1)
    door(bench, "old").may_log_in()
    with pytest.raises(LoginRefused):
        door(bench, "new").may_log_in()


def test_rows_of_a_former_release_are_read_and_written_as_it_did(bench: Bench) -> None:
    one = door(bench, "new")
    one.login_refused("No.")
    item = bench.runtime.store.get("breaker#t", "erp")
    assert item is not None
    assert item.data["refused"] == "new"
    bench.runtime.store.put(replace(item, data={"refused": "new", "reason": "No."}))
    assert one.trouble_now() == "No."


def test_whoever_meets_the_closed_door_does_not_tell_its_reason_of_itself(bench: Bench) -> None:
    """Each `ping` with a wrong password, and each worker that comes by, made the reason a sentence longer."""
    asked = list[int]()

    def log_in() -> Session:
        asked.append(1)
        raise LoginRefused("The password is wrong.")

    for _ in range(3):
        sessions = Sessions(
            bench.runtime.store, MemoryVault(), bench.clock, door(bench, "new"), name="t", version="new", boot="b"
        )
        with pytest.raises(LoginRefused) as met:
            sessions.get(log_in)
    assert str(met.value).count("Nothing logs in again") == 1
    assert (len(asked), door(bench, "new").trouble_now()) == (1, "The password is wrong.")
