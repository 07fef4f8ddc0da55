"""One company's Service Layer for one tenant: hands out sources and the invoice target, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.records import Account, CostCenter, Invoice, Payment, PurchaseOrder, Record, Supplier
from ml_connector.systems.kit.connection import checked, example, judged, server, today, tried, zone
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.orders import OrderSource
from ml_connector.systems.sap_b1 import masters
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.faults import VENDOR
from ml_connector.systems.sap_b1.invoices import Invoices
from ml_connector.systems.sap_b1.login import CookieLogin, SessionRedactor
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.masters import Today, account_counts
from ml_connector.systems.sap_b1.orders import Orders
from ml_connector.systems.sap_b1.payments import Payments
from ml_connector.systems.sap_b1.query import Query
from ml_connector.systems.sap_b1.rows import (
    NO,
    YES,
    AccountRow,
    CenterRow,
    FoundRow,
    OrderHeadRow,
    PaymentRow,
    PostingRow,
    SupplierHeadRow,
)
from ml_connector.systems.sap_b1.settings import Settings

CONNECTIONS = 4


class SapB1Connection:
    """The connection. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        self._settings, self._context = settings, context
        self._http = server(
            settings,
            context,
            vendor=VENDOR,
            base_url=settings.service_layer_url,
            connections=CONNECTIONS,
            redactor=SessionRedactor,
            keeps_cookies=False,
        )
        self._cookie = CookieLogin(self._http, settings, context.clock)
        self._http.auth = self._login = SharedLogin(context.sessions, self._cookie)
        self.layer = ServiceLayer(self._http, self._login, settings.version())
        self._lookups = Lookups(self.layer)

    def source(self, record: type[Record]) -> Source:
        """Hand out a source; raises `KeyError` for a record that this system does not give."""
        options = self._context.options
        makers: dict[type[Record], Callable[[], Source]] = {
            Supplier: lambda: masters.suppliers(self.layer, self._today, bank_details=options.send_bank_details),
            Account: lambda: masters.accounts(self.layer, self._today),
            CostCenter: lambda: masters.cost_centers(self.layer, self._today),
            PurchaseOrder: lambda: OrderSource(Orders(self.layer, self._lookups, self._settings.tax_code_field)),
            Payment: lambda: Payments(self.layer, self._lookups, options.start(self._context.integration, "payments")),
        }
        return makers[record]()

    def target(self, record: type[Record]) -> Target:
        """Hand out the target of invoices; raises `KeyError` for any other record."""
        makers: dict[type[Record], Callable[[], Target]] = {
            Invoice: lambda: InvoiceTarget(
                Invoices(self.layer, self._settings, self._context, self._lookups), self._settings, self._context
            )
        }
        return makers[record]()

    def ping(self) -> Iterator[Check]:
        """Log in again, read one record of each kind, try the secret's own fields, log out; a failed login ends it."""
        return checked(self._log_in, self._checks)

    def _checks(self) -> Iterator[Check]:
        try:
            yield from Checks(self.layer, self._settings, self._lookups, self._today).all()
        finally:
            self._cookie.log_out()
            self._login.leave()

    def close(self) -> None:
        """Close the connections. The session stays open for the next run: logging in is heavy, and others share it.

        The server ends it by itself when it has been idle (`docs/vendors/sap_b1.md`).
        """
        self._http.close()

    def _today(self) -> date:
        return today(self._settings, self._context)

    def _log_in(self) -> str:
        self._login.prove()
        minutes = self._cookie.timeout_minutes
        user = f"user {self._settings.user_name}, company {self._settings.company_db}"
        return f"{user}; the session ends after {minutes} idle minutes" if minutes else user


def connect(settings: Settings, context: AdapterContext) -> SapB1Connection:
    """Join the company that a secret describes; nothing is sent yet."""
    return SapB1Connection(settings, context)


INVOICE_SETS = ("PurchaseInvoices", "PurchaseCreditNotes")


class Checks:
    """The checks after a login that worked."""

    def __init__(self, layer: ServiceLayer, settings: Settings, lookups: Lookups, today: Today) -> None:
        """Read through the connection's own layer."""
        self._layer, self._settings, self._lookups, self._today = layer, settings, lookups, today

    def all(self) -> Iterator[Check]:
        """Try everything, whatever fails."""
        yield tried("suppliers", lambda: self._one(Query("BusinessPartners", SupplierHeadRow, "CardCode", top=1)))
        yield tried("accounts", lambda: self._one(Query("ChartOfAccounts", AccountRow, "Code", top=1)))
        yield tried("cost centers", lambda: self._one(Query("ProfitCenters", CenterRow, "CenterCode", top=1)))
        yield tried("purchase orders", lambda: self._one(Query("PurchaseOrders", OrderHeadRow, "DocEntry", top=1)))
        for entity in INVOICE_SETS:
            what = "invoices" if entity == INVOICE_SETS[0] else "credit notes"
            query = Query(entity, FoundRow, "DocEntry", top=1)
            yield tried(what, lambda query=query: self._one(query))  # type: ignore[misc]
        drafts = Query("Drafts", FoundRow, "DocEntry", top=1, optional=True)
        yield tried("drafts", lambda: self._one(drafts))
        yield tried("payments", lambda: self._one(Query("VendorPayments", PaymentRow, "DocEntry", top=1)))
        yield tried("local currency", lambda: self._lookups.local_currency() or "not known yet: no document shows it")
        if self._settings.external_id_field:
            yield judged("external_id_field", self._user_field)
        if self._settings.rounding_account:
            yield judged("rounding_account", self._rounding_account)
        yield zone(self._settings, "Europe/Berlin")

    def _one(self, query: Query[Any]) -> str:
        return example(next(self._layer.pages(query)))

    def _user_field(self) -> tuple[bool, str]:
        """Ask for the field in both kinds of document that are written: a server refuses to show what it has not."""
        name = self._settings.external_id_field or ""
        for entity in INVOICE_SETS:
            fault = self._layer.refuses(entity, "DocEntry", name)
            if fault is not None:
                return False, (
                    f"SAP Business One does not show {name} in {entity}: {fault}. Add it as a user field of marketing "
                    "documents (title level, text of at least 36 characters) and restart the Service Layer, or "
                    "correct 'external_id_field'."
                )
        return True, f"{name} is there"

    def _rounding_account(self) -> tuple[bool, str]:
        code = self._settings.rounding_account or ""
        account = self._layer.get("ChartOfAccounts", code, PostingRow)
        if account is None:
            return False, f"There is no account with the Code {code} (the FormatCode will not do); correct it."
        wrong = next((why for why, is_so in _unfit(account, self._today) if is_so), None)
        if wrong is not None:
            return False, f"Account {code} ({account.name}) {wrong}, so nothing can be posted to it; name another."
        return True, f"{code} {account.name or ''}".strip()


def _unfit(account: PostingRow, today: Today) -> Iterator[tuple[str, bool]]:
    yield "is a title account", account.active_account == NO
    yield "is frozen or not valid today", not account_counts(account, today)
    yield "is locked for manual postings", YES in {account.lock_manual_transaction, account.block_manual_posting}
