"""A field that a secret leaves out means what the tenant's integration says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ml_connector.errors import Misconfigured
from ml_connector.integration_defaults import defaults_of
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.settings import parse

BASWARE = {"region": "EU", "client_id": "c", "client_secret": "s", "companies": ["1000"], "source_system": "X3"}
OWNED = {"requisition_owner_email": "buyer@example.com", "category_code": "6200"}


def read(erp: str, **fields: Any) -> Settings:
    defaults = defaults_of("basware", {erp, "basware", "settings"})
    text = json.dumps({**BASWARE, **fields})
    return parse(Settings, text, "acme/basware", insecure=False, defaults=defaults)


def test_orders_of_sage_x3_become_requisitions_and_those_of_others_matching_orders() -> None:
    assert read("sage_x3", **OWNED).requisitions
    assert read("sage_x3", **OWNED, purchase_order_target=None).requisitions, "null is left out"
    assert not read("sage_x3", purchase_order_target="matching_orders").requisitions
    assert not read("sap_b1").requisitions and not read("sage_300").requisitions and not read("syspro").requisitions
    assert read("syspro", **OWNED, purchase_order_target="purchase_requisitions").requisitions


def test_a_secret_that_is_no_object_is_explained_as_ever() -> None:
    for text in ("[]", "{", "null", '"x"'):
        with pytest.raises(Misconfigured):
            parse(Settings, text, "acme/basware", insecure=False, defaults={"purchase_order_target": "matching_orders"})
