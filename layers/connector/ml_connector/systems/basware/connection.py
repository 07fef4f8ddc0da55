"""One tenant's Basware: what it offers, what it takes, and whether it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ml_connector.errors import ConnectorError, LoginRefused, Misconfigured, Rejected
from ml_connector.flow import Check
from ml_connector.records import Account, CostCenter, Invoice, Payment, PurchaseOrder, Record, Supplier
from ml_connector.systems.basware import subscriptions
from ml_connector.systems.basware.chunking import ACCOUNTS, COST_CENTERS, LINES, ORDERS, VENDORS
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.exported_orders import ExportedOrders
from ml_connector.systems.basware.invoices import Invoices
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
from ml_connector.systems.basware.settings import Settings, region_of
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

    def subscribe(self) -> list[str]:
        """Subscribe to the notifications that are missing; names what was done."""
        return subscriptions.ensure(self.client, self.settings)

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
        if self.settings.purchase_order_target == "purchase_requisitions":
            raise Misconfigured("'purchase_order_target' purchase_requisitions is not available; use matching_orders.")
        stages = {
            "orders": Stage(self.client, "/v1/matchingOrders", ORDERS, closed_order),
            "lines": Stage(self.client, "/v1/matchingOrderLines", LINES),
        }
        render = Orders(self.settings, self.wiring).order
        return Masters(stages, render, code=self._code("order"), parents=True)

    def _outward(self) -> Outward:
        return Outward(self.settings, self.wiring)

    def _code(self, kind: str) -> Callable[[str], str]:
        return lambda key: self.wiring.outward(kind, key)

    # ── ping ────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Iterator[Check]:
        """Log in and read one thing of each kind that the tenant's flows use."""
        yield self._place()
        try:
            self.client.auth.prove()
        except ConnectorError as error:
            yield Check("login", False, str(error))
            return
        yield Check("login", True, f"Token granted for: {' '.join(self.client.scopes())}")
        scopes = self.client.scopes()
        for what, path, params in (
            ("vendors", "/v1/vendors", {"pageSize": "1"}),
            ("accountingDocuments", "/v1/accountingDocuments", {"ProcessingStatus": "WaitingForTransfer",
                                                                "pageSize": "1"}),
            ("requestStatus", "/v1/requestStatus", {"pageSize": "1"}),
        ):  # fmt: skip
            if f"{what}.read" in scopes:
                yield self._reads(what, path, params)
        yield self._webhook()

    def _place(self) -> Check:
        base, region = self.settings.base, self.settings.region
        if region_of(base) is None:
            return Check("region", True, f"{base} is the tenant's own host; every call goes there and nowhere else.")
        return Check("region", True, f"{base}, region {region}, {self.settings.environment}")

    def _reads(self, what: str, path: str, params: dict[str, str]) -> Check:
        try:
            found = self.client.get(path, params)
        except LoginRefused as error:
            return Check(what, False, str(error))
        except Rejected as error:
            return Check(what, False, f"{error} Check 'base_url', and that this API is open to the client.")
        except ConnectorError as error:
            return Check(what, False, str(error))
        return Check(what, True, "nothing there" if found is None else "read")

    def _webhook(self) -> Check:
        if not self.settings.webhook_url:
            return Check("webhook", True, "No 'webhook_url': invoices are found by the scheduled poll alone.")
        try:
            gaps = subscriptions.missing(self.client, self.settings)
        except ConnectorError as error:
            return Check("webhook", True, f"The subscriptions cannot be read: {error}", warning=True)
        if gaps:
            later = "The next scheduled poll subscribes, on AWS or under `local serve`."
            return Check("webhook", True, f"{'; '.join(gaps)}. {later}", warning=True)
        return Check("webhook", True, f"Basware notifies {self.settings.webhook_url}")
