"""One company for one tenant: hands out sources and the target of invoices, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.errors import Misconfigured, Transient
from ml_connector.records import Account, CostCenter, Invoice, PurchaseOrder, Record, Supplier, SupplierEnrichment
from ml_connector.systems.http import Http
from ml_connector.systems.kit.connection import checked, dispensable, first_of, own_currency, server, tried, zone
from ml_connector.systems.kit.credentials import Basic
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.in_address import AddressRedactor
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.odata_tables import ODataTables
from ml_connector.systems.kit.orders import OrderSource
from ml_connector.systems.kit.sections import LedgerSection, center_of
from ml_connector.systems.kit.tables import Query, Reader
from ml_connector.systems.kit.xml import Content
from ml_connector.systems.syspro import masters, orders
from ml_connector.systems.syspro.client import Client, Enet
from ml_connector.systems.syspro.faults import VENDOR
from ml_connector.systems.syspro.invoices import Invoices
from ml_connector.systems.syspro.login import SESSION, OperatorLogin
from ml_connector.systems.syspro.settings import Settings
from ml_connector.systems.syspro.suppliers import SupplierMaintenance

NOBODY = "ML-PING-NOBODY"
"""A supplier and a ledger code that no company has: what names it must be refused."""
DAY = "2026-01-01"
INVOICE = {"Supplier": NOBODY, "TransactionCode": "I", "Invoice": NOBODY, "TransactionValue": "1", "InvoiceDate": DAY}
ENTRY = {"LedgerCode": NOBODY, "EntryAmount": "1"}
PROOFS: Mapping[str, tuple[str, Mapping[str, Content]]] = {
    "APSTIN": ("", {"Item": INVOICE}),
    "GENTJL": ("", {"Item": {"JournalType": "N", "PostJournal": "N", "JournalDetails": [ENTRY]}}),
    "APSSSP": ("Update", {"Item": {"Key": {"Supplier": NOBODY}, "SupplierName": NOBODY}}),
}
"""Business objects, how each is called where it is set up, and a document that it must refuse."""
NOTES = {
    "ap_invoice": "no documentation says for certain how a credit note that names no posted invoice is taken "
    "(ReestablishInvoice), nor which AP period is the current one: try both in a test company first",
    "gl_journal": "a journal creates no payable: these invoices cannot be paid from SYSPRO's accounts payable",
}
"""What `ping` says of the way in which invoices are posted."""
READS = (
    ("suppliers", masters.SUPPLIERS),
    ("purchase orders", orders.ORDERS),
    ("order lines", orders.LINES),
    ("goods received notes", orders.NOTES),
    ("receipt history", orders.HISTORY),
)


class Connection:
    """The connection. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        self.settings, self.context = settings, context
        self._redactor = AddressRedactor(settings.secret_values(), SESSION)
        self._http = self._server(settings.enet_url, 1)
        self._scheme = OperatorLogin(self._http, settings, self._redactor, context.sessions.seat.may_log_on)
        self._http.auth = self._login = SharedLogin(context.sessions, self._scheme)
        enet = Enet(self._http, self._login, settings.operator)
        reader: Reader = self._odata() if settings.read_via == "odata" else enet
        self.client = Client(enet, reader, context.clock, settings.company_id)
        self._ledger = masters.Ledger(self.client, settings)

    def _server(self, url: str, connections: int) -> Http:
        limited = self.settings.model_copy(update={"max_concurrency": connections})
        return server(
            limited, self.context, vendor=VENDOR, base_url=url, connections=1, redactor=lambda _: self._redactor
        )

    def _odata(self) -> ODataTables:
        settings = self.settings
        self._data = self._server(settings.odata_url or "", max((settings.max_concurrency or 2) - 1, 1))
        basic = Basic(
            self._data,
            *settings.odata_pair(),
            proof=f"/{settings.company_id}/ApSupplier?$top=1&$select=Supplier",
            field="value",
            setting="'odata_url'",
            hint="They are the operator's OData credentials; the service learns of an operator who was enabled for "
            "OData when it is started again.",
        )
        self._data.auth = self._basic = SharedLogin(self.context.sessions.beside("odata"), basic)
        return ODataTables(self._data, settings.company_id, _unreadable)

    def source(self, record: type[Record]) -> Source:
        """Hand out a source; raises `KeyError` for a record that this system does not give."""
        makers: dict[type[Record], Callable[[], Source]] = {
            Supplier: lambda: masters.suppliers(self.client, bank_details=self.context.options.send_bank_details),
            Account: self._ledger.accounts,
            CostCenter: self._centers,
            PurchaseOrder: lambda: OrderSource(self._orders()),
        }
        return makers[record]()

    def target(self, record: type[Record]) -> Target:
        """Hand out the target of invoices, or supplier maintenance; raises `KeyError` for any other record."""
        if record is SupplierEnrichment:
            return SupplierMaintenance(self.client)
        if record is not Invoice:
            raise KeyError(record)
        return InvoiceTarget(Invoices(self.client, self.settings, self.context), self.settings, self.context)

    def _orders(self) -> orders.Orders:
        start = self.context.options.start(self.context.integration, "purchase_orders")
        return orders.Orders(self.client, self._center_of, start)

    def _centers(self) -> masters.Centers:
        return masters.cost_centers(self.client, self.settings, self._ledger)

    def _center_of(self, code: str) -> str | None:
        where = self.settings.cost_centers
        return center_of(code, where.section) if isinstance(where, LedgerSection) else None

    def close(self) -> None:
        """Close the connections. The session stays for the others; it is ended when it is idle (`log_off`)."""
        self._http.close()
        if self.settings.read_via == "odata":
            self._data.close()

    def log_off(self) -> None:
        """End the e.net session, which takes a licence, where there is one."""
        self._login.give_back(self._scheme.log_off)

    # ── ping ────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Iterator[Check]:
        """Prove both logins anew, read of each kind, and have each business object refuse something; writes nothing."""
        return checked(self._log_in, self._checks)

    def _log_in(self) -> str:
        said = f"operator {self.settings.operator}, company {self.settings.company_id}"
        if self.settings.read_via == "odata":
            self._basic.prove()
            said = f"OData user {self.settings.odata_user}; {said}"
        self._alone = self._login.prove_for_all()
        return said

    def _checks(self) -> Iterator[Check]:
        try:
            yield self._described()
            yield from self._reads()
            yield from map(self._proof, PROOFS)
            yield Check("invoices", True, NOTES[self.settings.post_as], warning=True)
            yield zone(self.settings, "Europe/London")
        finally:
            if self._alone:
                self.log_off()

    def _described(self) -> Check:
        told: dict[str, str] = {}

        def found() -> str:
            told.update(self.client.profile())
            return f"accounting date {told.get('accountingdate')}, local currency {told.get('localcurrencycode')}"

        return own_currency(tried("company", found), told.get("localcurrencycode", ""), self.context.tenant)

    def _reads(self) -> Iterator[Check]:
        for what, asked in READS:
            yield tried(what, partial(self.client.example, asked))
        addresses = partial(self.client.example, Query(masters.ADDRESSES.table, (), ("Supplier",)))
        yield dispensable(tried("supplier addresses", addresses), "left out")
        yield tried("accounts", partial(first_of, self._ledger.accounts(), "there is none; check 'ledger_company'"))
        if self.settings.cost_centers is not None:
            yield tried("cost centers", partial(first_of, self._centers(), "there is none; check 'cost_centers'"))

    def _proof(self, name: str) -> Check:
        """Have a business object refuse a document: one that is not licensed says so instead."""
        action, document = PROOFS[name]

        def found() -> str:
            parameters: dict[str, Content] = {"IgnoreWarnings": "N", "ValidateOnly": "Y"}
            call = partial(self.client.setup, action) if action else self.client.post
            if not isinstance(call(name, parameters, document, dry=True), Fault):
                raise Transient(f"it took a document for {NOBODY}, which it should refuse; nothing was written")
            return "licensed, and may be called"

        check = tried(name, found)
        invoices = "APSTIN" if self.settings.post_as == "ap_invoice" else "GENTJL"
        used = {invoices: "invoices", "APSSSP": "supplier_enrichment"}.get(name) in self.context.flows()
        return check if used else dispensable(check, "not used")


def _unreadable(table: str, said: str) -> Misconfigured:
    return Misconfigured(
        f"{VENDOR} does not let {table} be read by OData: {said}. Check 'odata_url', the company in the secret, and "
        "whether this operator may read the table."
    )


connect = Connection
"""Joins the company that a secret describes; nothing is sent yet."""
