"""Suppliers, accounts and cost centers, read from the simulated company in both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.errors import LoginRefused, Transient
from ml_connector.records import Account, CostCenter, Supplier


def test_all_suppliers_and_only_suppliers_are_read(bench: Any) -> None:
    read = bench.all(Supplier)
    theirs = {r["CardCode"] for r in bench.world.rows("BusinessPartners") if r["CardType"] == "cSupplier"}
    assert [s.key for s in read] == sorted(theirs)


def test_a_supplier_in_full(bench: Any) -> None:
    bench.world.upsert(
        "BusinessPartners",
        {
            "CardCode": "V10001",
            "Currency": "##",
            "PayTermsGrpCode": 4,
            "VATRegistrationNumber": "DE1",
            "Frozen": "tYES",
        },
    )
    supplier = next(s for s in bench.all(Supplier) if s.key == "V10001")
    assert (supplier.currency, supplier.payment_term, supplier.vat_number, supplier.active) == (None, "4", "DE1", False)
    assert supplier.addresses[0].country == "DE"
    assert supplier.bank_accounts == ()


def test_bank_details_are_read_only_where_the_tenant_sends_them(make: Any) -> None:
    bench = make(options={"send_bank_details": True})
    assert any(s.bank_accounts and s.bank_accounts[0].iban for s in bench.all(Supplier))


def test_only_what_changed_since_the_day_before_is_read(bench: Any) -> None:
    bench.world.upsert("BusinessPartners", {"CardCode": "V10005", "CardName": "Neu"})
    pages = list(bench.connection.source(Supplier).pages("2026-02-10", None))
    assert [s.name for page in pages for s in page.records] == ["Neu"]
    assert pages[-1].stamp == "2026-02-10"


def test_accounts_show_the_number_that_people_know(bench: Any) -> None:
    accounts = {a.key: a for a in bench.all(Account)}
    assert accounts["_SYS00000000117"].code == "400117"
    assert accounts["400001"].code == "400001"
    assert "4000" not in accounts  # a title account


def test_cost_centres_come_with_dimension_and_the_inactive_ones_too(bench: Any) -> None:
    centers = {c.key: c for c in bench.all(CostCenter)}
    assert (centers["PR1"].dimension, centers["CC119"].active, centers["CC101"].active) == (2, False, True)


def test_a_pass_goes_on_where_it_was_broken_off(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_connector.systems.sap_b1.masters.SIZE", 50)
    source = bench.connection.source(Supplier)
    first = next(source.pages(None, None))
    rest = [s.key for page in source.pages(None, first.position) for s in page.records]
    assert [s.key for s in first.records] + rest == [s.key for s in bench.all(Supplier)]


@pytest.mark.parametrize("style", ["drop", "path", "relative"])
def test_every_form_of_next_link_is_followed(bench: Any, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_connector.systems.sap_b1.masters.SIZE", 30)
    bench.world.next_link_style = style
    assert len(bench.all(Supplier)) == 300


def test_rows_that_vanish_while_they_are_read_take_no_others_along(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_connector.systems.sap_b1.masters.SIZE", 50)
    read: list[str] = []
    for page in bench.connection.source(Supplier).pages(None, None):
        read += [s.key for s in page.records]
        if len(read) == 100:
            for gone in read[95:100] + read[3:9]:
                del bench.world.tables["BusinessPartners"][gone]
    assert len(set(read)) == 300


@pytest.mark.parametrize("style", ["401", "-5002"])
def test_a_session_that_the_server_dropped_is_renewed_once(bench: Any, style: str) -> None:
    bench.world.dead_session_style = style
    bench.all(CostCenter)
    bench.world.expire_sessions()
    bench.all(CostCenter)
    assert bench.world.logins == 2


def test_one_session_serves_everything(bench: Any) -> None:
    bench.all(CostCenter)
    bench.all(Account)
    assert bench.world.logins == 1


def test_a_wrong_password_is_tried_once(make: Any) -> None:
    bench = make(password="wrong")
    for _ in range(3):
        with pytest.raises(LoginRefused, match="user 'manager' to company 'SBODEMO'"):
            bench.all(Account)
    assert bench.world.login_failures == 1


@pytest.mark.parametrize("kind", ["200-html", "200-error", "empty-page", "page-loop"])
def test_a_bad_page_is_trouble_and_no_end_of_the_list(bench: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_connector.systems.sap_b1.masters.SIZE", 50)
    bench.world.faults.add(kind, "BusinessPartners.*skip", times=20)
    with pytest.raises(Transient):
        bench.all(Supplier)


@pytest.mark.parametrize("kind", ["500", "502", "503", "401", "drop-before", "truncated", "wrong-host"])
def test_passing_trouble_costs_no_row(bench: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_connector.systems.sap_b1.masters.SIZE", 50)
    bench.world.faults.add(kind, "BusinessPartners.*skip", times=1)
    assert len(bench.all(Supplier)) == 300


def test_ping_tells_what_works(bench: Any) -> None:
    checks = {check.what: check for check in bench.connection.ping()}
    assert all(check.ok for check in checks.values())
    assert "30 idle minutes" in checks["login"].detail
    assert checks["local currency"].detail == "EUR"
    assert not checks["time zone"].warning


def test_ping_warns_of_an_unstated_zone_and_stops_at_a_refused_login(make: Any) -> None:
    bench = make(password="wrong")
    checks = list(bench.connection.ping())
    assert [(c.what, c.ok) for c in checks] == [("login", False)]
