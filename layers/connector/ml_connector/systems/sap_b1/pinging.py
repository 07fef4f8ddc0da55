"""What `ping` tries of a company: one record of each kind, and the fields of the secret that name something there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ml_connector.flow import Check
from ml_connector.systems.kit.connection import judged, tried, zone
from ml_connector.systems.sap_b1.client import ServiceLayer
from ml_connector.systems.sap_b1.lookups import Lookups
from ml_connector.systems.sap_b1.paging import Query
from ml_connector.systems.sap_b1.settings import Settings
from ml_connector.systems.sap_b1.validity import Today, account_counts
from ml_connector.systems.sap_b1.wire import NO, YES, AccountRow, CenterRow, FoundRow
from ml_connector.systems.sap_b1.wire_lookups import OrderHeadRow, PostingRow, SupplierHeadRow
from ml_connector.systems.sap_b1.wire_payments import PaymentRow

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
        yield tried("cost centres", lambda: self._one(Query("ProfitCenters", CenterRow, "CenterCode", top=1)))
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
        batch = next(self._layer.pages(query))
        return f"for example {batch.keys[0]}" if batch.keys else "none there yet"

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
