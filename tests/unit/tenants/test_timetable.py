"""A run plans the flows that it ran, and nothing else: what is planned while it runs is not taken back."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector import enroll
from ml_connector.engine.ledger.rows import iso
from ml_connector.runs import Run
from tests.unit.tenants.conftest import Site

LATER = "2026-03-02T12:00:00.000000+00:00"


def timetable(site: Site) -> dict[str, str]:
    item = site.runtime.store.get("schedule#acme", "sap_b1")
    assert item is not None
    return enroll.planned_of(item)


def write(site: Site, flows: dict[str, str]) -> None:
    item = site.runtime.store.get("schedule#acme", "sap_b1")
    assert item is not None and enroll.plan(site.runtime.store, item, flows)


@pytest.mark.parametrize("asked", ["vendors", "accounts"], ids=["one that ran", "one that did not"])
def test_a_flow_that_is_asked_for_while_others_run_stays_due(
    site: Site, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.enroll()
    now, due = iso(site.clock.now()), f"sap_b1-basware/{asked}"
    write(site, {flow: now if flow.endswith("/vendors") else LATER for flow in timetable(site)})
    ran: list[str] = []

    def reads(_run: Run, _tenant: Any, _options: Any, _integration: Any, flow: Any, _deadline: Any) -> bool:
        ran.append(flow.name)
        site.clock.sleep(1)
        write(site, timetable(site) | {due: iso(site.clock.now())})
        return True

    monkeypatch.setattr(Run, "_flow", reads)
    site.run("acme", "sap_b1")
    assert ran == ["vendors"] and timetable(site)[due] == iso(site.clock.now())
    others = {flow: when for flow, when in timetable(site).items() if flow != due}
    assert asked == "vendors" or now < others.pop("sap_b1-basware/vendors") < LATER
    assert set(others.values()) == {LATER}
