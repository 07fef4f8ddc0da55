"""The secret of a company, and how its faults are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.context import TenantSettings
from ml_connector.errors import Misconfigured
from ml_connector.settings_epoch import settings_epoch
from ml_connector.systems.sap_b1 import Settings
from ml_connector.systems.settings import parse

GOOD = {
    "service_layer_url": "https://sl.example:50000/b1s/v2",
    "company_db": "SBO",
    "user_name": "manager",
    "password": "geheim-1",
}


def read(**changed: Any) -> Settings:
    return parse(Settings, json.dumps(GOOD | changed), "acme/sap_b1", insecure=False)


@pytest.mark.parametrize(
    "url", ["https://h:50000", "https://h:50000/b1s/v3", "https://h/B1S/v1", "https://h/b1s/v2/Login"]
)
def test_the_address_must_be_that_of_a_version(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"must end in /b1s/v1 or /b1s/v2"):
        read(service_layer_url=url)


def test_a_prefix_and_a_trailing_slash_are_fine() -> None:
    settings = read(service_layer_url="https://h/ServiceLayer/b1s/v1/")
    assert (settings.version(), settings.urls()) == ("v1", ["https://h/ServiceLayer/b1s/v1"])


def test_a_move_to_the_other_version_stays_the_same_company_with_a_session_of_its_own() -> None:
    one, other = read(), read(service_layer_url="https://SL.example:50000/b1s/v1")
    assert one.identity() == other.identity()
    assert one.credentials_version() != other.credentials_version()
    assert read(company_db="TEST").identity() != one.identity()


@pytest.mark.parametrize(
    ("field", "value"),
    [("external_id_field", "ExtId"), ("tax_code_field", "Vat"), ("branch_id", "x"), ("pasword", "x")],
)
def test_a_wrong_field_is_named(field: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=field) as error:
        read(**{field: value})
    assert "geheim-1" not in str(error.value)


def test_what_concerns_documents_alone_sends_no_supplier_again() -> None:
    """The epoch is a part of each record's fingerprint; documents have none."""

    def shape(**changes: str) -> str:
        return settings_epoch(TenantSettings(), {"sap_b1": Settings.model_validate(GOOD | changes)})

    assert shape(external_id_field="U_ExtId") == shape(rounding_account="_SYS01") == shape(password="q") == shape()
    assert shape(company_db="D") != shape()
