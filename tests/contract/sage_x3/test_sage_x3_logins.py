"""The three logins and the gateway, against the simulated X3, and what `ping` finds before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from infra.sandbox.sage_x3 import seeded_world
from infra.sandbox.sage_x3.seed import APP_ID, APP_SECRET, CLIENT_ID, CLIENT_SECRET, FOLDER, USER
from ml_connector.connection import Check
from ml_connector.context import TenantSettings
from ml_connector.engine.access.calls import on_day
from ml_connector.errors import LoginRefused, Throttled, Transient
from ml_connector.records import Account, Supplier
from ml_connector.systems.sage_x3.connection import Connection
from tests.contract.conformance.wire import acted, breaks
from tests.contract.sage_x3.conftest import START, Bench

FLOWS = ("suppliers", "accounts", "dimensions", "purchase_orders", "invoices")
GATE = "https://api.eu-sagex3.com/v1"
JOURNAL = {"entry_type": "PIINV", "journal": "ACH", "site": "FR011", "payable_account": "401100"}
SIGNED = {
    "type": "connected_app",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "user": USER,
    "audience": "https://x3.example/xtrem/api",
}
Make = Callable[..., Bench]


@pytest.fixture
def bench() -> Iterable[Make]:
    """Make a bench whose flows are on; `paired` logs in at the regional gateway."""
    made: list[Bench] = []

    def maker(*, paired: bool = False, flows: tuple[str, ...] = FLOWS, **settings: Any) -> Bench:
        world = seeded_world(1, clock=lambda: START)
        if paired:
            auth = {"type": "oauth2", "token_url": f"{GATE}/token", "client_id": APP_ID, "client_secret": APP_SECRET}
            settings = {"url": GATE, "auth": auth | {"refresh_token": world.logins.paired[APP_ID].refresh}} | settings
        one = Bench(world, (), settings)
        one.wire.host = httpx.URL(one.settings.url).host
        one.context = replace(one.context, flows=lambda: flows)
        one.again()
        made.append(one)
        return one

    yield maker
    for one in made:
        assert one.world.violations == []
        one.connection.close()


def checks(bench: Bench) -> dict[str, Check]:
    return {check.what: check for check in bench.connection.ping()}


def failed(bench: Bench) -> dict[str, str]:
    return {check.what: check.detail for check in bench.connection.ping() if not check.ok}


# ── a gateway ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("spelling", ["snake", "camel"])
def test_a_gateway_is_read_by_graphql_and_each_refresh_token_is_used_once(bench: Make, spelling: str) -> None:
    gate = bench(paired=True)
    gate.world.logins.spelling = spelling
    first = gate.settings.auth.refresh_token
    issued = gate.world.logins.issued
    for _ in range(3):
        assert gate.read(Supplier)
        gate.clock.sleep(241)
        gate.again()
    assert gate.world.logins.issued == issued + 3 and not gate.world.logins.refused
    assert first is not None and gate.world.logins.paired[APP_ID].refresh != first.get_secret_value()
    assert {seen.url.path for seen in gate.wire.seen} == {"/v1/token", f"/v1/service/{FOLDER}/api"}


def test_a_lost_answer_to_a_refresh_is_said_and_the_next_refusal_is_final(bench: Make) -> None:
    gate = bench(paired=True)
    gate.wire.spoil(acted(breaks(httpx.ReadError)), lambda request: request.url.path == "/v1/token")
    with pytest.raises(Transient, match="repeat the pairing"):
        gate.read(Supplier)
    for _ in range(2):
        with pytest.raises(LoginRefused, match="Repeat the pairing"):
            gate.again().read(Supplier)
    assert len([seen for seen in gate.wire.seen if seen.url.path == "/v1/token"]) == 2


def test_a_daily_quota_that_is_used_up_is_waited_for_and_calls_are_counted(bench: Make) -> None:
    gate = bench(paired=True)
    gate.world.logins.daily_quota = 3
    with pytest.raises(Throttled):
        gate.read(Supplier)
    gate.connection.close()
    assert on_day(gate.context.sessions._store, "acme", "sage_x3", gate.clock.now()) == len(gate.wire.seen) >= 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda paired: paired.folders.clear(), "grants no folder 'SEED', only none"),
        (lambda paired: paired.scopes.remove("api.graphQL"), "lacks the scope api.graphQL"),
    ],
)
def test_ping_finds_what_a_pairing_does_not_grant(bench: Make, change: Callable[[Any], None], said: str) -> None:
    gate = bench(paired=True, flows=())
    change(gate.world.logins.paired[APP_ID])
    assert said in failed(gate)["gateway"]


def test_ping_tells_until_when_the_refresh_token_is_good(bench: Make) -> None:
    gate = bench(paired=True, flows=())
    assert "good until 2026-03-12" in checks(gate)["refresh token"].detail
    gate.context = replace(gate.context, options=TenantSettings(alert_days_before_refresh_token_end=29))
    gate.clock.moment += timedelta(days=2)
    assert not checks(gate.again())["refresh token"].warning, "the login has just renewed it"


# ── a connected application ─────────────────────────────────────────────────────────────────────────────────────


def test_a_connected_application_reads_graphql_for_hours(bench: Make) -> None:
    app = bench(auth=SIGNED, api="graphql")
    for _ in range(4):
        assert app.read(Account)
        app.clock.sleep(3600)
    assert not app.world.logins.refused


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"client_secret": "another"}, "50"),
        ({"audience": "https://x3.example/xtrem/api/"}, "45"),
        ({"audience": "https://X3.example/xtrem/api"}, "45"),
        ({"user": "nobody"}, "42"),
        ({"client_id": "nobody"}, "41"),
        ({"validity_seconds": 601}, "50"),
    ],
)
def test_what_is_wrong_with_its_token_is_said_by_the_number(bench: Make, wrong: dict[str, Any], number: str) -> None:
    app = bench(auth=SIGNED | wrong, api="graphql")
    with pytest.raises(LoginRefused, match=f"Error {number}"):
        app.read(Account)
    with pytest.raises(LoginRefused):
        app.read(Account)
    assert app.world.logins.refused.total() == 1


def test_a_server_whose_clock_is_behind_takes_the_token(bench: Make) -> None:
    app = bench(auth=SIGNED, api="graphql")
    app.world.clock = lambda: app.clock.now() - timedelta(seconds=25)
    assert app.read(Account)


# ── ping ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("api", ["api1", "graphql"])
def test_ping_of_a_folder_that_is_set_up_is_all_well(bench: Make, api: str) -> None:
    folder = bench(
        api=api,
        chart="FRA",
        journal=JOURNAL,
        classes={"journal": {"class": "GACCENTRY", "representation": "ZGACCENTRY"}},
    )
    folder.world.operations = {"x3Finance.journalEntry"}
    assert failed(folder) == {}
    told = checks(folder)
    assert "changes are found by UPDDATTIM" in told["suppliers"].detail
    assert told["time zone"].detail == "Europe/Paris"


def test_a_representation_that_is_missing_is_one_sentence(bench: Make) -> None:
    folder = bench(classes={"purchase_order": {"class": "PORDER", "representation": "ZNONE"}}, journal=JOURNAL)
    said = failed(folder)["purchase orders"]
    assert "Check 'classes.purchase_order.class' and 'classes.purchase_order.representation'" in said


def test_what_no_flow_reads_is_no_failure(bench: Make) -> None:
    folder = bench(flows=("suppliers",), classes={"receipt": {"representation": "ZNONE"}})
    told = checks(folder)
    assert failed(folder) == {} and told["receipts"].warning and "not used" in told["receipts"].detail


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"journal": JOURNAL}, "lets no journal entry be created by GACCENTRY"),
        ({"journal": JOURNAL, "write_via": "graphql"}, "has no operation to create a"),
        ({}, "the field 'journal' is missing"),
    ],
)
def test_a_way_of_writing_that_does_not_work_is_found_before_the_first_invoice(
    bench: Make, settings: dict[str, Any], said: str
) -> None:
    folder = bench(**settings)
    why = failed(folder)
    assert len(why) == 1 and said in next(iter(why.values()))
    assert not [seen for seen in folder.wire.seen if seen.method in {"POST", "PUT"} and "/api1/" in seen.url.path]


def test_ping_tries_the_import_without_a_record(bench: Make) -> None:
    soap = {"url": "https://x3.example", "pool_alias": "WSPOOL", "templates": {"journal": "GACCENTRY"}}
    folder = bench(journal=JOURNAL, write_via="soap", soap=soap)
    before = len(folder.world.rows("GACCENTRY"))
    assert failed(folder) == {} and len(folder.world.rows("GACCENTRY")) == before
    folder.world.children = 0
    assert "runs no web service" in failed(folder)["invoices"]


def test_two_charts_without_chart_are_named(bench: Make) -> None:
    from infra.sandbox.sage_x3 import back_office

    folder = bench(journal=JOURNAL, classes={"journal": {"representation": "ZGACCENTRY"}})
    back_office.add_chart(folder.world, "USA")
    assert "'chart'" in failed(folder)["chart of accounts"]


@pytest.mark.parametrize("api", ["api1", "graphql"])
def test_a_dimension_type_that_is_nowhere_is_found_before_the_first_run(bench: Make, api: str) -> None:
    folder = bench(flows=("dimensions",), api=api, cost_center_dimension="ZZZ")
    said = "Sage X3 shows no dimension of the type ZZZ: correct 'cost_center_dimension'."
    assert failed(folder) == {"cost centers": said}


@pytest.mark.parametrize("api", ["api1", "graphql"])
def test_names_that_no_entry_shows_are_a_warning(bench: Make, api: str) -> None:
    writable = {"journal": {"representation": "ZGACCENTRY"}}
    right = bench(api=api, journal=JOURNAL, company="FR10", classes=writable)
    assert not checks(right)["names in the secret"].warning
    journal = JOURNAL | {"entry_type": "NOPE", "journal": "ACHX", "site": "FR019"}
    check = checks(bench(api=api, journal=journal, company="XX10", classes=writable))["names in the secret"]
    assert check.ok and check.warning
    assert check.detail == (
        "perhaps wrong: no journal entry shows 'company' XX10, 'journal.site' FR019, 'journal.entry_type' NOPE, "
        "'journal.journal' ACHX: correct that, unless it is new in Sage X3"
    )


def test_a_wrong_endpoint_is_said_with_the_fields_to_check(bench: Make) -> None:
    folder = bench(flows=("accounts",), endpoint="NOPE")
    assert "Check 'folder' and 'endpoint', whose case counts." in failed(folder)["accounts"]


def test_an_unstated_time_zone_is_a_warning(bench: Make) -> None:
    folder = bench(flows=())
    folder.settings = folder.settings.model_validate(
        {"url": "https://x3.example", "folder": FOLDER, "auth": {"type": "basic", "user": USER, "password": "x"}}
    )
    folder.connection = Connection(folder.settings, folder.context)
    assert next(iter(folder.connection.ping())).ok is False, "a login that fails ends it"
