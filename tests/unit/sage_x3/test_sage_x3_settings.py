"""The secret of a Sage X3 folder: each field alone, and what cannot work together, each fault by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems.sage_x3.settings import Settings, is_gateway
from ml_connector.systems.settings import parse

BASIC = {"type": "basic", "user": "MLCONN", "password": "basic-secret"}
PAIRED = {
    "type": "oauth2",
    "token_url": "https://api.eu-sagex3.com/v1/token",
    "client_id": "app",
    "client_secret": "client-secret",
    "refresh_token": "refresh-secret",
}
SIGNED = {
    "type": "connected_app",
    "client_id": "app",
    "client_secret": "client-secret",
    "user": "MLCONN",
    "audience": "https://x3.example:8124/xtrem/api",
}
PLAIN: dict[str, Any] = {"url": "https://x3.example:8124", "folder": "SEED", "auth": BASIC}
GATEWAY: dict[str, Any] = {"url": "https://api.eu-sagex3.com/v1", "auth": PAIRED}
SOAP = {"url": "https://x3.example:8124", "pool_alias": "WSPOOL", "templates": {"journal": "ZGASMLC"}}
SECRETS = ("basic-secret", "client-secret", "refresh-secret", "soap-secret")


def read(**fields: Any) -> Settings:
    given = {name: value for name, value in (PLAIN | fields).items() if value is not None}
    return parse(Settings, json.dumps(given), "acme/sage_x3", insecure=False)


def without(found: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != name}


def test_what_is_optional_has_its_default() -> None:
    settings = read()
    assert (settings.api, settings.write_via, settings.soap, settings.hold_in_x3) == ("api1", "api1", None, False)
    assert settings.endpoint_code == "SEED" and read(endpoint="SEEDREST").endpoint_code == "SEEDREST"
    assert settings.api1_path == "/api1/x3/erp/SEED" and settings.graphql_path == "/xtrem/api"
    assert settings.company() == "SEED" and read(company="FR10").company() == "FR10"
    assert read(auth=SIGNED).auth.validity_seconds == 300


def test_a_gateway_is_recognised_and_has_graphql_only() -> None:
    settings = read(**GATEWAY, endpoint="SEEDREST")
    assert settings.gateway and (settings.api, settings.write_via) == ("graphql", "graphql")
    assert settings.graphql_path == "/service/SEEDREST/api"
    assert not read().gateway
    assert not is_gateway("https://sagex3.com.evil.example/v1") and not is_gateway("https://api.eu-sagex3.com/v2")
    assert is_gateway("https://API.us-SageX3.com/v1/") and is_gateway("https://api.eu-sagex3.com:443/v1")


def test_soap_is_completed_to_the_service_itself() -> None:
    full = "https://x3.example:8124/soap-generic/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC"
    for url in (SOAP["url"], full):
        soap = read(write_via="soap", soap=SOAP | {"url": url}).soap
        assert soap is not None and soap.address == full and soap.language == "ENG"


def test_a_gateways_tenant_may_write_by_soap_with_a_login_of_its_own() -> None:
    login = {"user": "WS", "password": "soap-secret"}
    settings = read(**GATEWAY, write_via="soap", soap=SOAP | {"auth": login})
    assert settings.urls() == [GATEWAY["url"], PAIRED["token_url"], SOAP["url"]]
    assert {"client-secret", "refresh-secret", "soap-secret"} <= set(settings.secret_values())


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"url": "https://x3.example:8124/api1"}, "must end before /api1"),
        ({"url": "https://x3.example:8124/xtrem/api"}, "must end before /xtrem"),
        ({"url": "http://x3.example:8124"}, "must be https"),
        ({"folder": None}, "'folder' is missing"),
        ({"folder": "A/../B"}, "'folder' cannot be used"),
        ({"auth": None}, "'auth' is missing"),
        ({"auth": without(BASIC, "type")}, "'auth.type' is missing"),
        ({"auth": BASIC | {"type": "bearer"}}, "basic, oauth2, connected_app"),
        ({"auth": without(BASIC, "user")}, "'user' is missing"),
        ({"auth": without(BASIC, "password")}, "'password' is missing"),
        ({"auth": BASIC | {"client_id": "app"}}, "'client_id' is none of those"),
        ({"auth": BASIC | {"validity_seconds": 300}}, "'validity_seconds' is none of those"),
        *[
            ({"auth": without(PAIRED, name)}, f"'{name}' is missing")
            for name in ("token_url", "client_id", "client_secret", "refresh_token")
        ],
        ({"auth": PAIRED | {"user": "MLCONN"}}, "'user' is none of those"),
        ({"auth": PAIRED | {"refresh_token_issued_at": "soon"}}, "refresh_token_issued_at"),
        *[
            ({"auth": without(SIGNED, name)}, f"'{name}' is missing")
            for name in ("client_id", "client_secret", "user", "audience")
        ],
        ({"auth": SIGNED | {"refresh_token": "x"}}, "'refresh_token' is none of those"),
        ({"auth": SIGNED | {"validity_seconds": 5}}, "validity_seconds"),
        ({"auth": BASIC | {"pasword": "x"}}, "'auth.pasword' is unknown; did you mean 'password'"),
        ({"api": "sdata"}, "'api' cannot be used"),
        ({"write_via": "soap"}, "'soap' is missing"),
        ({"write_via": "soap", "soap": without(SOAP, "pool_alias")}, "'soap.pool_alias' is missing"),
        ({"soap": SOAP | {"templates": {"invoice": "X"}}}, "'soap.templates.invoice' is unknown"),
        ({"classes": {"invoice": {"class": "PINVOICE"}}}, "classes"),
        ({"classes": {"journal": {"klass": "GACCENTRY"}}}, "'classes.journal.klass' is unknown; did you mean 'class'"),
        ({"journal": {"entry_type": "STDJE", "journal": "ACH"}}, "'journal.payable_account' is missing"),
        ({"payment": {"type": "CHQ"}}, "'payment.bank' is missing"),
        (GATEWAY | {"auth": BASIC}, "'auth.type' is basic"),
        (GATEWAY | {"auth": SIGNED}, "'auth.type' is connected_app"),
        (GATEWAY | {"api": "api1"}, "'api' is api1"),
        (GATEWAY | {"write_via": "api1"}, "'write_via' is api1"),
        (GATEWAY | {"write_via": "soap"}, "'soap' is missing"),
        (GATEWAY | {"write_via": "soap", "soap": SOAP}, "'soap.auth' is missing"),
        (GATEWAY | {"write_via": "soap", "soap": SOAP | {"url": GATEWAY["url"]}}, "'soap.url' is the regional"),
    ],
)
def test_each_fault_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=r"^acme/sage_x3: ") as caught:
        read(**wrong)
    assert named in str(caught.value)
    assert not [secret for secret in SECRETS if secret in str(caught.value)]


def test_two_tenants_cannot_have_the_same_refresh_token() -> None:
    assert read().owns() == {} and read(auth=SIGNED).owns() == {}
    first, again = read(**GATEWAY).owns(), read(**GATEWAY, folder="OTHER").owns()
    assert len(first) == 1 and first == again
    assert read(**GATEWAY | {"auth": PAIRED | {"refresh_token": "another"}}).owns() != first
    assert "refresh-secret" not in str(first)
