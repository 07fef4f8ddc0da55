"""The door to a system: it stays shut for every secret that was refused, whoever still has an old one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml_connector.engine.breaker import REMEMBERED, Breaker
from ml_connector.errors import LoginRefused
from tests.unit.engine.bench import Bench


def door(bench: Bench, version: str) -> Breaker:
    world = bench.world
    return Breaker(world.store, world.clock, tenant="t", system="erp", version=version, boot="b", sole=False)


def test_the_refusal_of_one_version_opens_the_door_for_no_other_that_was_refused(bench: Bench) -> None:
    """Else workers with the old secret and workers with the new one take turns, until the server locks the user."""
    new, old = door(bench, "new"), door(bench, "old")
    new.refused("The password is wrong.")
    old.refused("The password is wrong.")
    for refused in (new, old):
        with pytest.raises(LoginRefused, match="until the secret is changed"):
            refused.may_log_in()
    door(bench, "newer").may_log_in()


def test_the_end_of_an_outage_opens_no_refused_login_and_a_person_opens_all(bench: Bench) -> None:
    for version in ("old", "new"):
        door(bench, version).refused("No.")
    door(bench, "new").well()
    with pytest.raises(LoginRefused):
        door(bench, "old").check()
    door(bench, "new").welcome()
    door(bench, "old").check()


def test_only_the_last_versions_are_remembered(bench: Bench) -> None:
    for number in range(REMEMBERED + 1):
        door(bench, str(number)).refused("No.")
    door(bench, "0").may_log_in()
    with pytest.raises(LoginRefused):
        door(bench, "1").may_log_in()


def test_a_row_of_a_former_release_holds_one_version(bench: Bench) -> None:
    one = door(bench, "new")
    one.refused("No.")
    item = bench.world.store.get("breaker#t", "erp")
    assert item is not None
    bench.world.store.put(replace(item, data={**item.data, "refused": "new"}))
    assert one.trouble_now() == "No."
    door(bench, "other").refused("No.")
    with pytest.raises(LoginRefused):
        one.check()
