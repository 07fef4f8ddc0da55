"""ping of Basware: each right that the active flows need is tried or asked for, and a missing one is named."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from infra.sandbox.basware import World
from infra.sandbox.basware.model import Fault
from infra.sandbox.basware.scopes import SCOPES
from infra.sandbox.basware.seed import seeded_world
from ml_connector.connection import Check
from ml_connector.systems.basware.companies import Companies


def checks(bench: Any) -> dict[str, Check]:
    found = list(bench.connection.ping())
    assert len({check.what for check in found}) == len(found)
    return {check.what: check for check in found}


def failed(found: dict[str, Check]) -> dict[str, str]:
    return {what: check.detail for what, check in found.items() if not check.ok}


def test_nothing_is_written(bench: Any) -> None:
    assert failed(checks(bench)) == {}
    assert {(one.method, one.path) for one in bench.world.log if one.method != "GET"} == {("POST", "/v1/tokens")}


def test_what_may_be_written_is_told_from_the_token(bench: Any) -> None:
    assert checks(bench)["rights"].detail == (
        "all that the active flows need, by the token; may write accountingDocuments, accounts, costCenters, "
        "matchingOrderLines, matchingOrders, vendors"
    )


@pytest.mark.parametrize(
    ("scope", "flows"),
    [
        ("costCenters.write", "cost_centers needs it"),
        ("accountingDocuments.write", "invoices and payments need it"),
        ("requestStatus.read", "every flow needs it"),
    ],
)
def test_a_right_that_basware_does_not_grant_is_named_with_the_flows_that_need_it(
    make: Any, scope: str, flows: str
) -> None:
    found = failed(checks(make(World(granted=SCOPES - {scope}))))
    assert set(found) == {"login", f"right {scope}"}
    assert found[f"right {scope}"] == f"{flows}, and Basware does not grant it to this client; let Basware grant it"


def test_a_client_without_any_right_is_told_once(make: Any) -> None:
    assert set(failed(checks(make(World(granted=frozenset()))))) == {"login"}


def test_a_right_that_the_secret_does_not_ask_for_is_named(make: Any) -> None:
    asked = [
        "vendors.read",
        "vendors.write",
        "accountingDocuments.read",
        "accountingDocuments.write",
        "requestStatus.read",
        "costCenters.read",
        "costCenters.write",
        "matchingOrders.read",
        "matchingOrders.write",
        "matchingOrderLines.read",
        "matchingOrderLines.write",
        "accounts.read",
    ]
    found = checks(make(World(), scopes=asked))
    assert failed(found) == {
        "right accounts.write": "accounts needs it, and 'scopes' of the secret does not name it; add it, or take "
        "'scopes' out"
    }
    assert found["accounts"].ok  # reading is tried all the same
    assert "rights" not in found


def test_a_token_that_carries_less_than_was_asked_for_is_seen_through(make: Any) -> None:
    bench = make(World())
    inner = bench.connection.client.http._sender._transport

    class Stingy(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer: httpx.Response = inner.handle_request(request)
            if request.url.path != "/v1/tokens":
                return answer
            body = json.loads(answer.content)
            scopes = [scope for scope in body["scope"].split() if scope != "vendors.read"]
            return httpx.Response(200, json=body | {"scope": " ".join(scopes)})

    bench.connection.client.http._sender._transport = Stingy()
    found = checks(bench)
    assert list(failed(found)) == ["right vendors.read"]
    assert "vendors" not in found


@pytest.mark.parametrize("api", ["accounts", "costCenters", "matchingOrders", "matchingOrderLines"])
def test_a_read_that_is_refused_names_the_right(make: Any, api: str) -> None:
    world = World()
    world.faults.append(Fault(kind="status", status=403, path=f"/v1/{api}", method="GET", times=99))
    found = failed(checks(make(world)))
    assert list(found) == [api]
    assert f"{api}.read" in found[api]


def test_only_what_the_active_flows_need_is_tried(make: Any) -> None:
    bench = make(
        World(granted=frozenset({"accountingDocuments.read", "accountingDocuments.write", "requestStatus.read"}))
    )
    bench.context.__dict__["flows"] = lambda: ("invoices",)
    assert list(checks(bench)) == [
        "region",
        "login",
        "rights",
        "accountingDocuments",
        "requestStatus",
        "companies",
        "webhook",
    ]


def test_lists_of_dimensions_and_orders_of_basware_are_tried_where_they_are_used(make: Any) -> None:
    bench = make(World(), dimension_lists={"PRJ": "ACC_LIST_1"}, webhook_secret="secret-1")
    bench.context.__dict__["flows"] = lambda: ("cost_centers", "order_notices")
    found = checks(bench)
    assert failed(found) == {}
    assert {"lists ACC_LIST_1", "exportedPurchaseOrders"} <= set(found)


def test_without_the_right_to_subscribe_everything_moves_if_later(make: Any) -> None:
    settings = {"webhook_url": "https://h.example.com/x", "webhook_secret": "secret-1"}
    lacking = {scope for scope in SCOPES if scope.startswith("subscriptions.")}
    found = checks(make(World(granted=SCOPES - lacking), **settings, scopes=sorted(SCOPES - lacking)))
    assert failed(found) == {}
    assert found["right subscriptions.read"].warning and found["webhook"].warning


def test_a_company_that_basware_does_not_list_is_named_with_the_nearest(make: Any) -> None:
    bench = make(World(companies={"1000", "9990", "X1"}), companies=["9999", "1000"])
    found = checks(bench)["companies"]
    assert not found.ok
    assert "company 9999 of 'companies' is not known to Basware" in found.detail
    assert "Basware lists 1000, 9990, X1. Did you mean 9990?" in found.detail
    bench.world.companies = {"1000", "9999"}
    assert checks(bench)["companies"].detail == "9999, 1000 known to Basware"


@pytest.mark.parametrize("granted", [SCOPES, SCOPES - {"companies.read"}])
def test_where_basware_lists_none_its_own_documents_tell(seeded: Any, granted: Any, make: Any) -> None:
    seeded.world.companies_posted, seeded.world.granted = False, granted
    assert checks(seeded)["companies"].detail == "1000 known to Basware"
    world = seeded_world(clock=seeded.clock.now)
    world.companies_posted, world.granted = False, granted
    found = checks(make(world, companies=["1001"]))["companies"]
    assert (found.ok, found.warning) == (True, True)
    assert "company 1001" in found.detail
    assert "Did you mean 1000?" in found.detail


def test_what_we_posted_ourselves_under_a_wrong_code_is_no_proof_of_it(make: Any) -> None:
    bench = make(World(companies_posted=False), companies=["9999"])
    record = {
        "externalCode": "1",
        "costCenterCode": "1",
        "costCenterNames": [],
        "companies": [{"companyCode": "9999", "active": True}],
    }
    bench.connection.client.post("/v1/costCenters", [record], safe=True)
    found = checks(bench)["companies"]
    assert "nothing it holds shows whether it knows 9999" in found.detail


def test_where_nothing_shows_it_ping_says_so(make: Any) -> None:
    found = checks(make(World(companies_posted=False)))["companies"]
    assert (found.ok, found.warning) == (True, False)
    assert "the first import does" in found.detail


def test_a_wrong_code_that_a_single_document_names_is_asked_about(seeded: Any, make: Any) -> None:
    """The seeded account has one document of a company that its import does not know."""
    world = seeded_world(clock=seeded.clock.now)
    found = checks(make(world, companies=["9999"]))["companies"]
    assert not found.ok
    assert "company 9999" in found.detail
    assert "Basware lists 1000" in found.detail
    seeded.world.companies_posted = False
    companies = Companies(("9999",))
    companies.note("accountingDocuments", [*({"companyCode": "1000"} for _ in range(30)), {"companyCode": "9999"}])
    asked = companies.check(seeded.connection.client)
    assert (asked.ok, asked.warning) == (True, True)
    assert "1 are of 9999, and 30 of 1000: is 'companies' in the secret right?" in asked.detail
