"""One account for one tenant: hands out sources and targets, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.errors import Misconfigured
from ml_connector.records import Account, InvoiceStatus, Payment, Record, Supplier, SupplierInvoice
from ml_connector.systems.avidxchange.client import Client
from ml_connector.systems.avidxchange.faults import VENDOR
from ml_connector.systems.avidxchange.invoice_status import InvoiceStatuses
from ml_connector.systems.avidxchange.payments import Payments
from ml_connector.systems.avidxchange.settings import Settings
from ml_connector.systems.avidxchange.supplier_invoices import SupplierInvoices
from ml_connector.systems.avidxchange.upserts import gl_codes, vendors
from ml_connector.systems.kit.connection import checked, tried

NOBODY = "ml-connector-ping"
"""An invoice that nobody has: that none is found shows that invoices can be looked for."""
LISTS = (
    ("vendors.list", "vendors", "vendor", "read; a vendor that nobody has is not among them"),
    ("codes.list", "GL codes", "code", "read; none of this group is there yet"),
)
NOTES = (
    ("invoices.find", "no look-up of invoices: after a time-out {doubt}"),
    ("invoices.get", "no way to read an invoice: that AvidXchange takes it is the only confirmation, and its status is "
     "seen in closed batches only, where a rejection never shows"),
    ("invoices.update", "no changes of submitted invoices: one that is changed in Sage X3 later waits for a person"),
    ("codes.list", "no list of GL codes: they are checked in Sage X3 and in the mappings only"),
)  # fmt: skip
"""What the flows go without where the profile has no such path."""
PROPOSED = (
    "AvidXchange publishes no reference. The paths of the profile 'proposal' are likely, and stated nowhere: compare "
    "them with your onboarding pack. Customers who exchange files (CSV) with AvidXchange are not served."
)


class Connection:
    """The connection. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        self.settings, self.context = settings, context
        self.client = Client(settings, context)

    def source(self, record: type[Record]) -> Source:
        """Hand out a source; raises `KeyError` for a record that AvidXchange does not give."""
        start = self.context.options.start(self.context.integration, "payments")
        makers: dict[type[Record], Callable[[], Source]] = {
            InvoiceStatus: lambda: InvoiceStatuses(self.client),
            Payment: lambda: Payments(self.client, start),
        }
        return makers[record]()

    def target(self, record: type[Record]) -> Target:
        """Hand out a target; raises `KeyError` for a record that AvidXchange does not take."""
        makers: dict[type[Record], Callable[[], Target]] = {
            Supplier: lambda: vendors(self.client),
            Account: lambda: gl_codes(self.client),
            SupplierInvoice: lambda: SupplierInvoices(self.client),
        }
        return makers[record]()

    def close(self) -> None:
        """Close the connections; the token stays good for the others."""
        self.client.close()

    # ── ping ────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Iterator[Check]:
        """Log in anew and read of each kind; writes nothing. What the agreement lacks is said first."""
        if not self.client.offers("invoices.create"):
            yield tried("invoice submission", self._no_submission)
        yield from checked(self._log_in, self._checks)

    def _no_submission(self) -> str:
        raise Misconfigured(
            f"your {VENDOR} agreement offers no invoice submission ('invoices.create' is null in 'profile.paths'), so "
            "the flow supplier_invoices cannot run. Name the path once AvidXchange has opened it, or turn the flow off"
        )

    def _log_in(self) -> str:
        self.client.login.prove()
        return f"by {self.settings.auth}" + (
            f", company {self.settings.company_id}" if self.settings.company_id else ""
        )

    def _checks(self) -> Iterator[Check]:
        client = self.client
        if client.offers("companies.list"):
            yield tried("company", lambda: f"id {client.company()}")
        filters = {"vendor": {"externalVendorCode": NOBODY}, "code": {"group": client.profile.gl_group}}
        for name, what, kind, empty in LISTS:
            if client.offers(name):  # a list without a filter may be refused
                yield tried(what, partial(self._first, name, empty, client.params(kind, filters[kind])))
        days = dict(client.window(client.today(), client.today()))
        yield tried("payments", lambda: self._first("payments.list", "read; none of today", days))
        if client.offers("invoices.find"):
            yield tried("look-up of invoices", self._look)
        doubt = "it is sent again with the same key" if self.settings.idempotency_header else "it waits for a person"
        for name, said in NOTES:
            if not client.offers(name):
                yield Check(name, True, said.format(doubt=doubt), warning=True)
        yield Check("profile", True, PROPOSED, warning=True)

    def _first(self, name: str, empty: str, params: dict[str, str]) -> str:
        return "read" if next(self.client.pages(name, params), []) else empty

    def _look(self) -> str:
        asked = {"vendorExternalCode": NOBODY, "invoiceNumber": NOBODY}
        if rows := list(self.client.rows("invoices.find", self.client.params("invoice", asked))):
            raise Misconfigured(
                f"asked for an invoice that nobody has, it gave {len(rows)}: its filter does not work. Correct "
                "'profile.fields', which names the parameters"
            )
        return "it works"


connect = Connection
"""Joins the account that a secret describes; nothing is sent yet."""
