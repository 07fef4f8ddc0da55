"""The tables of a company: columns, their kinds and sizes, and keys (`docs/vendors/syspro.md`).

Kinds: c character (size), n number (decimals), d date, b binary (TimeStamp is SQL's rowversion, no moment).
Sizes that no source tells are SYSPRO's usual ones (inferred).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column; `size`: characters of a text, decimals of a number."""

    name: str
    kind: str
    size: int = 0

    def default(self) -> Any:
        """What a row has where nothing is said."""
        return {"c": "", "n": Decimal(0), "d": None, "b": 0}[self.kind]


@dataclass(frozen=True)
class Table:
    """A table with its key."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, Column]

    def key_of(self, row: Record) -> Any:
        """The key of a row: its value, or a tuple where several columns make it."""
        return row[self.key[0]] if len(self.key) == 1 else tuple(row[name] for name in self.key)


def _table(name: str, key: str, columns: str) -> Table:
    found = {}
    for word in columns.split():
        column, _, kind = word.partition(":")
        found[column] = Column(column, kind[0], int(kind[1:] or 0))
    found["TimeStamp"] = Column("TimeStamp", "b")
    return Table(name, tuple(key.split()), found)


_SPECS = (
    (
        "ApSupplier",
        "Supplier",
        "Supplier:c15 SupplierName:c50 SupShortName:c20 SupplierType:c1 SupplierClass:c10 Bank:c15 Branch:c10 "
        "Telephone:c20 Fax:c20 Contact:c40 Area:c10 Email:c255 Currency:c3 CurrentBalance:n2 LastPurchDate:d "
        "FirstPurchDate:d LineDiscCode:c2 InvDiscCode:c2 TermsCode:c2 DefaultChequeDay:n0 GrnMatchReqd:c1 "
        "MerchGlCode:c35 FreightGlCode:c35 Nationality:c3 TaxRegnNum:c20 BankAccount:c30 BankBranch:c20 "
        "LastChequeDate:d DateSuppAdded:d OnHold:c1 PayByEft:c1 DefTaxCode:c3 RemitEmail:c255 LanguageCode:c5 "
        "PurchOrdAllowed:c1",
    ),
    (
        "ApSupplierAddr",
        "Supplier",
        "Supplier:c15 SupAddr1:c40 SupAddr2:c40 SupAddr3:c40 SupAddr4:c40 SupAddr5:c40 SupPostalCode:c10 "
        "RemitAddr1:c40 RemitAddr2:c40 RemitAddr3:c40 RemitAddr4:c40 RemitAddr5:c40",
    ),
    (
        "PorMasterHdr",
        "PurchaseOrder",
        "PurchaseOrder:c20 NextDetailLine:n0 OrderStatus:c1 ActiveFlag:c1 CancelledFlag:c1 Supplier:c15 "
        "OrderEntryDate:d OrderDueDate:d DateLastDocPrt:d MemoDate:d OrderType:c1 Customer:c15 PaymentTerms:c30 "
        "ShippingInstrs:c50 Warehouse:c10 DiscPct1:n2 DiscPct2:n2 DiscPct3:n2 Currency:c3 TaxStatus:c1 "
        "AmendedCount:n0 DatePoCompleted:d ExchangeRate:n6 MulDiv:c1 TermsCode:c2 Buyer:c20 DeliveryName:c50 "
        "DeliveryAddr1:c40",
    ),
    (
        "PorMasterDetail",
        "PurchaseOrder Line",
        "PurchaseOrder:c20 Line:n0 LineType:c1 MStockCode:c30 MStockDes:c50 MWarehouse:c10 MOrderUom:c10 MOrderQty:n6 "
        "MReceivedQty:n6 MLatestDueDate:d MLastReceiptDat:d MPrice:n5 MForeignPrice:n5 MPriceUom:c10 MTaxCode:c3 "
        "MProductClass:c20 MCompleteFlag:c1 MJob:c20 MGlCode:c35 MRequisition:c10 MOrigDueDate:d NComment:c100 "
        "NMscChargeValue:n2",
    ),
    (
        "GenMaster",
        "Company GlCode",
        "Company:c10 GlCode:c35 Description:c50 GlGroup:c10 AccountType:c1 ReportIndex2:c10 CurrentBalance:n2 "
        "PtdDrValue:n2 PtdCrValue:n2",
    ),
    (
        "GrnDetails",
        "Supplier Grn GrnSource Journal JournalEntry",
        "Supplier:c15 Grn:c20 GrnSource:c1 Journal:n0 JournalEntry:n0 DebitRecGlCode:c35 OrigGrnValue:n2 "
        "PurchaseOrder:c20 PurchaseOrderLin:n0 StockCode:c30 StockDescription:c50 SupCatalogueNum:c50 Warehouse:c10 "
        "QtyReceived:n6 OrigReceiptDate:d PostCurrency:c3 ConvRate:n6 MulDiv:c1 GrnYear:n0 GrnMonth:n0",
    ),
    (
        "GrnMatching",
        "Supplier Grn GrnSource Journal JournalEntry Invoice Number",
        "Supplier:c15 Grn:c20 GrnSource:c1 Journal:n0 JournalEntry:n0 Invoice:c20 Number:n0 MatchedValue:n2 "
        "MatchedQty:n6",
    ),
    (
        "GrnAdjustment",
        "Supplier Grn GrnSource Journal JournalEntry Number",
        "Supplier:c15 Grn:c20 GrnSource:c1 Journal:n0 JournalEntry:n0 Number:n0 GrnAdjValue:n2",
    ),
    (
        "PorHistReceipt",
        "PurchaseOrder PurchaseOrderLin Number",
        "PurchaseOrder:c20 PurchaseOrderLin:n0 Number:n0 DateReceived:d QtyReceived:n6 PriceReceived:n5 RejectCode:c10 "
        "Reference:c30",
    ),
    (
        "ApInvoice",
        "Supplier Invoice",
        "Supplier:c15 Invoice:c20 JournalDate:d Journal:n0 Branch:c10 InvoiceDate:d DiscountDate:d DueDate:d "
        "Reference:c30 OrigInvValue:n2 OrigDiscValue:n2 MthInvBal1:n2 MthInvBal2:n2 MthInvBal3:n2 InvoiceStatus:c1 "
        "Currency:c3 InvoiceYear:n0 InvoiceMonth:n0 ExchangeRate:n6 FirstTaxCode:c3 CurrencyValue:n2 EntryNumber:n0 "
        "PaymentNumber:n0",
    ),
    (
        "ApInvoicePay",
        "Supplier Invoice Number",
        "Supplier:c15 Invoice:c20 Number:n0 TrnType:c1 JournalDate:d PaymentReference:c30 TrnValue:n2 PostValue:n2 "
        "TrnYear:n0 TrnMonth:n0",
    ),
    (
        "GenJournalDetail",
        "GlYear GlPeriod Journal EntryNumber",
        "GlYear:n0 GlPeriod:n0 Journal:n0 EntryNumber:n0 GlCode:c35 EntryValue:n2 EntryDate:d Source:c2 Reference:c30 "
        "SubModTransDesc:c50",
    ),
)
TABLES: dict[str, Table] = {name: _table(name, key, columns) for name, key, columns in _SPECS}


def shown(column: Column, value: Any) -> str:
    """A value as XML shows it: numbers with spaces before them, a date that is none as zeros."""
    if column.kind == "n":
        number = Decimal(value)
        return f"{number:>{9 if column.size == 0 else 18}.{column.size}f}"
    if column.kind == "d":
        return value or "0000-00-00"
    return "" if column.kind == "b" else str(value)
