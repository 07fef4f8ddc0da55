"""One tenant's Basware: what it offers, what it takes, and whether it works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ml_connector.connection import Check, Source, Target
from ml_connector.context import AdapterContext
from ml_connector.errors import ConnectorError, Misconfigured
from ml_connector.records import Account, CostCenter, Invoice, Payment, PurchaseOrder, Record, Supplier
from ml_connector.systems.basware import extracts, masters, rights, subscriptions
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.companies import Companies
from ml_connector.systems.basware.enrichment import Enrichments
from ml_connector.systems.basware.hand_edits import Dimensions, dimensions
from ml_connector.systems.basware.invoices import Invoices
from ml_connector.systems.basware.limits import ACCOUNTS, LINES, ORDERS, VENDORS
from ml_connector.systems.basware.orders import EXPORTED_REQUISITIONS, ExportedOrders, Orders
from ml_connector.systems.basware.payloads import Outward
from ml_connector.systems.basware.payments import Payments
from ml_connector.systems.basware.requisitions import Rendering, Requisitions
from ml_connector.systems.basware.rights import needed_by
from ml_connector.systems.basware.settings import REQUISITIONS, Settings, region_of
from ml_connector.systems.basware.upserts import (
    Masters,
    Stage,
    closed_order,
    inactive_companies,
    inactive_vendor,
    removed_lines,
)
from ml_connector.systems.kit.credentials import ScopesRefused


def connect(settings: Settings, context: AdapterContext) -> BaswareConnection:
    """Make the connection; nothing is called yet."""
    return BaswareConnection(settings, context)


class BaswareConnection:
    """The `flow.Connection` of Basware."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        """Share one client among all sources and targets."""
        self.settings, self.context = settings, context
        self.client = Basware(settings, context)

    def source(self, record: type[Record]) -> Source:
        """Hand out the source of a record type. Raises `Misconfigured` where Basware offers none."""
        makers: dict[type[Record], Callable[[Basware], Source]] = {
            Invoice: Invoices,
            Enrichments.record: Enrichments,
            Supplier: masters.suppliers,
            Account: masters.accounts,
            CostCenter: masters.cost_centers,
        }
        if record not in makers:
            raise Misconfigured(f"Basware offers no {record.__name__} records.")
        return makers[record](self.client)

    def target(self, record: type[Record]) -> Target:
        """Hand out the target of a record type. Raises `Misconfigured` where Basware takes none."""
        makers: dict[type[Record], Callable[[], Target]] = {
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

    def exported_requisitions(self) -> ExportedOrders:
        """Hand out the reader of exported purchase requisitions."""
        return ExportedOrders(self.client, EXPORTED_REQUISITIONS)

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

    def _cost_centers(self) -> Dimensions:
        stages = dimensions(self.client, list(self.settings.dimension_lists.values()))
        return Dimensions(stages, self._outward().cost_center, code=self._code("cost_center"))

    def _orders(self) -> Masters[PurchaseOrder]:
        if self.settings.requisitions:
            return Requisitions(self.client, Rendering(self.settings, self.context), self.context)
        stages = {
            "orders": Stage(self.client, "/v1/matchingOrders", ORDERS, closed_order),
            "lines": Stage(self.client, "/v1/matchingOrderLines", LINES),
        }
        render = Orders(self.settings, self.context).order
        gone = {"lines": partial(removed_lines, self.client)}
        return Masters(stages, render, code=self._code("order"), parents=True, leftovers=gone)

    def _outward(self) -> Outward:
        return Outward(self.settings, self.context)

    def _code(self, kind: str) -> Callable[[str], str]:
        return lambda key: self.context.outward(kind, key)

    # ── ping ────────────────────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Iterator[Check]:
        """Log in and read one thing of each kind that the tenant's flows use."""
        yield from Checks(self.client, self.settings).all()


ONE = {"pageSize": "1"}
SOME = {"pageSize": "50"}
"""Enough to meet the companies that there are."""
NO_ORDER = "ml-connector-ping"
"""Lines are listed by order; that there are none of this one shows that they may be read."""
READS: tuple[tuple[str, dict[str, str]], ...] = (
    ("vendors", SOME),
    ("accounts", SOME),
    ("costCenters", SOME),
    ("lists", ONE),
    ("matchingOrders", SOME),
    ("matchingOrderLines", {"orderExternalCode": NO_ORDER, **ONE}),
    ("purchaseRequisitions", SOME),
    ("accountingDocuments", {"ProcessingStatus": "WaitingForTransfer", **SOME}),
    ("exportedPurchaseOrders", {"orderStatus": "WaitingForExport", **SOME}),
    ("exportedPurchaseRequisitions", {"status": "WaitingForExport", **SOME}),
    ("requestStatus", ONE),
)
"""What can be read, in the order in which it is loaded; subscriptions are read with the webhook."""

KEYS = {"vendors": "vendorEntities", "lists": "listItems"}
"""The wrapper's key of a list that has another name than its address."""


