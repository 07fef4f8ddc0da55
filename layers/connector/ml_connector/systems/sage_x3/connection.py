"""One folder for one tenant: hands out sources and targets, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ml_connector import records
from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.errors import Misconfigured
from ml_connector.redact import Redactor
from ml_connector.systems.http import TRIES, Http, listed
from ml_connector.systems.kit.changes import sampled, unseen, unshown
from ml_connector.systems.kit.connection import checked, dispensable, server, tried, zone
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.logins import refresh_token
from ml_connector.systems.kit.orders import OrderSource
from ml_connector.systems.kit.posted_invoices import PostedInvoices
from ml_connector.systems.kit.shelf import Shelf
from ml_connector.systems.kit.signed_tokens import claims_of
from ml_connector.systems.sage_x3 import entities as x3
from ml_connector.systems.sage_x3.dialects import Api1, Graph
from ml_connector.systems.sage_x3.entities import Reader
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.invoices import Invoices
from ml_connector.systems.sage_x3.login import scheme
from ml_connector.systems.sage_x3.masters import Folder
from ml_connector.systems.sage_x3.orders import Orders
from ml_connector.systems.sage_x3.payments import checks, payments, statuses
from ml_connector.systems.sage_x3.posting import Lookups
from ml_connector.systems.sage_x3.settings import Settings
from ml_connector.systems.sage_x3.soap import Imports, login
from ml_connector.systems.sage_x3.supplier_invoices import invoices

READ = {
    "suppliers": (x3.SUPPLIER,),
    "vendors": (x3.SUPPLIER,),
    "accounts": (x3.ACCOUNT,),
    "dimensions": (x3.DIMENSION,),
    "purchase_orders": (x3.PURCHASE_ORDER, x3.RECEIPT),
    "invoices": (x3.SUPPLIER, x3.ACCOUNT, x3.JOURNAL),
    "supplier_invoices": (x3.SUPPLIER_INVOICE, x3.OPEN_ITEM),
    "payments": (x3.OPEN_ITEM, x3.PAYMENT),
}
"""What each flow reads, by its name."""
ENTITIES = {entity.name: entity for some in READ.values() for entity in some}
SCOPE = "api.graphQL"
CONNECTIONS = 3
"""api1 has a small pool of sessions of its own, and SOAP one of processes."""
NOTE = (
    "an invoice becomes a journal entry with an open item of its supplier, and no purchase invoice: the inquiries of "
    "purchase invoices do not show it"
)


class Connection:
    """The connection. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        self.settings, self.context = settings, context
        self._redactor = Redactor(settings.secret_values())
        self.http = self._server(settings.url)
        self._tokens = self._server(settings.auth.token_server or settings.url, tries=1)
        how = scheme(settings, context, self.http, self._tokens, self._redactor.learn)
        self.http.auth = self.login = SharedLogin(context.sessions, how)
        self.api1 = Api1(self.http, settings.api1_path)
        kept = Shelf[dict[str, int]](context.kept, context.clock, context.tenant, settings.url, settings.endpoint_code)
        self.graph = Graph(
            self.http, settings.graphql_path, settings.graphql_headers, kept.get("graphql", lambda: ({}, True))
        )
        self.reader: Reader = self.graph if settings.api == "graphql" else self.api1
        self.folder = Folder(self.reader, settings)
        self.soap = self._server(settings.soap.address) if settings.soap else None
        if self.soap is not None:
            own = settings.soap.auth if settings.soap else None
            self.soap.auth = SharedLogin(context.sessions.beside("soap"), login(self.soap, own)) if own else self.login

    def _server(self, url: str, tries: int = TRIES) -> Http:
        return server(
            self.settings,
            self.context,
            vendor=VENDOR,
            base_url=url,
            connections=CONNECTIONS,
            redactor=lambda _: self._redactor,
            before=lambda _: self.context.sessions.calls.add(self.context.kept),
            tries=tries,
            keeps_cookies=False,
        )

    def source(self, record: type[records.Record]) -> Source:
        """Hand out a source; raises `KeyError` for a record that this system does not give."""
        makers: dict[type[records.Record], Callable[[], Source]] = {
            records.Supplier: lambda: self.folder.suppliers(bank_details=self.context.options.send_bank_details),
            records.Account: self.folder.accounts,
            records.CostCenter: lambda: self.folder.dimensions(self.context.dimensions),
            records.PurchaseOrder: lambda: OrderSource(self._orders()),
            records.SupplierInvoice: self._posted,
        }
        return makers[record]()

    def _orders(self) -> Orders:
        start = self.context.options.start(self.context.integration, "purchase_orders")
        return Orders(self.reader, self.settings, lambda: self.folder.center_type(self.context.dimensions), start)

    def target(self, record: type[records.Record]) -> Target:
        """Hand out a target; raises `KeyError` for a record that this system does not take."""
        makers: dict[type[records.Record], Callable[[], Target]] = {
            records.Invoice: self._invoices,
            records.Payment: self._payments,
            records.InvoiceStatus: self._statuses,
        }
        return makers[record]()

    def keep_alive(self) -> None:
        """Refresh the pairing, where that is the login: one that nothing uses would end."""
        if self.settings.auth.refresh_token is not None:
            self.login.ready()

    def _invoices(self) -> Target:
        return InvoiceTarget(self._payables(), self.settings, self.context)

    def _payables(self) -> Invoices:
        return Invoices(self.reader, self.writer(), self.folder, self._orders(), self.settings, self.context)

    def _posted(self) -> PostedInvoices:
        start = self.context.options.start(self.context.integration, "supplier_invoices")
        return invoices(self.reader, self.folder, self._lookups(), self.settings, start)

    def _lookups(self) -> Lookups:
        return Lookups(self.reader, self.folder, self._orders())

    def _payments(self) -> Target:
        return payments(self.reader, self.writer(), self.folder, self._posted(), self.settings, self.context)

    def _statuses(self) -> Target:
        return statuses(self.editor(), self.folder, self._posted(), self._lookups(), self.settings)

    def editor(self) -> Graph | Api1:
        """Hand out what records are changed through: an import changes none."""
        graph = self.settings.write_via == "graphql" or self.settings.gateway
        return self.graph if graph else self.api1

    def writer(self) -> Imports | Graph | Api1:
        """Hand out what documents are written through."""
        if self.settings.write_via == "soap" and self.soap is not None and self.settings.soap is not None:
            return Imports(self.soap, self.settings.soap)
        return self.graph if self.settings.write_via == "graphql" else self.api1

    def close(self) -> None:
        """Close the connections; there is no session to end."""
        self.http.close()
        self._tokens.close()
        self.context.sessions.calls.flush()
        if self.soap is not None:
            self.soap.close()

    # ── ping ────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Iterator[Check]:
        """Prove the login anew, and read one record of each kind; writes nothing."""
        return checked(self._log_in, self._checks)

    def _log_in(self) -> str:
        self.login.prove()
        return f"{self.settings.auth.type}, folder {self.settings.folder}, endpoint {self.settings.endpoint_code}"

    def _checks(self) -> Iterator[Check]:
        yield from refresh_token(self.settings.auth, self.context)
        if self.settings.gateway:
            yield tried("gateway", self._granted)
        used = {entity.name for flow in self.context.flows() for entity in READ.get(flow, ())}
        for name, entity in ENTITIES.items():
            title = f"{entity.title}s".replace("entrys", "entries")
            check = tried(title, partial(sampled, self.reader, self.folder.entity(entity)))
            yield check if name in used else dispensable(check, "not used")
        if {"accounts", "invoices"} & {*self.context.flows()}:
            yield tried("chart of accounts", self.folder.chart)
        if "dimensions" in self.context.flows():
            yield tried("cost centers", self._centers)
        if "invoices" in self.context.flows():
            yield tried("invoices", lambda: self._payables().check())
            yield Check("invoice inquiries", True, NOTE, warning=True)
            yield unshown(self.reader, self.folder.entity(x3.JOURNAL), self.settings.shown(), VENDOR)
        yield from checks(self.context.flows(), self.settings, self.folder, self.writer, self.editor)
        yield zone(self.settings, "Europe/Paris")

    def _granted(self) -> str:
        """Read the gateway's own map and the folders of the pairing, and what its token may be used for."""
        usage = self.http.get("").json().get("customerUsage")
        if not isinstance(usage, dict) or "graphQL" not in usage:
            raise Misconfigured(f"{self.settings.url} is no regional gateway's root: correct 'url'.")
        known = self.http.get("/folders").json()
        names = [str(one.get("name")) for one in listed(known.get("folders")) if isinstance(one, dict)]
        if self.settings.folder not in names:
            raise Misconfigured(
                f"The pairing grants no folder '{self.settings.folder}', only {', '.join(names) or 'none'}: correct "
                "'folder', or let an X3 user repeat the pairing and choose it."
            )
        scopes = claims_of(self.login.session().value).get("scopes", "")
        if SCOPE not in (scopes if isinstance(scopes, list) else str(scopes).split()):
            raise Misconfigured(f"The token of the pairing lacks the scope {SCOPE}: repeat the pairing and ask for it.")
        return f"folder {self.settings.folder} is granted, with {SCOPE}"

    def _centers(self) -> str:
        center = self.folder.center_type(self.context.dimensions)
        if unseen(self.reader, self.folder.entity(x3.DIMENSION), "DIE", center):
            raise Misconfigured(f"{VENDOR} shows no dimension of the type {center}: correct 'cost_center_dimension'.")
        return f"dimensions of type {center}" if center else "none there yet"


connect = Connection
"""Joins the folder that a secret describes; nothing is sent yet."""
