"""ping: its session is its own and does not stay, and the secret's fields are tried where they point."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.records import CostCenter


def checks(bench: Any) -> dict[str, Any]:
    return {check.what: check for check in bench.connection.ping()}


def test_ping_tries_the_password_and_leaves_the_workers_session_alone(bench: Any) -> None:
    bench.all(CostCenter)
    (shared,) = bench.world.sessions.open
    checks(bench)
    assert bench.world.logins == 2 and list(bench.world.sessions.open) == [shared]
    bench.all(CostCenter)
    assert bench.world.logins == 2


def test_a_ping_that_is_broken_off_logs_out_too(bench: Any) -> None:
    asked = bench.connection.ping()
    next(asked)
    assert next(asked).what == "suppliers" and bench.world.sessions.open
    asked.close()
    assert not bench.world.sessions.open


def test_a_logout_that_fails_spoils_no_ping(bench: Any) -> None:
    bench.world.faults.add("500", "Logout", times=9)
    assert all(check.ok for check in checks(bench).values())


@pytest.mark.parametrize("there", [(), ("PurchaseInvoices",)])
def test_the_user_field_is_looked_for(make: Any, there: tuple[str, ...]) -> None:
    bench = make(external_id_field="U_ExtId")
    for entity in there:
        bench.world.user_fields[entity] = ["U_ExtId"]
    check = checks(bench)["external_id_field"]
    assert check.ok is bool(there)
    assert "U_ExtId" in check.detail and (check.ok or "restart the Service Layer" in check.detail)


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("400050", None),
        ("nowhere", "no account with the Code nowhere"),
        ("4000", "is a title account"),
        ("157600", "is locked for manual postings"),
    ],
)
def test_the_rounding_account_must_take_postings(make: Any, account: str, words: str | None) -> None:
    check = checks(make(rounding_account=account))["rounding_account"]
    assert check.ok is (words is None)
    assert words is None or words in check.detail


def test_a_frozen_rounding_account_is_told(make: Any) -> None:
    bench = make(rounding_account="400050")
    bench.world.upsert("ChartOfAccounts", {"Code": "400050", "FrozenFor": "tYES"})
    assert "is frozen" in checks(bench)["rounding_account"].detail


def test_what_the_secret_does_not_name_is_not_tried(bench: Any) -> None:
    assert not {"external_id_field", "rounding_account"} & set(checks(bench))
