"""replay: a document is queued again and is never posted twice; a master record is sent again."""

from __future__ import annotations

from typing import Any

from ml_connector.engine.ledger.rows import Cursor

LATER = "2999-01-01T00:00:00.000000+00:00"


def test_a_settled_document_gets_a_new_chunk(office: Any) -> None:
    office.done("invoices", key="k1", number="INV-1", outcome="delivered", stamp="s1", amount="119.00", currency="EUR")
    office.row("invoices", "k1", outcome="delivered", target="18:77", code="4711")
    said = office.run("replay", "acme", "invoices", "INV-1", "--by", "ada", "--json")
    assert (said["done"], said["key"]) == ("queued", "k1")
    chunk, _ = office.ledger("invoices").chunk("k1")
    assert (chunk.stamp, chunk.amount, chunk.currency, chunk.state) == ("s1", "119.00", "EUR", "open")
    assert chunk.due_at <= office.now
    assert "Replayed by ada" in chunk.notes[0]
    assert office.ledger("invoices").rows(["k1"])["k1"][0].target == "18:77", "what is known of it must stay"


def test_a_dead_document_goes_on_from_its_step(office: Any) -> None:
    office.chunk("invoices", key="k1", state="failed", step="unknown", cause="exhausted", failures=30, death=1)
    assert "looked up first" in " ".join(office.run("replay", "acme", "invoices", "k1").stdout.split())
    chunk, _ = office.ledger("invoices").chunk("k1")
    assert (chunk.state, chunk.step, chunk.failures) == ("waiting", "unknown", 0)


def test_in_a_local_state_it_is_said_who_carries_it_out(office: Any) -> None:
    office.chunk("invoices", key="k1", state="waiting", waiting_for="conflict:k1", due_at=LATER)
    shown = " ".join(office.run("replay", "acme", "invoices", "k1").stdout.split())
    assert "The next `ml-connector local run --secrets" in shown and "or `local serve` while it runs." in shown


def test_a_held_document_is_looked_at_now(office: Any) -> None:
    office.chunk("invoices", key="k1", state="waiting", waiting_for="conflict:k1", due_at=LATER)
    assert office.run("replay", "acme", "invoices", "k1", "--json")["done"] == "retried"
    chunk, _ = office.ledger("invoices").chunk("k1")
    assert (chunk.waiting_for, chunk.due_at <= office.now) == ("conflict:k1", True)


def test_a_swept_document_is_the_persons_to_post(office: Any) -> None:
    office.chunk("invoices", key="k1", state="waiting", waiting_for="lookup:k1", due_at=LATER, swept=True)
    office.run("replay", "acme", "invoices", "k1")
    assert office.ledger("invoices").chunk("k1")[0].swept is False


def test_a_document_that_is_being_worked_on_is_left(office: Any) -> None:
    office.chunk("invoices", key="k1", state="sending", due_at=LATER)
    assert office.run("replay", "acme", "invoices", "k1", "--json")["done"] == "under way"
    assert office.ledger("invoices").chunk("k1")[0].due_at == LATER


def test_a_linked_document_keeps_what_it_refers_to(office: Any) -> None:
    office.done("payments", key="p1", outcome="delivered", refers="18:77")
    office.run("replay", "acme", "payments", "p1")
    assert office.ledger("payments").chunk("p1")[0].refers == "18:77"


def test_a_linked_document_whose_history_is_gone_cannot_be_replayed(office: Any) -> None:
    office.row("payments", "p1", outcome="delivered")
    assert "too old" in office.run("replay", "acme", "payments", "p1", code=1).stderr


def test_a_master_record_is_marked_and_everything_compared(office: Any) -> None:
    office.row("vendors", "V1", outcome="delivered", delivered_fp="1.e.a", code="V1", seq=3)
    ledger = office.ledger("vendors")
    ledger.save_cursor(Cursor(watermark="w", passes=4, full_at=LATER), ledger.cursor()[1])
    assert "with the next run" in office.run("replay", "acme", "vendors", "V1").stdout
    row = ledger.rows(["V1"])["V1"][0]
    assert (row.delivered_fp, row.seen_fp, row.code, row.seq) == (None, None, "V1", 3)
    assert row.touch is not None
    cursor = ledger.cursor()[0]
    assert (cursor.full_at, cursor.watermark, cursor.generation) == (None, "w", 1)


def test_a_master_record_in_a_dead_chunk_opens_the_chunk(office: Any) -> None:
    office.chunk("vendors", {"records": [{"key": "V1"}, {"key": "V2"}]}, id="7", state="failed", cause="crashed")
    assert office.run("replay", "acme", "vendors", "V2", "--json")["done"] == "reopened"


def test_what_was_never_seen_cannot_be_replayed(office: Any) -> None:
    for flow in ("invoices", "vendors"):
        assert "Nothing is known of x" in office.run("replay", "acme", flow, "x", code=1).stderr


def test_a_shadow_tenant_sends_nothing(office: Any) -> None:
    office.write("acme", "settings", {"shadow": True})
    assert "in shadow" in office.run("replay", "acme", "invoices", "k1", code=2).stderr


def test_a_flow_that_is_off_says_so(office: Any) -> None:
    office.row("vendors", "V1", outcome="delivered")
    office.write("acme", "settings", {"schedules": {"vendors": "off"}})
    assert "The flow is off" in office.run("replay", "acme", "vendors", "V1").stdout
