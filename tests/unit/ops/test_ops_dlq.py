"""dlq: dead rows by cause, one canary first, and what stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

OLD, NEW = "2026-01-10T08:00:00.000000+00:00", "2026-01-11T08:00:00.000000+00:00"


@pytest.fixture
def dead(office: Any) -> Any:
    """Three dead invoices of two causes, and one that is only held."""
    died = {"state": "failed", "due_at": None, "attempts": 30, "failures": 30, "crashes": 2, "death": 1}
    office.chunk("invoices", key="k2", cause="exhausted", amount="20.02", currency="EUR", step="unknown", **died)
    office.chunk("invoices", key="k1", cause="exhausted", amount="10.01", currency="EUR", created=OLD, **died)
    office.chunk("invoices", key="k3", cause="crashed", number="INV-3", reason="The worker died.", **died)
    office.chunk("invoices", key="k4", state="waiting", waiting_for="account:1")
    return office


def states(office: Any) -> dict[str, str]:
    return {c.id: c.state for c in office.ledger("invoices").unfinished()}


def test_list_groups_by_cause(dead: Any) -> None:
    crashed, exhausted = dead.run("dlq", "list", "--json")
    assert exhausted == {
        "cause": "exhausted",
        "chunks": 2,
        "records": 2,
        "amounts": {"EUR": "30.03"},
        "oldest": OLD,
        "tenants": ["acme"],
    }
    assert (crashed["chunks"], crashed["amounts"]) == (1, {})
    assert "30.03 EUR" in dead.run("dlq", "list").stdout


def test_list_says_when_nothing_is_dead(office: Any) -> None:
    assert office.run("dlq", "list").stdout == "No failed records.\n"
    assert office.run("dlq", "list", "--json") == []


def test_show_lists_one_cause_the_oldest_first(dead: Any) -> None:
    assert [r["key"] for r in dead.run("dlq", "show", "exhausted", "--json")] == ["k1", "k2"]
    text = dead.run("dlq", "show", "crashed").stdout
    assert "INV-3" in text
    assert "The worker died." in text
    assert "the causes are: crashed, exhausted" in dead.run("dlq", "show", "rust", code=2).stderr


def test_a_canary_opens_the_oldest_alone(dead: Any) -> None:
    said = dead.run("dlq", "redrive", "--cause", "exhausted", "--canary", "--by", "ada").stdout
    assert "1 record is retried now (invoice k1 (" in said
    command = f"ml-connector dlq redrive --cause exhausted --secrets {dead.folder}"
    assert f"redrive the other 1: `{command}`" in said
    assert states(dead) == {"k1": "waiting", "k2": "failed", "k3": "failed", "k4": "waiting"}


def test_an_opened_row_keeps_its_step_and_death_and_is_due_now(dead: Any) -> None:
    said = dead.run("dlq", "redrive", "--cause", "exhausted", "--by", "ada", "--json")
    assert sorted(r["key"] for r in said["reopened"]) == ["k1", "k2"]
    chunk, _ = dead.ledger("invoices").chunk("k2")
    assert (chunk.state, chunk.step, chunk.death, chunk.cause) == ("waiting", "unknown", 1, None)
    assert (chunk.attempts, chunk.failures, chunk.crashes) == (0, 0, 0)
    assert NEW < chunk.due_at <= dead.now
    assert "Redriven by ada" in chunk.notes[0]
    assert dead.workspace.runtime.store.get(dead.ledger("invoices").pk, "c#k2").due_pk is not None


def test_redrive_without_a_cause_opens_all(dead: Any) -> None:
    assert "3 records are retried now." in dead.run("dlq", "redrive", "--yes").stdout
    assert "failed" not in states(dead).values()
    assert "no failed records" in dead.run("dlq", "redrive").stdout


def test_redrive_of_an_unknown_cause_opens_nothing(dead: Any) -> None:
    dead.run("dlq", "redrive", "--cause", "rust", code=2)
    assert list(states(dead).values()).count("failed") == 3
