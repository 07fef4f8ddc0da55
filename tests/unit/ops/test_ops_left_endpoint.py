"""What a killed process left under an earlier endpoint: a run does not wait for it, and a move takes it along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from infra.local.runner import Runner
from infra.local.state import open_state
from infra.ops import endpoint
from ml_connector import bootstrap
from ml_connector.embedded.lock import StateLock
from ml_connector.engine import endpoints
from ml_connector.engine.comparison import Compared
from ml_connector.engine.ledger.rows import iso
from ml_connector.engine.write.resolving import not_sent_here
from ml_connector.flow import Found
from tests.unit.ops.conftest import SAP_B1

KILLED = {"step": "sent", "state": "sending", "owner": "a process that was killed"}


@pytest.fixture
def left(office: Any) -> Any:
    """Two invoices in flight when the process was killed, then another address."""
    (pair,) = bootstrap.tenants(office.workspace.runtime, office.workspace.secrets, office.workspace.tools)[0].pairs
    endpoints.note(pair)
    office.ledger("invoices").link("18:7", "k7")
    soon = iso(office.workspace.runtime.clock.now() + timedelta(seconds=40))
    for key in ("k1", "k2"):
        office.chunk("invoices", key=key, number=key.upper(), due_at=soon, lane=f"acme.sap_b1.{key}", **KILLED)
    office.write("acme", "sap_b1", {**SAP_B1, "service_layer_url": "https://other.example.com:50000/b1s/v2"})
    return office


def test_a_run_ends_by_itself_though_a_killed_one_left_work_under_the_earlier_endpoint(left: Any) -> None:
    runner = Runner(open_state(left.folder))
    runner.once(8)
    assert not runner.cut
    assert [one.documents for _, one in runner.earlier] == [2]


def test_a_run_still_waits_for_what_a_killed_one_left_under_its_own_endpoint(left: Any) -> None:
    left.write("acme", "sap_b1", SAP_B1)
    state = open_state(left.folder, sole=False)
    state.queue.take = lambda: None  # type: ignore[method-assign]
    runner = Runner(state)
    runner.once(1)
    assert runner.cut


def test_a_move_takes_the_leases_of_a_dead_process_as_ended(left: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_compared", lambda *_: Compared(agree=["R1 (119.00 EUR)"]))
    with StateLock(left.folder / ".state"):
        refused = left.run("endpoint", "move", "acme", "sap_b1", code=2)
    assert "already works with the state" in refused.stderr
    said = left.run("endpoint", "move", "acme", "sap_b1")
    told = " ".join(said.stdout.split())
    assert "2 documents (0 delivered, 2 under way), 0 master records and 0 chunks of master data under way were" in told
    assert {c.key for c in left.open().stream("acme", "invoices").ledger.unfinished()} == {"k1", "k2"}


def test_what_was_sent_under_the_earlier_endpoint_is_not_another_installations(left: Any) -> None:
    (pair,) = bootstrap.tenants(left.workspace.runtime, left.workspace.secrets, left.workspace.tools)[0].pairs
    flow = next(flow for flow in pair.integration.flows if flow.name == "invoices")
    found = [Found("18:7", "7"), Found("18:8", "8")]
    assert [one.id for one in not_sent_here(pair, flow, found)] == ["18:8"]
    (earlier,) = endpoints.note(pair)
    endpoints.keep_apart(pair, earlier.scope, "ada")
    assert [one.id for one in not_sent_here(pair, flow, found)] == ["18:7", "18:8"], "another company's ids say nothing"
