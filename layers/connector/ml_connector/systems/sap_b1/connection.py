"""One company's Service Layer for one tenant: hands out sources and the invoice target, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from ml_connector.flow import Check
from ml_connector.records import Account, CostCenter, Invoice, Payment, PurchaseOrder, Record, Supplier
from ml_connector.systems.kit.connection import checked, server, today
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.orders import OrderSource
from ml_connector.systems.sap_b1 import masters
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.invoices import Invoices
from ml_connector.systems.sap_b1.login import CookieLogin, SessionRedactor, forget_cookies
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.orders import Orders
from ml_connector.systems.sap_b1.payments import Payments
from ml_connector.systems.sap_b1.pinging import Checks
from ml_connector.systems.sap_b1.settings import Settings
from ml_connector.wiring import Wiring

VENDOR = "SAP Business One"
CONNECTIONS = 4


class Company:
    """The connection. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, wiring: Wiring) -> None:
        self._settings, self._wiring = settings, wiring
        self._http = server(
            settings, wiring, vendor=VENDOR, base_url=settings.service_layer_url, connections=CONNECTIONS,
            redactor=SessionRedactor, before=forget_cookies,
        )  # fmt: skip
        self._cookie = CookieLogin(self._http, settings, wiring.clock)
        self._http.auth = self._login = SharedLogin(wiring.sessions, self._cookie)
        self.layer = ServiceLayer(self._http, self._login, settings.version())
        self._lookups = Lookups(self.layer)

    def source(self, record: type[Record]) -> Any:
        """Hand out a source; raises `KeyError` for a record that this system does not give."""
        options = self._wiring.options
        makers: dict[type[Record], Callable[[], Any]] = {
            Supplier: lambda: masters.suppliers(self.layer, self._today, bank_details=options.send_bank_details),
            Account: lambda: masters.accounts(self.layer, self._today),
            CostCenter: lambda: masters.cost_centers(self.layer, self._today),
            PurchaseOrder: lambda: OrderSource(Orders(self.layer, self._lookups, self._settings.tax_code_field)),
            Payment: lambda: Payments(self.layer, self._lookups, options.start(self._wiring.integration, "payments")),
        }
        return makers[record]()

    def target(self, record: type[Record]) -> Any:
        """Hand out the target of invoices; raises `KeyError` for any other record."""
        makers: dict[type[Record], Callable[[], Any]] = {
            Invoice: lambda: InvoiceTarget(
                Invoices(self.layer, self._settings, self._wiring, self._lookups), self._settings, self._wiring
            )
        }
        return makers[record]()

    def ping(self) -> Iterator[Check]:
        """Log in anew, read one record of each kind, try the secret's own fields, log out; a failed login ends it."""
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
        return today(self._settings, self._wiring)

    def _log_in(self) -> str:
        self._login.prove()
        minutes = self._cookie.timeout_minutes
        user = f"user {self._settings.user_name}, company {self._settings.company_db}"
        return f"{user}; the session ends after {minutes} idle minutes" if minutes else user


def connect(settings: Settings, wiring: Wiring) -> Company:
    """Join the company that a secret describes; nothing is sent yet."""
    return Company(settings, wiring)
