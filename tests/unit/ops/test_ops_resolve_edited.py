"""resolve: a person decides over a record that was edited at the platform: it stays so, or becomes what the ERP has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector.integrations.sap_b1_basware import SAP_B1_BASWARE
from tests.unit.ops.test_ops_resolve import LATER, said

BODY = {"records": [{"key": "1~C1", "code": "C1", "name": "Sales"}]}
HELD = {"id": "7", "state": "waiting", "waiting_for": "conflict:C1", "due_at": LATER, "reason": "It was edited."}


@pytest.fixture(autouse=True)
def guarded() -> Iterator[None]:
    """Let the flow be one whose records people edit at the platform too."""
    flow = SAP_B1_BASWARE.flow("cost_centers")
    object.__setattr__(flow, "guarded", True)
    yield
    object.__setattr__(flow, "guarded", False)


def decision(office: Any) -> Any:
    chunk, _ = office.ledger("cost_centers").chunk("7")
    return chunk.decision


@pytest.mark.parametrize("key", ["1~C1", "1~c1"])
def test_what_the_erp_has_is_sent(office: Any, key: str) -> None:
    office.chunk("cost_centers", BODY, **HELD)
    done = office.run("resolve", "acme", "cost_centers", key, "--post", "--by", "ada")
    assert "Cost center C1 of acme is queued to be completed with what SAP Business One has" in said(done)
    assert (decision(office).what, decision(office).by) == ("post", "ada")


def test_what_was_edited_is_left(office: Any) -> None:
    office.chunk("cost_centers", BODY, **HELD)
    done = office.run("resolve", "acme", "cost_centers", "1~C1", "--match", "c1", "--by", "ada")
    assert "completed with what Basware has" in said(done)
    assert decision(office).what == "match"


def test_another_code_changes_nothing(office: Any) -> None:
    office.chunk("cost_centers", BODY, **HELD)
    done = office.run("resolve", "acme", "cost_centers", "1~C1", "--match", "C2", code=1)
    assert "Nothing was changed: what waits is C1, and not C2." in said(done)
    assert decision(office) is None


@pytest.mark.parametrize("waits", ["cost_center:C1", "lookup:1~C1", None])
def test_what_waits_for_something_else_is_not_decided_over(office: Any, waits: str | None) -> None:
    office.chunk("cost_centers", BODY, **{**HELD, "waiting_for": waits})
    done = office.run("resolve", "acme", "cost_centers", "1~C1", "--post", code=1)
    assert "does not wait for a decision" in said(done)
