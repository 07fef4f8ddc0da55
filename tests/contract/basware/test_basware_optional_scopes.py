"""A right that only notices or subscriptions need: without it everything else moves, and its lack is told."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.state import open_state
from infra.ops import pinging
from infra.sandbox.basware import World
from infra.sandbox.basware.exported import export
from infra.sandbox.basware.scopes import SCOPES
from ml_connector import bootstrap
from ml_connector.errors import LoginRefused, Misconfigured, Rejected
from ml_connector.systems.basware import connect

NOTICES = "exportedPurchaseOrders.read"
SUBSCRIBING = frozenset({"subscriptions.read", "subscriptions.write"})
HOOK = {"webhook_url": "https://hooks.example.com/webhooks/basware/acme", "webhook_secret": "secret-1"}
FLOWS = ("vendors", "purchase_orders", "invoices", "order_notices")


@pytest.fixture
def hooked(make: Any) -> Any:
    def made(lacking: frozenset[str] = frozenset(), **settings: Any) -> Any:
        bench = make(World(granted=SCOPES - lacking), **(HOOK | settings))
        bench.context.__dict__["flows"] = lambda: FLOWS
        return bench

    return made


def logins(bench: Any) -> int:
    return int(bench.world.calls["POST /v1/tokens"])


@pytest.mark.parametrize("lacking", [{NOTICES}, SUBSCRIBING, {NOTICES, *SUBSCRIBING}])
def test_a_right_that_no_flow_needs_stops_none(hooked: Any, lacking: set[str]) -> None:
    bench = hooked(frozenset(lacking))
    assert bench.connection.client.get("/v1/vendors", {"pageSize": "1"}) is None
    asked = logins(bench)
    assert bench.connection.client.get("/v1/requestStatus", {"pageSize": "1"}) is None
    assert logins(bench) == asked <= 4


def test_without_the_right_to_read_orders_the_subscription_is_made_all_the_same(hooked: Any) -> None:
    bench = hooked(frozenset({NOTICES}))
    assert [line.partition(":")[0] for line in bench.connection.subscribe()] == [
        "AccountingDocuments/WaitingForTransfer"
    ]
    assert logins(bench) == 2


def test_the_lack_is_told_in_the_log_and_known_to_whoever_takes_over_the_session(
    hooked: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bench = hooked(frozenset({NOTICES}))
    with caplog.at_level(logging.WARNING, "ml_connector"):
        bench.connection.client.auth.ready()
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"notices of exported orders need the scope {NOTICES}, which this client does not have" in said
    asked = logins(bench)
    other = connect(bench.settings, bench.context)
    with pytest.raises(Rejected, match=f"notices of exported orders need the scope {NOTICES}"):
        other.exported_orders().fetch("EX-1")
    assert logins(bench) == asked
    assert not bench.world.calls["GET /v1/exportedPurchaseOrders/<code>"]


def test_a_right_that_is_granted_later_is_found_with_the_next_token(hooked: Any) -> None:
    bench = hooked(frozenset({NOTICES}))
    bench.world.companies = {"1000"}
    bench.connection.client.auth.ready()
    bench.world.granted = SCOPES
    export(
        bench.world,
        {
            "externalCode": "EX-1",
            "orderNumber": "P-1",
            "requisitionNumber": "R",
            "companyCode": "1000",
            "purchaseCurrency": "EUR",
            "orderLines": [],
        },
    )
    with pytest.raises(Rejected):
        bench.connection.exported_orders().fetch("EX-1")
    bench.later(3600)
    assert bench.connection.exported_orders().fetch("EX-1").number == "P-1"


def test_a_right_that_is_taken_away_is_noticed_when_an_order_is_refused(hooked: Any) -> None:
    bench = hooked()
    bench.connection.client.auth.ready()
    bench.world.granted = SCOPES - {NOTICES}
    for grant in bench.world.tokens.values():
        grant.__dict__["scopes"] = grant.scopes - {NOTICES}
    with pytest.raises(Rejected, match="which this client does not have"):
        bench.connection.exported_orders().fetch("EX-1")
    assert bench.world.calls["GET /v1/exportedPurchaseOrders/<code>"] == 2
    with pytest.raises(Rejected, match="which this client does not have"):
        bench.connection.exported_orders().fetch("EX-2")
    assert bench.world.calls["GET /v1/exportedPurchaseOrders/<code>"] == 2


def test_without_the_right_to_subscribe_nothing_is_asked_for_again_and_again(hooked: Any) -> None:
    bench = hooked(SUBSCRIBING)
    for _ in range(3):
        with pytest.raises(Misconfigured, match=r"subscriptions need the scopes? subscriptions\.read"):
            bench.connection.subscribe()
    assert logins(bench) == 3  # all, without the right of notices, without those of subscriptions
    assert not bench.world.calls["GET /v1/subscriptions"]


def test_a_right_that_a_flow_needs_is_still_an_error(hooked: Any) -> None:
    bench = hooked(frozenset({"vendors.read"}))
    with pytest.raises(LoginRefused, match="refused the scopes"):
        bench.connection.client.get("/v1/vendors")
    asked = logins(bench)
    with pytest.raises(LoginRefused):
        bench.connection.client.get("/v1/vendors")
    assert logins(bench) == asked <= 4


def test_wrong_credentials_are_tried_once_though_rights_could_be_left_out(hooked: Any) -> None:
    bench = hooked(frozenset({NOTICES}), client_secret="wrong-secret")
    for _ in range(3):
        with pytest.raises(LoginRefused):
            bench.connection.client.get("/v1/vendors")
    assert logins(bench) == 1


@pytest.mark.parametrize("lacking", [{NOTICES}, SUBSCRIBING])
def test_ping_warns_of_what_a_run_does_without(hooked: Any, lacking: set[str]) -> None:
    bench = hooked(frozenset(lacking))
    found = {check.what: check for check in bench.connection.ping()}
    assert [check for check in found.values() if not check.ok] == []
    for scope in lacking:
        check = found[f"right {scope}"]
        assert check.warning
        assert f"the scope {scope}, which this client does not have" in check.detail
    assert found["vendors"].ok
    assert NOTICES in found["login"].detail or NOTICES in lacking


def test_scopes_that_the_secret_names_are_left_out_in_the_same_way(hooked: Any) -> None:
    bench = hooked(frozenset({NOTICES}), scopes=["vendors.read", "requestStatus.read", NOTICES])
    assert bench.connection.client.get("/v1/vendors", {"pageSize": "1"}) is None
    assert logins(bench) == 2


def test_ping_leaves_the_telling_to_its_checks(hooked: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench = hooked(frozenset({NOTICES}))
    with caplog.at_level(logging.WARNING, "ml_connector"):
        list(bench.connection.ping())
    assert caplog.records == []


def test_ping_asks_for_what_a_run_asks_for(tmp_path: Path) -> None:
    basware = {
        "region": "EU",
        "client_id": "c",
        "client_secret": "s",
        "companies": ["1000"],
        "source_system": "S",
        "base_url": "http://basware.test",
        **HOOK,
    }
    sage = {"api_url": "http://sage.test/Sage300WebApi/v1.0/-", "company": "SAMLTD", "user": "U", "password": "p"}
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "basware.json").write_text(json.dumps(basware))
    (tmp_path / "acme" / "sage_300.json").write_text(json.dumps(sage))
    state = open_state(tmp_path)
    whole = bootstrap.tenants(state.runtime, state.secrets, state.tools(), "acme")[0]
    desk: Any = SimpleNamespace(runtime=state.runtime, secrets=state.secrets, tools=state.tools())
    pinged: Any = pinging._connection(desk, whole, "acme", "basware")[1]
    run: Any = whole.pairs[0].connection("basware")
    assert NOTICES in run.client.scopes()
    assert pinged.client.scopes() == run.client.scopes()
