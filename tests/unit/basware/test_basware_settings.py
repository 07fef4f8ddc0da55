from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems.basware import Settings
from ml_connector.systems.settings import parse

LEAST: dict[str, Any] = {
    "region": "EU",
    "client_id": "c",
    "client_secret": "s",
    "companies": ["1000"],
    "source_system": "ERP",
}


def read(**more: Any) -> Settings:
    given = {k: v for k, v in {**LEAST, **more}.items() if v is not None}
    return parse(Settings, json.dumps(given), "acme/basware", insecure=False)


@pytest.mark.parametrize(
    ("region", "environment", "base"),
    [
        ("EU", "production", "https://api.basware.com"),
        ("EU", "test", "https://test-api.basware.com"),
        ("US", "production", "https://api.us.basware.com"),
        ("AU", "test", "https://test-api.au.basware.com"),
        ("CA", "production", "https://api.ca.basware.com"),
    ],
)
def test_region_and_environment_make_the_host(region: str, environment: str, base: str) -> None:
    assert read(region=region, environment=environment).base == base


@pytest.mark.parametrize(
    ("region", "url", "other"),
    [
        ("EU", "https://api.us.basware.com", "US"),
        ("US", "https://api.basware.com", "EU"),
        ("AU", "https://test-api.ca.basware.com", "CA"),
        ("EU", "https://us-api.basware.com", "US"),
        ("CA", "https://TEST-API.BASWARE.COM", "EU"),
    ],
)
def test_a_host_of_another_region_is_refused_and_both_are_named(region: str, url: str, other: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        read(region=region, base_url=url)
    assert f"region {other}" in str(caught.value) and f"says {region}" in str(caught.value)


def test_any_other_host_is_the_tenants_own() -> None:
    assert read(region="US", base_url="https://bw.example.com/v1/").base == "https://bw.example.com"
    assert read(base_url="https://notbasware.com").base == "https://notbasware.com"
    assert read(region="US", base_url="https://test-api.us.basware.com").region == "US"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"companies": []}, "companies"),
        ({"companies": None}, "'companies' is missing"),
        ({"region": "MARS"}, "region"),
        ({"webhook_url": "https://h.example.com"}, "needs 'webhook_secret'"),
        ({"client_secret": ""}, "client_secret"),
        ({"company": "1"}, "unknown; did you mean 'companies'"),
        ({"base_url": "http://bw.example.com"}, "must be https"),
    ],
)
def test_a_wrong_secret_is_explained(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        read(**change)


REQUISITIONS = {"purchase_order_target": "purchase_requisitions", "requisition_owner_email": "b@example.com"}


def test_requisitions_may_do_without_an_owner_and_a_category_as_the_schema_does() -> None:
    with pytest.raises(Misconfigured, match="no e-mail address"):
        read(**REQUISITIONS | {"requisition_owner_email": "Bob"})
    assert read(**REQUISITIONS).requisitions and read(**REQUISITIONS | {"requisition_owner_email": " "}).requisitions
    assert not read().requisitions


def test_the_identity_tells_places_apart_and_not_lists_of_companies() -> None:
    assert read().identity() == read(companies=["1000", "2000"]).identity()
    assert len({read().identity(), read(environment="test").identity(), read(region="US").identity()}) == 3


def test_scopes_may_be_a_text_or_a_list_and_secrets_are_never_shown() -> None:
    assert read(scopes="a.read b.write").scopes == read(scopes=["a.read", "b.write"]).scopes
    shown = repr(read(webhook_secret="w-secret", client_secret="c-secret"))
    assert "w-secret" not in shown and "c-secret" not in shown
