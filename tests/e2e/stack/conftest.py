"""The vendors that the deployed template talks to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.stack_run import LocalStack
from infra.sandbox import basware, sap_b1
from infra.sandbox.fixtures import COMPANY, PASSWORD, USER, Fixtures, seeded_systems
from infra.sandbox.server import serving

INVOICES, ORDERS, SUPPLIERS = 32, 40, 80


@dataclass
class Company:
    """A company's ERP and its Basware, served; the secrets of a tenant for them."""

    world: Fixtures
    erp_url: str
    ap_url: str

    def suppliers(self) -> int:
        """Count the ERP's suppliers."""
        return sum(row["CardType"] == "cSupplier" for row in self.world.erp.rows("BusinessPartners"))

    def put_secrets(self, local: LocalStack, tenant: str, *, password: str = PASSWORD, **fields: Any) -> None:
        """Onboard a tenant; `fields` are those of both secrets."""
        local.put_secret(
            tenant,
            "sap_b1",
            json.dumps(
                {
                    "service_layer_url": f"{self.erp_url}/b1s/v2",
                    "company_db": COMPANY,
                    "user_name": USER,
                    "password": password,
                    "timezone": "Europe/Berlin",
                    "in_doubt_seconds": 5,
                    **fields,
                }
            ),
        )
        local.put_secret(
            tenant,
            "basware",
            json.dumps(
                {
                    "region": "EU",
                    "client_id": "sandbox-client",
                    "client_secret": "sandbox-secret",
                    "companies": ["1000"],
                    "source_system": "SAPB1",
                    "base_url": self.ap_url,
                    **fields,
                }
            ),
        )


@pytest.fixture
def company() -> Iterator[Company]:
    """A customer's company, with fewer records of each kind: the emulator takes its time for every chunk."""
    world = seeded_systems()
    for key in list(world.ap.documents)[INVOICES:]:
        del world.ap.documents[key], world.fates[key]
    drawn = {int(n) for d in world.ap.documents.values() for n in d.record.get("orderNumbers") or []}
    orders = world.erp.tables["PurchaseOrders"]
    for key in [key for key, order in orders.items() if order["DocNum"] not in drawn][ORDERS:]:
        del orders[key]
    needed = {d.record["supplierCode"] for d in world.ap.documents.values()}
    needed |= {order["CardCode"] for order in orders.values()}
    partners = world.erp.tables["BusinessPartners"]
    spare = [key for key, row in partners.items() if row["CardType"] == "cSupplier" and key not in needed]
    for key in spare[max(SUPPLIERS - len(needed & partners.keys()), 0) :]:
        del partners[key]
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(sap_b1.create_app(world.erp)))
        ap_url = stack.enter_context(serving(basware.create_app(world.ap)))
        yield Company(world, erp_url, ap_url)
