"""The secret: each way to log in has its fields, and a profile that cannot work is refused by the field's name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems.avidxchange.settings import Settings
from ml_connector.systems.settings import parse
from tests.unit.avidxchange.conftest import SECRET

BASE = {"base_url": "https://api.avid.example"}
LOGIN = {"path": "/v1/authorizations", "user": "anna", "password": "Topsecret-2"}


def read(**fields: Any) -> Settings:
    secret = {name: value for name, value in {**SECRET, **fields}.items() if value is not None}
    return parse(Settings, json.dumps(secret), "acme/avidxchange", insecure=False)


def read_as(auth: str, **fields: Any) -> Settings:
    text = json.dumps({**BASE, "auth": auth, **fields})
    return parse(Settings, text, "acme/avidxchange", insecure=False)


def refused(make: Any) -> str:
    with pytest.raises(Misconfigured) as told:
        make()
    return str(told.value)


def test_the_default_is_the_proposal_with_client_credentials() -> None:
    settings = read()
    assert (settings.auth, settings.idempotency_header) == ("oauth2", "Idempotency-Key")
    assert settings.profile.paths["invoices.create"] == "POST /invoices"


@pytest.mark.parametrize("missing", ["token_url", "client_id", "client_secret"])
def test_client_credentials_demand_their_fields(missing: str) -> None:
    assert f"'{missing}' is missing" in refused(lambda: read(**{missing: None}))


@pytest.mark.parametrize(
    ("auth", "fields", "said"),
    [
        ("token_headers", {}, "'token_headers' is missing"),
        ("login", {}, "'login' is missing"),
        ("token_headers", {"token_headers": {"X-Company": "Topsecret-3"}, "client_id": "c"}, "'client_id' is none"),
        ("token_headers", {"token_headers": {"X-Company": "Topsecret-3"}, "login": LOGIN}, "'login' is none"),
        ("login", {"login": LOGIN, "token_url": "https://x.example/t"}, "'token_url' is none"),
        ("oauth2", {**SECRET, "token_headers": {"X-Company": "Topsecret-3"}}, "'token_headers' is none"),
    ],
)
def test_each_way_to_log_in_refuses_the_others_fields_by_name(auth: str, fields: dict[str, Any], said: str) -> None:
    told = refused(lambda: read_as(auth, **fields))
    assert said in told and "Topsecret" not in told


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("proposl", "no built-in profile"),
        ({"extends": "v9"}, "no built-in profile"),
        (7, "takes the name of a built-in profile"),
        ({"paths": {"invoices.craete": "POST /x"}}, "'paths' has no 'invoices.craete'"),
        ({"paths": {"invoices.get": "GET /invoices/{number}"}}, "variable {number}"),
        ({"paths": {"invoices.get": "GET /invoices"}}, "does not name {id}"),
        ({"paths": {"invoices.create": "GET /invoices"}}, "'profile.paths.invoices.create' begins with GET"),
        ({"paths": {"payments.get": None}}, "'profile.paths.payments.get' is null"),
        ({"paths": {"payments.list": "GET payments"}}, "profile.paths.payments.list"),
        ({"fields": {"invoice.colour": "x"}}, "'fields' has no 'invoice.colour'"),
        ({"fields": {"invoiceNumber": None}}, "'profile.fields.invoice.invoiceNumber' is null"),
        ({"pagin": {}}, "'profile.pagin' is unknown"),
        ({"paging": {"style": "endless"}}, "profile.paging.style"),
        ({"paging": {"names": {"pge": "p"}}}, "'profile.paging.names' has no 'pge'"),
        ({"filters": {"modified_to": None}}, "'profile.filters' has neither"),
        ({"status": {"Fine": "okay"}}, "profile.status.Fine"),
        ({"payment_states": {"Fine": "okay"}}, "profile.payment_states.Fine"),
        ({"company": {"placement": "header"}}, "'profile.company.name' is missing"),
        ({"company": {"placement": "query", "name": "c"}}, "'company_id' is missing"),
        ({"company": {"placement": "path"}}, "none of 'profile.paths' names {company}"),
        ({"credit_notes": "type"}, "'invoice.documentType'"),
        ({"amounts": "float"}, "profile.amounts"),
    ],
)
def test_a_profile_that_cannot_work_is_refused_by_the_fields_name(profile: Any, said: str) -> None:
    assert said in refused(lambda: read(profile=profile))


def test_single_entries_are_laid_over_the_built_in_profile() -> None:
    profile = {
        "paths": {"invoices": {"update": "PUT /invoices/{id}"}, "codes.upsert": None},
        "fields": {"invoiceNumber": "invoiceNo"},
        "payment_states": {"Under Way": "in_flight"},
    }
    made = read(profile=profile).profile
    assert made.paths["invoices.update"] == "PUT /invoices/{id}" and made.paths["invoices.get"] is not None
    assert made.paths["codes.upsert"] is None
    assert {made.fields["invoice.invoiceNumber"], made.fields["remittance.invoiceNumber"]} == {"invoiceNo"}
    assert made.payment_word(" under  WAY ") == "in_flight" and made.payment_word("cleared") == "paid"


def test_the_older_interface_takes_no_invoices_and_no_key() -> None:
    settings = read_as(
        "login", login=LOGIN, token_headers={"Authorization": "Bearer key-12345"}, profile="avidsuite_v1"
    )
    assert settings.profile.paths["invoices.create"] is None and settings.idempotency_header is None
    told = refused(lambda: read_as("login", login=LOGIN, base_url="https://a.example/v1", profile="avidsuite_v1"))
    assert "'base_url' ends in /v1" in told


def test_every_credential_is_masked() -> None:
    settings = read_as("login", login=LOGIN, token_headers={"Authorization": "Bearer key-12345"})
    assert {"Bearer key-12345", "key-12345", "Topsecret-2"} <= set(settings.secret_values())
    assert (
        settings.credentials_version() != read_as("login", login={**LOGIN, "password": "Other"}).credentials_version()
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("Issued to Supplier", "in_flight"), ("VOID - stale", "cancelled"), ("Error", "failed"), ("Reconsidered", None)],
)
def test_states_of_payments(theirs: str, ours: str | None) -> None:
    assert read().profile.payment_word(theirs) == ours
