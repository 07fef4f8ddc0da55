"""One company's Web API for one tenant: hands out sources and the invoice target, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx

from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.errors import ConnectorError
from ml_connector.records import Account, CostCenter, Invoice, PurchaseOrder, Record, Supplier
from ml_connector.systems.kit.connection import checked, example, server, tried, zone
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.orders import OrderSource
from ml_connector.systems.kit.shelf import Shelf
from ml_connector.systems.kit.values import text
from ml_connector.systems.sage_300 import accounts, login, masters
from ml_connector.systems.sage_300.accounts import Ledger
from ml_connector.systems.sage_300.client import TRIES, WebApi
from ml_connector.systems.sage_300.documents import BATCHES, POSTED, Documents
from ml_connector.systems.sage_300.faults import Fault, NotOffered
from ml_connector.systems.sage_300.invoices import Invoices
from ml_connector.systems.sage_300.lookups import Calendar, Vendors
from ml_connector.systems.sage_300.orders import Orders
from ml_connector.systems.sage_300.posting import Posting
from ml_connector.systems.sage_300.query import Query
from ml_connector.systems.sage_300.settings import Settings

VENDOR = "Sage 300"
CONNECTIONS = 2
"""The server answers TooManyRequests to what comes side by side, not to what comes often."""
READS = (
    ("vendors", "AP/APVendors", "VendorNumber"),
    ("accounts", "GL/GLAccounts", "UnformattedAccount"),
    ("purchase orders", "PO/POPurchaseOrders", "PurchaseOrderNumber"),
    ("goods receipts", "PO/POGetReceipts", "ReceiptNumber"),
    ("goods returns", "PO/POReturns", "ReturnNumber"),
    ("invoice batches", BATCHES, "BatchNumber"),
    ("posted documents", POSTED, "DocumentNumber"),
    ("fiscal calendar", "CS/CSFiscalCalendars", "FiscalYear"),
)
"""What is read of each kind: name, resource, and the field that is shown."""
DISPENSABLE = frozenset({"PO/POGetReceipts", "PO/POReturns", POSTED, "CS/CSFiscalCalendars"})
"""What an older or smaller installation may lack."""


class Sage300Connection:
    """The connection. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        self._settings, self._context = settings, context
        self._http = server(
            settings,
            context,
            vendor=VENDOR,
            base_url=settings.api_url,
            connections=CONNECTIONS,
            before=self._before,
            tries=TRIES,
        )
        self._http.auth = self._login = SharedLogin(context.sessions, login.Proof(settings).login(self._http))
        self.api = WebApi(
            self._http,
            settings.company_id,
            settings.date_literal,
            context.clock,
            Shelf(context.kept, context.clock, context.tenant, settings.api_url, settings.company_id),
        )
        self._segment = int(settings.cost_center_segment) if settings.cost_center_segment else None
        self._ledger = Ledger(self.api, self._segment)
        self._documents = Documents(self.api, post=settings.post_batches)
        self._posting = Posting(self.api, self._documents, post=settings.post_batches)
        self._calendar, self._vendors = Calendar(self.api), Vendors(self.api)
        self._lost = 0

    def _before(self, request: httpx.Request) -> None:
        """Finish a request: the content type always; no session cookie once after the server lost its session."""
        login.prepare(request)
        if self.api.sessions_lost > self._lost:
            self._lost = self.api.sessions_lost
            request.headers.pop("Cookie", None)

    def source(self, record: type[Record]) -> Source:
        """Hand out a source; raises `KeyError` for a record that this system does not give."""
        makers: dict[type[Record], Callable[[], Source]] = {
            Supplier: lambda: masters.suppliers(self.api),
            Account: lambda: accounts.accounts(self.api, self._segment),
            CostCenter: lambda: accounts.cost_centers(self.api, self._segment),
            PurchaseOrder: lambda: OrderSource(self._orders()),
        }
        return makers[record]()

    def target(self, record: type[Record]) -> Target:
        """Hand out the target of invoices; raises `KeyError` for any other record."""
        makers: dict[type[Record], Callable[[], Target]] = {Invoice: self._invoices}
        return makers[record]()

    def _orders(self) -> Orders:
        return Orders(self.api, self._ledger, self._context.options.start(self._context.integration, "purchase_orders"))

    def _invoices(self) -> InvoiceTarget[Fault]:
        invoices = Invoices(
            self.api,
            self._context,
            ledger=self._ledger,
            orders=self._orders(),
            vendors=self._vendors,
            documents=self._documents,
            posting=self._posting,
            calendar=self._calendar,
        )
        return InvoiceTarget(invoices, self._settings, self._context)

    def ping(self) -> Iterator[Check]:
        """Prove the credentials again and read one record of each kind; a failed login ends it."""
        return checked(self._log_in, self._checks)

    def _checks(self) -> Iterator[Check]:
        yield self._described()
        for what, resource, field in READS:
            yield self._read(what, resource, field)
        if self._segment is not None:
            yield tried("cost centers", self._centers)
        yield zone(self._settings, "America/Vancouver")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _log_in(self) -> str:
        self._login.prove()
        return f"user {self._settings.credentials()[0]}, company {self._settings.company_id}"

    def _read(self, what: str, resource: str, field: str) -> Check:
        try:
            return Check(what, True, self._one(resource, field))
        except NotOffered as error:
            if resource in DISPENSABLE:
                return Check(what, True, f"not offered by this server, so left out: {error}", warning=True)
            return Check(what, False, str(error))
        except ConnectorError as error:
            return Check(what, False, str(error))

    def _described(self) -> Check:
        """Tell of which modules the server says what it has; of the others nothing but documented names is read."""
        modules = dict.fromkeys(resource.partition("/")[0] for _, resource, _ in READS)
        try:
            untold = [module for module in modules if self.api.model(module) is None]
        except ConnectorError as error:
            return Check("metadata", False, str(error))
        if untold:
            said = f"this server does not serve $metadata of {', '.join(untold)}, so their documented names are used"
            return Check("metadata", True, said, warning=True)
        return Check("metadata", True, f"served for {', '.join(modules)}")

    def _one(self, resource: str, field: str) -> str:
        instead = "PO/POReceipts" if resource == "PO/POGetReceipts" else ""
        query: Query[dict[str, Any]] = Query(resource, None, lambda row: str(text(row, field)), top=1, instead=instead)
        return example(next(self.api.pages(query)))

    def _centers(self) -> str:
        found = next(
            (one for page in accounts.cost_centers(self.api, self._segment).pages(None, None) for one in page.records),
            None,
        )
        if found is None:
            raise ConnectorError(
                f"segment {self._segment} has no codes in Sage 300; check 'cost_center_segment', and the segment codes "
                "of the General Ledger"
            )
        return f"for example {found.code}"


def connect(settings: Settings, context: AdapterContext) -> Sage300Connection:
    """Join the company that a secret describes; nothing is sent yet."""
    return Sage300Connection(settings, context)
