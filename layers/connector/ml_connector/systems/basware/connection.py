"""One tenant's Basware: what it offers, what it takes, and whether it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ml_connector.errors import Misconfigured
from ml_connector.flow import Check
from ml_connector.records import Account, CostCenter, Invoice, Payment, PurchaseOrder, Record, Supplier
from ml_connector.systems.basware import subscriptions
from ml_connector.systems.basware.chunking import ACCOUNTS, COST_CENTERS, LINES, ORDERS, VENDORS
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.exported_orders import ExportedOrders
from ml_connector.systems.basware.invoices import Invoices
from ml_connector.systems.basware.leftover_lines import leftover_lines
from ml_connector.systems.basware.masters import (
    Masters,
    Stage,
    closed_order,
    inactive_companies,
    inactive_vendor,
)
from ml_connector.systems.basware.orders import Orders
from ml_connector.systems.basware.outward import Outward, list_stage
from ml_connector.systems.basware.payments import Payments
from ml_connector.systems.basware.pinging import Checks
from ml_connector.systems.basware.settings import Settings
from ml_connector.wiring import Wiring


def connect(settings: Settings, wiring: Wiring) -> BaswareConnection:
    """Make the connection; nothing is called yet."""
    return BaswareConnection(settings, wiring)


class BaswareConnection:
    """The `flow.Connection` of Basware."""

    def __init__(self, settings: Settings, wiring: Wiring) -> None:
        """Share one client among all sources and targets."""
        self.settings, self.wiring = settings, wiring
        self.client = Basware(settings, wiring)

    def source(self, record: type[Record]) -> Any:
        """Hand out the `DocumentSource` of invoices. Raises `Misconfigured` for anything else."""
        if record is not Invoice:
            raise Misconfigured(f"Basware offers no {record.__name__} records.")
        return Invoices(self.client)

    def target(self, record: type[Record]) -> Any:
        """Hand out the target of a record type. Raises `Misconfigured` where Basware takes none."""
        makers: dict[type[Record], Callable[[], Any]] = {
            Supplier: self._suppliers,
            Account: self._accounts,
            CostCenter: self._cost_centers,
            PurchaseOrder: self._orders,
            Payment: lambda: Payments(self.client),
        }
        if record not in makers:
            raise Misconfigured(f"Basware takes no {record.__name__} records.")
        return makers[record]()

    def exported_orders(self) -> ExportedOrders:
        """Hand out the reader of exported purchase orders, for notifications that name one."""
        return ExportedOrders(self.client)

    def subscribe(self, announce: Callable[[], None] = lambda: None) -> list[str]:
        """Subscribe to the notifications that are missing; names what was done. `announce` is called right before."""
        return subscriptions.ensure(self.client, self.settings, announce)

    def close(self) -> None:
        """Close the pool; the token stays good for the others."""
        self.client.close()

    # ── targets ─────────────────────────────────────────────────────────────────────────────────────────────

    def _suppliers(self) -> Masters[Supplier]:
        stages = {"vendors": Stage(self.client, "/v1/vendors", VENDORS, inactive_vendor)}
        return Masters(stages, self._outward().supplier, code=self._code("vendor"))

    def _accounts(self) -> Masters[Account]:
        stages = {"accounts": Stage(self.client, "/v1/accounts", ACCOUNTS, inactive_companies)}
        return Masters(stages, self._outward().account, code=self._code("account"))

    def _cost_centers(self) -> Masters[CostCenter]:
        stages = {"costCenters": Stage(self.client, "/v1/costCenters", COST_CENTERS, inactive_companies)}
        for name in self.settings.dimension_lists.values():
            stages[list_stage(name)] = Stage(self.client, f"/v1/lists/{name}", COST_CENTERS, inactive_companies)
        return Masters(stages, self._outward().cost_center, code=self._code("cost_center"))

    def _orders(self) -> Masters[PurchaseOrder]:
        stages = {
            "orders": Stage(self.client, "/v1/matchingOrders", ORDERS, closed_order),
            "lines": Stage(self.client, "/v1/matchingOrderLines", LINES),
        }
        render = Orders(self.settings, self.wiring).order
        gone = {"lines": partial(leftover_lines, self.client)}
        return Masters(stages, render, code=self._code("order"), parents=True, leftovers=gone)

    def _outward(self) -> Outward:
        return Outward(self.settings, self.wiring)

    def _code(self, kind: str) -> Callable[[str], str]:
        return lambda key: self.wiring.outward(kind, key)

    # ── ping ────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Iterator[Check]:
        """Log in and read one thing of each kind that the tenant's flows use."""
        yield from Checks(self.client, self.settings).all()
