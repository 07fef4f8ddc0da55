"""Every change of a mapping leaves a trail, and a TARGET that the ERP does not have is not mapped by mistake."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.engine.ledger.rows import GONE

LATER = "2999-01-01T00:00:00.000000+00:00"


def history(office: Any, *words: str) -> list[tuple[Any, ...]]:
    listed = office.run("mappings", "list", "acme", *words, "--history", "--json")
    return [(r["kind"], r["code"], r["before"], r["after"], r["by"]) for r in listed]


def read_once(office: Any, flow: str, *keys: str, **fields: Any) -> None:
    """The ERP was read to have these."""
    for key in keys:
        office.row(flow, key, **{"outcome": "delivered", "code": key, **fields})
    ledger = office.ledger(flow)
    cursor, item = ledger.cursor()
    cursor.passes = 1
    ledger.save_cursor(cursor, item)


def test_setting_changing_importing_and_removing_are_all_told_with_who_when_before_and_after(office: Any) -> None:
    office.run("mappings", "set", "acme", "account", "6100", "400000", "--by", "ada")
    office.run("mappings", "set", "acme", "account", "6100", "400001", "--by", "bob")
    office.run("mappings", "set", "acme", "account", "6100", "400001", "--by", "eve")  # changes nothing
    csv = "kind,code,target\naccount,6100,400002\ntax,V1,A1\n"
    office.run("mappings", "import", "acme", "--by", "cy", stdin=csv)
    office.run("mappings", "remove", "acme", "account", "6100", "--by", "dan")
    assert history(office, "account") == [
        ("account", "6100", "400002", None, "dan"),
        ("account", "6100", "400001", "400002", "cy"),
        ("account", "6100", "400000", "400001", "bob"),
        ("account", "6100", None, "400000", "ada"),
    ]
    assert ("tax", "V1", None, "A1", "cy") in history(office)
    (latest, *_) = office.run("mappings", "list", "acme", "account", "--history", "--json")
    assert latest["at"][:10] == office.now[:10]
    assert "bob" in office.run("mappings", "list", "acme", "--history").stdout


def test_what_deliveries_provide_is_in_the_history_as_the_products_own(office: Any) -> None:
    office.row("accounts", "_SYS01", outcome="delivered", code="6100", chunk="7")
    office.done("accounts", id="7", delivered=1)
    (row,) = office.run("mappings", "list", "acme", "--history", "--json")
    assert (row["code"], row["before"], row["after"], row["by"]) == ("6100", None, "_SYS01", "sync")
    assert row["at"].startswith("2026-01-11")


def test_the_audit_of_an_invoice_that_was_set_going_names_the_mapping(office: Any) -> None:
    office.chunk("invoices", key="k1", waiting_for="account:6100", state="waiting", due_at=LATER)
    office.run("mappings", "set", "acme", "account", "6100", "400000", "--by", "ada")
    assert "account 6100 -> 400000 was mapped by ada on" in office.run("audit", "acme", "invoices", "k1").stdout


@pytest.mark.parametrize(
    ("kind", "flow", "known", "wrong"),
    [
        ("account", "accounts", "400001", "400010"),
        ("supplier", "vendors", "V10001", "V1001"),
        ("cost_center", "cost_centers", "CC100", "CC10"),
    ],
)
def test_a_target_that_the_erp_does_not_have_is_refused_with_the_nearest(
    office: Any, kind: str, flow: str, known: str, wrong: str
) -> None:
    read_once(office, flow, known, "ZZZ")
    said = office.run("mappings", "set", "acme", kind, "x", wrong, code=2).stderr
    assert (
        f"SAP Business One has no {kind.replace('_', ' ')} {wrong}, as far as it was read. Did you mean {known}?"
        in said
    )
    assert "--force" in said
    csv = f"kind,code,target\n{kind},x,{wrong}\n{kind},y,{known}\n"
    said = office.run("mappings", "import", "acme", stdin=csv, code=2).stderr
    assert f"{kind} x -> {wrong}: SAP Business One has no" in said
    assert office.run("mappings", "list", "acme", kind, "--history", "--json") == [
        row for row in office.run("mappings", "list", "acme", kind, "--history", "--json") if row["by"] == "sync"
    ]
    office.run("mappings", "set", "acme", kind, "x", wrong, "--force")
    office.run("mappings", "set", "acme", kind, "y", known)
    office.run("mappings", "set", "acme", kind, "z", known.lower())  # the ERP's case is not asked of a person


def test_a_target_that_was_deleted_in_the_erp_is_refused(office: Any) -> None:
    read_once(office, "accounts", "400001", delivered_fp=GONE)
    said = office.run("mappings", "set", "acme", "account", "x", "400001", code=2).stderr
    assert "The account 400001 was deleted in SAP Business One" in said


def test_before_the_erp_was_read_or_with_its_flow_off_nobody_can_tell(office: Any) -> None:
    office.row("accounts", "400001", outcome="delivered", code="400001")
    office.run("mappings", "set", "acme", "account", "x", "999")
    read_once(office, "accounts", "400002")
    office.run("mappings", "set", "acme", "tax", "V1", "anything")
    office.write("acme", "settings", {"schedules": {"accounts": "off"}})
    office.run("mappings", "set", "acme", "account", "y", "999")


def test_a_persons_mapping_wins_over_a_delivered_one(office: Any) -> None:
    read_once(office, "accounts", "400001", "400002")
    office.run("mappings", "set", "acme", "account", "400001", "400002")
    assert office.workspace.pairs("acme")[0].codes().erp("account", "400001") == "400002"
