"""The secret of a SYSPRO company: each field alone, and fields that belong together, each fault by its name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.systems.kit.sections import LedgerSection
from ml_connector.systems.settings import parse
from ml_connector.systems.syspro.settings import Settings

PLAIN: dict[str, Any] = {
    "enet_url": "https://erp.example:31002/SYSPROWCFService/Rest",
    "operator": "MLCONN",
    "operator_password": "operator-secret",
    "company_id": "A",
    "odata_url": "https://erp.example/SYSPRO8Odata/SYSPROOData",
    "odata_user": "mlconn.odata",
    "odata_password": "odata-secret",
}
ENET = {"read_via": "enet"} | {f"odata_{name}": None for name in ("url", "user", "password")}


def read(**fields: Any) -> Settings:
    given = {name: value for name, value in (PLAIN | fields).items() if value is not None}
    return parse(Settings, json.dumps(given), "acme/syspro", insecure=False)


def test_what_is_optional_has_its_default() -> None:
    settings = read()
    assert (settings.read_via, settings.post_as, settings.cost_centers) == ("odata", "ap_invoice", None)
    assert settings.company_password.get_secret_value() == "" and settings.ledger == settings.company() == "A"
    assert read(**ENET).urls() == [PLAIN["enet_url"]]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"odata_url": None}, "'odata_url' is missing"),
        ({"odata_user": None}, "'odata_user' is missing"),
        ({"odata_password": None}, "'odata_password' is missing"),
        ({"post_as": "gl_journal"}, "'payable_account' is missing"),
        (ENET | {"ledger_company": "40"}, "'ledger_company' is another company"),
        ({"enet_url": "https://erp.example/SYSPROWCFService"}, "must end in /SYSPROWCFService/Rest"),
        ({"enet_url": "http://erp.example/SYSPROWCFService/Rest"}, "must be https"),
        ({"operater": "X"}, "'operater' is unknown; did you mean 'operator'"),
        ({"company_id": "A/../B"}, "'company_id' cannot be used"),
        ({"cost_centers": {"from": "ledger_code", "section": 0}}, "section"),
        ({"cost_centers": "Bom CostCentre"}, "cost_centers"),
        ({"read_via": "odbc"}, "'read_via' cannot be used"),
    ],
)
def test_each_fault_is_named(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured, match=r"^acme/syspro: ") as caught:
        read(**wrong)
    assert named in str(caught.value)
    assert "operator-secret" not in str(caught.value) and "odata-secret" not in str(caught.value)


def test_cost_centers_are_a_section_or_a_table() -> None:
    section = read(cost_centers={"from": "ledger_code", "section": 2}).cost_centers
    assert isinstance(section, LedgerSection) and section.section == 2
    assert read(cost_centers="BomCostCentre").cost_centers == "BomCostCentre"


def test_secrets_are_shown_by_nothing_and_known_for_masking() -> None:
    settings = read(company_password="company-secret")
    for secret in ("operator-secret", "company-secret", "odata-secret"):
        assert secret not in repr(settings) and secret in settings.secret_values()
    assert len(settings.secret_values()) == 4, "and the pair as OData's header carries it"


def test_an_operator_belongs_to_one_tenant_whatever_its_spelling() -> None:
    here = read().owns()
    assert here == read(operator="mlconn", enet_url="https://ERP.example:31002/sysprowcfservice/rest").owns()
    assert here.keys().isdisjoint(read(operator="OTHER").owns())


def test_another_company_or_server_is_another_place_and_another_password_is_not() -> None:
    assert read().identity() == read(operator_password="x").identity() != read(company_id="B").identity()
    assert read().credentials_version() != read(operator_password="x").credentials_version()
