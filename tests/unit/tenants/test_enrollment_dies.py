"""An enrollment that dies at any place leaves what the next one finishes: each system of a tenant is polled."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector import enroll
from tests.unit.tenants.conftest import TENANTS, Site

PLANNED = {"sap_b1": 5, "basware": 1}


class Died(BaseException):
    """The process."""


def planned(site: Site) -> dict[tuple[str, str], int]:
    found = {}
    for tenant in TENANTS:
        for system in PLANNED:
            item = site.runtime.store.get(f"schedule#{tenant}", system)
            found[tenant, system] = len(enroll.planned_of(item)) if item is not None and item.due_at else 0
    return found


def dies_at(site: Site, monkeypatch: pytest.MonkeyPatch, place: int) -> bool:
    """Enroll until so many calls of the store are made; false where there are no more."""
    calls = 0

    def dying(real: Any) -> Any:
        def call(*values: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > place:
                raise Died
            return real(*values, **named)

        return call

    with monkeypatch.context() as patched:
        for name in ("get", "put", "put_many"):
            patched.setattr(site.runtime.store, name, dying(getattr(site.runtime.store, name)))
        try:
            site.enroll()
        except Died:
            return True
    return False


def test_the_next_enrollment_plans_what_one_that_died_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    place = 0
    while dies_at(site := Site(), monkeypatch, place):
        site.enroll()
        assert planned(site) == {(tenant, system): count for tenant in TENANTS for system, count in PLANNED.items()}
        assert not any(row.unplanned for row in site.enroll().values())
        place += 1
    assert place > 2


def test_flows_that_are_new_are_planned_though_the_enrollment_that_learned_of_them_died(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.write("acme", "settings", schedules={"payments": "off"})
    site.enroll()
    site.write("acme", "settings")
    with monkeypatch.context() as patched:
        patched.setattr(enroll, "plan_all", lambda *_: (_ for _ in ()).throw(Died))
        with pytest.raises(Died):
            site.enroll()
    site.enroll()
    assert planned(site)["acme", "sap_b1"] == PLANNED["sap_b1"]


def test_an_end_that_died_is_finished_by_the_next_enrollment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays due for a tenant that is gone: each tick would ask for it again."""
    for place in range(100):
        site = Site()
        site.enroll()
        real, calls = site.runtime.store.delete, 0
        for system in PLANNED:
            del site.manager.texts[f"ml-connector/acme/{system}"]
        site.enroll()
        site.clock.sleep(3600)  # a secret that is missing is asked for again before its tenant ends

        def dying(*values: Any, place: int = place, real: Any = real) -> None:
            nonlocal calls
            calls += 1
            if calls > place:
                raise Died
            real(*values)

        with monkeypatch.context() as patched:
            patched.setattr(site.runtime.store, "delete", dying)
            try:
                site.enroll()
            except Died:
                pass
            else:
                assert calls > len(PLANNED)
                return
        site.enroll()
        assert planned(site)["acme", "sap_b1"] == planned(site)["acme", "basware"] == 0
    pytest.fail("it never ended")
