"""The stand of a Basware whose invoices are found by Data Access."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from infra.sandbox.basware import World
from infra.sandbox.basware.data_extracts import extract
from ml_connector.records import Record
from tests.contract.conformance.stands.basware import DOCUMENTS, BaswareStand

PLACES = ("/v1/dataExtracts", "/_documents/", DOCUMENTS)


class ExtractsStand(BaswareStand):
    as_made = True
    secret: ClassVar[dict[str, Any]] = {**BaswareStand.secret, "invoice_source": "data_access"}

    def make_world(self) -> World:
        """Name every invoice that waits in one extract, which waits as long as nobody writes its pages down."""
        world = super().make_world()
        self.world = world
        extract(world, sorted(self.keys(Record)))
        return world

    def asks(self, record: type[Record], request: httpx.Request) -> bool:
        return request.method == "GET" and request.url.path.startswith(PLACES)


STAND = ExtractsStand
