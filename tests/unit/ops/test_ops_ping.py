"""ping: each secret and system, how it is fixed, and what a success sets free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ml_connector import bootstrap
from ml_connector.connection import Check
from ml_connector.engine.access.breaker import Breaker
from ml_connector.engine.access.sessions import Session
from ml_connector.engine.schedule import tenant_rows
from ml_connector.errors import LoginRefused, Transient


def breaker(office: Any, system: str = "sap_b1") -> Breaker:
    version = office.workspace.secrets.read("acme", system).version
    runtime = office.workspace.runtime
    return Breaker(runtime.store, runtime.clock, tenant="acme", system=system, version=version, boot="x", sole=False)


def logs_in(outcome: Any) -> Any:
    """A ping that takes a session, as every vendor's does; the server's answer is `outcome`."""

    def login() -> Session:
        if isinstance(outcome, Exception):
            raise outcome
        return Session("token")

    def answer(context: Any) -> Iterator[Check]:
        context.sessions.get(login)
        yield Check("login", True)

    return answer


def test_every_system_is_tried(office: Any, server: Any) -> None:
    server.answers["basware"] = lambda _w: iter([Check("login", True), Check("webhook", True, "none", warning=True)])
    rows = office.run("ping", "--json")
    assert [(r["system"], r["check"], r["ok"], r["warning"]) for r in rows] == [
        ("basware", "secret", True, False),
        ("basware", "login", True, False),
        ("basware", "webhook", True, True),
        ("sap_b1", "secret", True, False),
        ("sap_b1", "login", True, False),
        ("sap_b1", "accounts", True, False),
    ]
    text = office.run("ping", "acme").stdout
    assert "! webhook: none" in text
    assert "✓ login: user connector" in text


def test_a_failed_check_says_how_to_mend_it(office: Any, server: Any) -> None:
    server.answers["sap_b1"] = lambda _w: iter([Check("login", True), Check("accounts", False, "Grant it.")])
    assert "✗ accounts: Grant it." in office.run("ping", code=1).stdout


def test_an_error_of_the_server_is_a_failed_check(office: Any, server: Any) -> None:
    server.answers["sap_b1"] = logs_in(Transient("The server is away."))
    result = office.run("ping", "acme", "sap_b1", code=1)
    assert "✗ answer: The server is away." in result.stdout
    assert "Traceback" not in result.output


def test_a_field_under_its_earlier_name_is_mentioned_once(office: Any, server: Any) -> None:
    earlier = json.loads(office.workspace.secrets.read("acme", "sap_b1").text) | {"settle_seconds": 60}
    office.write("acme", "sap_b1", earlier)
    shown = office.run("ping", "acme").stdout
    assert "! secret: the field 'settle_seconds' is called 'in_doubt_seconds' now; it is still read, rename it" in shown
    assert shown.count("settle_seconds") == 1


def test_a_secret_that_cannot_be_used_is_the_higher_code_and_the_other_is_tried(office: Any, server: Any) -> None:
    office.write("acme", "basware", {"region": "EU"})
    rows = office.run("ping", "--json", code=2)
    assert [(r["system"], r["check"], r["ok"]) for r in rows[:2]] == [
        ("basware", "secret", False),
        ("sap_b1", "secret", True),
    ]
    assert rows[-1]["system"] == "sap_b1"
    assert "client_id" in rows[0]["detail"]


def test_settings_are_judged_too(office: Any) -> None:
    office.write("acme", "settings", {"schedules": {"vendor": "off"}})
    assert "there is no flow 'vendor'" in office.run("ping", "acme", "settings", code=2).stdout


def test_a_schedule_that_cannot_be_read_is_named_by_its_field(office: Any) -> None:
    office.write("acme", "settings", {"schedules": {"vendors.full": "cron(61 * * * *)"}})
    said = office.run("ping", "acme", "settings", code=2).stdout
    assert "acme/settings: the field 'schedules.vendors.full' cannot be used: The schedule 'cron(61 * * * *)'" in said


def test_a_system_without_an_adapter_is_an_unusable_secret(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "SYSTEMS", tuple(one for one in bootstrap.SYSTEMS if one != "avidxchange"))
    office.write("acme", "avidxchange", {})
    rows = office.run("ping", "acme", "avidxchange", "--json", code=2)
    assert "no adapter for avidxchange" in rows[0]["detail"]


def test_half_of_a_pair_is_tried_alone_with_the_flows_it_would_have(office: Any, server: Any) -> None:
    (office.folder / "acme" / "sap_b1.json").unlink()
    office.run("ping", "acme", "basware")
    assert "invoices" in server.wirings["basware"].flows()


@pytest.mark.parametrize(("gone", "left"), [("sap_b1", "basware"), ("basware", "sap_b1")])
def test_half_of_a_pair_is_a_warning_and_a_whole_one_is_none(office: Any, server: Any, gone: str, left: str) -> None:
    assert not [r for r in office.run("ping", "--json") if r["check"] == "integration"]
    (office.folder / "acme" / f"{gone}.json").unlink()
    (half,) = [r for r in office.run("ping", "acme", "--json") if r["check"] == "integration"]
    assert (half["system"], half["ok"], half["warning"]) == (left, True, True)
    assert gone in half["detail"] and "nothing moves" in half["detail"]


def test_a_refused_login_is_tried_once_and_a_success_opens_the_door(office: Any, server: Any) -> None:
    breaker(office).login_refused("Wrong password.")
    server.answers["sap_b1"] = logs_in(None)
    office.run("ping", "acme", "sap_b1")
    breaker(office).may_log_in()


def test_a_login_that_is_refused_again_stays_closed(office: Any, server: Any) -> None:
    breaker(office).login_refused("Wrong password.")
    server.answers["sap_b1"] = logs_in(LoginRefused("Wrong password still."))
    assert "✗ login: Wrong password still." in office.run("ping", "acme", "sap_b1", code=1).stdout
    with pytest.raises(LoginRefused):
        breaker(office).may_log_in()


def test_a_session_made_by_ping_is_the_pairs_own(office: Any, server: Any) -> None:
    server.answers["sap_b1"] = logs_in(None)
    office.run("ping", "acme", "sap_b1")
    (pair,) = bootstrap.tenants(office.workspace.runtime, office.workspace.secrets, office.workspace.tools)[0].pairs
    assert office.workspace.runtime.store.get(f"session#acme#sap_b1#{pair.scope}", "session") is not None


def test_ping_tells_the_functions_of_the_tenant_at_once(office: Any) -> None:
    office.run("ping")
    assert [row.name for row in tenant_rows.rows(office.workspace.runtime.store)] == ["acme"]


def test_nothing_to_ping_is_wrong_use(office: Any, tmp_path: Any) -> None:
    assert "no tenant 'nobody'" in office.run("ping", "nobody", code=2).stderr
    assert "There is no acme/avidxchange" in office.run("ping", "acme", "avidxchange", code=2).stderr


def test_nothing_but_the_checks_is_printed(office: Any) -> None:
    from tests.unit.ops.conftest import SAP_B1

    office.row("invoices", "k1", outcome="delivered", target="1", code="1")
    office.run("ping")
    office.write("acme", "sap_b1", SAP_B1 | {"service_layer_url": "https://other.example.com/b1s/v2"})
    result = office.run("ping")
    assert result.stderr == ""
    assert "1 document is known under the earlier endpoint" in result.stdout
