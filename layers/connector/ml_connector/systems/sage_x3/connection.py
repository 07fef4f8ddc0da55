"""One folder for one tenant: hands out sources and targets, and answers `ping`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.engine.access.chain import Pairing
from ml_connector.errors import Misconfigured
from ml_connector.records import Account, CostCenter, Invoice, PurchaseOrder, Record, Supplier
from ml_connector.redact import Redactor
from ml_connector.systems.http import TRIES, Http, listed
from ml_connector.systems.kit.connection import checked, dispensable, server, tried, zone
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.orders import OrderSource
from ml_connector.systems.kit.shelf import Shelf
from ml_connector.systems.kit.signed_tokens import claims_of
from ml_connector.systems.sage_x3.api1 import Api1
from ml_connector.systems.sage_x3.entities import (
    ACCOUNT,
    DIMENSION,
    JOURNAL,
    OPEN_ITEM,
    PAYMENT,
    PURCHASE_ORDER,
    RECEIPT,
    SUPPLIER,
    SUPPLIER_INVOICE,
    Entity,
    Reader,
)
from ml_connector.systems.sage_x3.faults import VENDOR
from ml_connector.systems.sage_x3.graphql import Graph
from ml_connector.systems.sage_x3.invoices import Invoices
from ml_connector.systems.sage_x3.login import scheme
from ml_connector.systems.sage_x3.masters import Folder
from ml_connector.systems.sage_x3.orders import Orders
from ml_connector.systems.sage_x3.settings import Settings
from ml_connector.systems.sage_x3.soap import Imports, login

READ = {
    "suppliers": (SUPPLIER,),
    "vendors": (SUPPLIER,),
    "accounts": (ACCOUNT,),
    "dimensions": (DIMENSION,),
    "purchase_orders": (PURCHASE_ORDER, RECEIPT),
    "invoices": (SUPPLIER, ACCOUNT, JOURNAL),
    "supplier_invoices": (SUPPLIER_INVOICE, OPEN_ITEM),
    "payments": (OPEN_ITEM, PAYMENT),
}
"""What each flow reads, by its name."""
ENTITIES = {entity.name: entity for some in READ.values() for entity in some}
WRITTEN = {"invoices": JOURNAL, "payments": PAYMENT}
SCOPE = "api.graphQL"
CONNECTIONS = 3
"""api1 has a small pool of sessions of its own, and SOAP one of processes."""


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

    def source(self, record: type[Record]) -> Source:
        """Hand out a source; raises `KeyError` for a record that this system does not give."""
        makers: dict[type[Record], Callable[[], Source]] = {
            Supplier: lambda: self.folder.suppliers(bank_details=self.context.options.send_bank_details),
            Account: self.folder.accounts,
            CostCenter: lambda: self.folder.dimensions(self.context.dimensions),
            PurchaseOrder: lambda: OrderSource(self._orders()),
        }
        return makers[record]()

    def _orders(self) -> Orders:
        start = self.context.options.start(self.context.integration, "purchase_orders")
        return Orders(self.reader, self.settings, lambda: self.folder.center_type(self.context.dimensions), start)

    def target(self, record: type[Record]) -> Target:
        """Hand out a target; raises `KeyError` for a record that this system does not take."""
        makers: dict[type[Record], Callable[[], Target]] = {Invoice: self._invoices}
        return makers[record]()

    def keep_alive(self) -> None:
        """Refresh the pairing, where that is the login: one that nothing uses would end."""
        if self.settings.auth.refresh_token is not None:
            self.login.ready()

    def _invoices(self) -> Target:
        posted = Invoices(self.reader, self.writer(), self.folder, self._orders(), self.settings, self.context)
        return InvoiceTarget(posted, self.settings, self.context)

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
        if (paired := self.settings.auth.pairing(timedelta(0))) is not None:
            yield self._pairing(paired)
        if self.settings.gateway:
            yield tried("gateway", self._granted)
        used = {entity.name for flow in self.context.flows() for entity in READ.get(flow, ())}
        for name, entity in ENTITIES.items():
            check = tried(f"{entity.title}s", partial(self._example, entity))
            yield check if name in used else dispensable(check, "not used")
        if {"accounts", "invoices"} & {*self.context.flows()}:
            yield tried("chart of accounts", self.folder.chart)
        if "dimensions" in self.context.flows():
            yield tried("cost centers", self._centers)
        yield from self._writes()
        yield zone(self.settings, "Europe/Paris")

    def _pairing(self, paired: Pairing) -> Check:
        """Tell until when the refresh token is good; the login has just renewed it."""
        standing = self.context.sessions.chain.standing(paired)
        warn = timedelta(days=self.context.options.alert_days_before_refresh_token_end)
        why = standing.warning(self.context.clock.now(), warn)
        until = f"good until {standing.ends_at:%Y-%m-%d}; each use renews it" if standing.ends_at else "without an end"
        return Check("refresh token", True, why or until, warning=why is not None)

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

    def _example(self, entity: Entity) -> str:
        """Read one record, and tell by which field changes are found."""
        mine = self.folder.entity(entity)
        first = next(iter(self.reader.pages(mine, (), None)), None)
        if first is None or not first.keys:
            return "none there yet"
        changed = self.reader.changed_field(mine)
        how = f"changes are found by {changed.name}" if changed else "no field shows a change, so all are compared"
        return f"for example {first.keys[0]}; {how}"

    def _centers(self) -> str:
        center = self.folder.center_type(self.context.dimensions)
        return f"dimensions of type {center}" if center else "none there yet"

    def _writes(self) -> Iterator[Check]:
        """Find before any document is sent whether one can be created as configured; nothing is written."""
        for flow, entity in WRITTEN.items():
            if flow in self.context.flows():
                yield tried(f"new {entity.title}s", partial(self._writable, entity))

    def _writable(self, entity: Entity) -> str:
        settings = self.settings
        if getattr(settings, entity.name) is None:
            raise Misconfigured(
                f"the field '{entity.name}' is missing: without it no {entity.title} is created; add it"
            )
        mine, writer = self.folder.entity(entity), self.writer()
        return writer.check(mine) if isinstance(writer, Imports) else f"through {writer.takes(mine)}"


connect = Connection
"""Joins the folder that a secret describes; nothing is sent yet."""
