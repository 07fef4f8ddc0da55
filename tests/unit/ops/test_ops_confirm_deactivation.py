"""`confirm-deactivation`, and what the settings may say about start dates and full comparisons."""

from __future__ import annotations

from typing import Any

WHY = "40 of 300 vendors are missing in SAP Business One."


def test_what_waits_for_approval_is_let_go(office: Any) -> None:
    office.chunk(
        "vendors",
        {"retired": ["V1", "V2"]},
        op="retire",
        state="waiting",
        guarded=WHY,
        count=2,
        waiting_for="approval:vendors",
        reason=WHY,
        due_at="2099-01-01",
    )
    assert office.run("held", "--json")[0]["keys"] == ["V1", "V2"]
    said = office.run("confirm-deactivation", "acme", "vendors", "--yes", "--by", "Ann")
    assert "2 vendors of acme are deactivated in Basware" in said.stdout
    chunk = office.ledger("vendors").chunk("7")[0]
    assert chunk.guarded is None
    assert chunk.due_at < "2099"
    assert "Confirmed by Ann" in chunk.notes[0]


def test_nothing_to_approve_is_said(office: Any) -> None:
    assert "Nothing of acme" in office.run("confirm-deactivation", "acme", "vendors", "--yes", code=1).stderr


def test_a_start_date_for_master_data_is_refused_with_what_it_can_be_given_for(office: Any) -> None:
    office.write("acme", "settings", {"start_dates": {"vendors": "2026-01-01"}})
    problem = office.run("tenants", "--json", code=0)[0]["problem"]
    assert "'vendors'" in problem
    assert "purchase_orders" in problem


def test_start_dates_of_documents_and_orders_are_taken(office: Any) -> None:
    dates = {"purchase_orders": "2026-01-01", "sap_b1-basware/invoices": "2026-02-01"}
    office.write("acme", "settings", {"start_dates": dates, "schedules": {"vendors.full": "cron(0 2 * * ? *)"}})
    assert office.run("tenants", "--json")[0]["problem"] is None
