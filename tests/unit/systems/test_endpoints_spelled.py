"""Another spelling of an address is the same endpoint; another server, company, region or environment is not."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from ml_connector.systems.settings import parse, server

SECRETS: dict[str, dict[str, Any]] = {
    "sap_b1": {
        "service_layer_url": "https://erp.example.com:50000/b1s/v2",
        "company_db": "ACME",
        "user_name": "u",
        "password": "p",
    },
    "sage_300": {
        "api_url": "https://erp.example.com:50000/Sage300WebApi/v1.0/-",
        "company": "ACME",
        "user": "u",
        "password": "p",
    },
    "basware": {
        "region": "EU",
        "client_id": "c",
        "client_secret": "s",
        "companies": ["1"],
        "source_system": "S",
        "base_url": "https://ap.example.com:50000",
    },
}
URLS = {"sap_b1": "service_layer_url", "sage_300": "api_url", "basware": "base_url"}


def identity(system: str, **changed: Any) -> str:
    model = importlib.import_module(f"ml_connector.systems.{system}").Settings
    text = json.dumps(SECRETS[system] | changed)
    return str(parse(model, text, f"acme/{system}", insecure=True).identity())


@pytest.mark.parametrize("system", sorted(SECRETS))
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("://", "://"),
        (".example.com", ".EXAMPLE.com"),
        ("https://", "HTTPS://"),
        (".example.com:", ".example.com.:"),
    ],
)
def test_another_spelling_is_the_same_endpoint(system: str, before: str, after: str) -> None:
    url = SECRETS[system][URLS[system]].replace(before, after)
    assert identity(system, **{URLS[system]: url}) == identity(system)
    assert identity(system, **{URLS[system]: url + "/"}) == identity(system)


@pytest.mark.parametrize("system", sorted(SECRETS))
@pytest.mark.parametrize(("scheme", "port"), [("https", "443"), ("http", "80")])
def test_a_default_port_is_none(system: str, scheme: str, port: str) -> None:
    url = SECRETS[system][URLS[system]].replace("https", scheme)
    without, with_it = url.replace(":50000", ""), url.replace("50000", port)
    assert identity(system, **{URLS[system]: without}) == identity(system, **{URLS[system]: with_it})


@pytest.mark.parametrize("system", sorted(SECRETS))
@pytest.mark.parametrize(("before", "after"), [("erp.|ap.", "x."), ("50000", "50001")])
def test_another_server_is_another_endpoint(system: str, before: str, after: str) -> None:
    url = SECRETS[system][URLS[system]]
    for one in before.split("|"):
        url = url.replace(f"//{one}", f"//{after}") if "." in one else url.replace(one, after)
    assert identity(system, **{URLS[system]: url}) != identity(system)


def test_another_company_region_or_environment_is_another_endpoint() -> None:
    assert identity("sap_b1", company_db="TEST") != identity("sap_b1")
    assert identity("sage_300", company="TEST") != identity("sage_300")
    assert identity("basware", region="US") != identity("basware")
    assert identity("basware", environment="test") != identity("basware")


def test_percent_signs_capitals_of_a_path_and_names_with_other_letters_say_nothing() -> None:
    assert server("https://h/%41b%2dc/") == server("https://h:443/Ab-c")
    assert server("https://b\u00fccher.example") == server("https://xn--bcher-kva.EXAMPLE")
    assert server("https://[0:0::1]:8443/x") == server("https://[::1]:8443/x")
    assert server("https://h/a%2Fb") == server("https://h/a/b")
    assert server("https://h/a") != server("https://h/b")