class Checks:
    """The checks of one account."""

    def __init__(self, client: Basware, settings: Settings) -> None:
        """Read through the connection's own client."""
        self._client, self._settings = client, settings
        self._companies = Companies(settings.companies)
        self._needed = needed_by(settings, client.context.flows())

    def all(self) -> Iterator[Check]:
        """Try everything, whatever fails; without a token there is nothing more to try."""
        yield self._place()
        try:
            self._client.auth.prove(partial(self._client.credentials.log_in, tell=False))
        except ScopesRefused as error:
            yield Check("login", False, str(error))
            yield from self._refused()
            return
        except ConnectorError as error:
            yield Check("login", False, str(error))
            return
        granted = self._client.credentials.granted or frozenset(self._client.scopes())
        yield Check("login", True, f"Token granted for: {' '.join(sorted(granted))}")
        lacking = [self._lacking(scope) for scope in sorted(self._needed.keys() - granted) if self._lacks(scope)]
        yield from lacking or [self._rights()]
        for api, params in READS:
            if f"{api}.read" in self._needed and f"{api}.read" in granted:
                key = KEYS.get(api, api)
                yield from (self._reads(api, what, path, key, params) for what, path in self._places(api))
        if self._settings.invoice_source == "data_access":
            yield self._reads("dataExtracts", "data extracts", extracts.PATH, "dataExtracts", {})
        if "purchaseRequisitions.write" in self._needed:
            yield self._requisitions()
        yield self._companies.check(self._client)
        yield self._webhook()

    def _place(self) -> Check:
        base, region = self._settings.base, self._settings.region
        if region_of(base) is None:
            return Check("region", True, f"{base} is the tenant's own host; every call goes there and nowhere else.")
        return Check("region", True, f"{base}, region {region}, {self._settings.environment}")

    # ── rights ──────────────────────────────────────────────────────────────────────────────────────────────

    def _refused(self) -> Iterator[Check]:
        """Ask for a token for each scope alone, to name those that Basware does not grant."""
        try:
            grants = {scope: self._client.credentials.grants(scope) for scope in self._client.scopes()}
        except ConnectorError:
            return  # the refusal stands as it was worded
        if any(grants.values()):
            yield from (self._ungranted(scope) for scope, well in grants.items() if not well)

    def _lacks(self, scope: str) -> bool:
        """Tell whether a scope that the token does not carry is refused itself: the optional ones go in groups."""
        if scope not in rights.OPTIONAL or scope not in self._client.scopes():
            return True
        try:
            return not self._client.credentials.grants(scope)
        except ConnectorError:
            return True

    def _lacking(self, scope: str) -> Check:
        if scope in self._client.scopes():
            return self._ungranted(scope)
        detail = f"{self._needs(scope)}, and 'scopes' of the secret does not name it; add it, or take 'scopes' out"
        return Check(f"right {scope}", self._spare(scope), detail, warning=self._spare(scope))

    def _ungranted(self, scope: str) -> Check:
        detail = f"{self._needs(scope)}, and Basware does not grant it to this client; let Basware grant it"
        if self._spare(scope):
            detail = rights.lack({scope})
        return Check(f"right {scope}", self._spare(scope), detail, warning=self._spare(scope))

    def _needs(self, scope: str) -> str:
        flows = self._needed.get(scope, ["'scopes' of the secret"])
        return f"{' and '.join(flows)} {'needs' if len(flows) == 1 else 'need'} it"

    def _spare(self, scope: str) -> bool:
        """Tell whether everything moves without it, if later: a run goes without it as well, and says so."""
        return scope in rights.OPTIONAL

    def _rights(self) -> Check:
        written = sorted(scope.partition(".")[0] for scope in self._needed if scope.endswith(".write"))
        return Check("rights", True, f"all that the active flows need, by the token; may write {', '.join(written)}")

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def _places(self, api: str) -> list[tuple[str, str]]:
        if api == "lists":
            names = dict.fromkeys(self._settings.dimension_lists.values())
            return [(f"lists {name}", f"/v1/lists/{name}") for name in names]
        return [(api, f"/v1/{api}")]

    def _reads(self, api: str, what: str, path: str, key: str, params: dict[str, str]) -> Check:
        try:
            found = next(self._client.list(path, key, params), None)
        except Misconfigured as error:
            return Check(what, False, f"{error} Check 'base_url', and that this API is open to the client.")
        except ConnectorError as error:
            return Check(what, False, str(error))
        self._companies.note(api, found or ())
        return Check(what, True, "nothing there" if found is None else "read")

    def _requisitions(self) -> Check:
        s = self._settings
        unit = s.organization_element_code or "as their company"
        owner, category = s.requisition_owner_email or "nobody", s.category_code or "none"
        said = f"orders become requisitions of {owner}, category {category}, organization {unit}"
        if lacking := [name for name in REQUISITIONS if not getattr(s, name)]:
            why = (
                f"P2P refuses them where it demands an owner or a category; then add {' and '.join(map(repr, lacking))}"
            )
            return Check("requisitions", True, f"{said}; {why}", warning=True)
        return Check("requisitions", True, f"{said}; Basware lets nobody look these up: the first one shows it")

    def _webhook(self) -> Check:
        if not self._settings.webhook_url:
            return Check("webhook", True, "No 'webhook_url': invoices are found by the scheduled poll alone.")
        try:
            gaps = subscriptions.missing(self._client, self._settings)
        except ConnectorError as error:
            return Check("webhook", True, f"The subscriptions cannot be read: {error}", warning=True)
        if gaps:
            later = "The next scheduled poll subscribes, on AWS or under `local serve`."
            return Check("webhook", True, f"{'; '.join(gaps)}. {later}", warning=True)
        return Check("webhook", True, f"Basware notifies {self._settings.webhook_url}")
