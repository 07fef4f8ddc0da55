"""The nodes of GraphQL: their fields by the names of the dossier (3.3, B), and the columns that these stand for.

Names that are in no copy of the vendor's reference are inferred: of order lines beyond number, product, quantity and
unit, of receipts, and of a journal entry those that name its own references and texts.
"""

from __future__ import annotations

from dataclasses import dataclass

YES_NO = ("no", "yes")
PROGRESS = ("no", "partly", "totally", "notManaged", "automatic")
_ENUMS = {
    "yesNo": YES_NO,
    "progress": PROGRESS,
    "orderType": ("order", "contract"),
    "entryStatus": ("temporary", "final"),
    "entryCategory": ("actual", "activeSimulation", "inactiveSimulation"),
    "invoiceCategory": ("invoice", "creditMemo", "debitNote", "creditNote", "proforma"),
    "invoiceStatus": ("notPosted", "inProgress", "posted"),
    "approval": ("pending", "conflict", "delayed", "authorizedToPay"),
    "lineStatus": ("pending", "late", "closed"),
}
_REFERRED = (
    "site company currency unit product paymentTerm chartOfAccounts dimensionType journal journalEntryType taxRule "
    "supplierCategory country project"
)
CODES = tuple(_REFERRED.split())
"""Nodes that are only referred to: a code, and a text where there is one."""


@dataclass(frozen=True)
class Prop:
    """A field of a node.

    kind: text, int, decimal, date, datetime, enum, codes (a list of texts), ref or collection. columns: of the table;
    of a reference the key of the node that it leads to. node: where a reference or collection leads, or an enum's name.
    """

    kind: str
    columns: tuple[str, ...]
    node: str = ""

    @property
    def menu(self) -> tuple[str, ...]:
        """The words of an enum, from 1."""
        return _ENUMS[self.node]


@dataclass(frozen=True)
class Node:
    """A node: `_id` is the key of its table, its parts joined by `|`."""

    name: str
    package: str
    table: str
    props: dict[str, Prop]

    @property
    def type(self) -> str:
        """Its type's name."""
        return self.name[0].upper() + self.name[1:]


def _node(named: str, text: str) -> Node:
    """Read fields such as `id=POHNUM`, `day=ORDDAT:date`, `isClosed=CLEFLG:enum/yesNo`, `a=COA+ACC:ref/account`.

    named: package, node and table, such as "x3Purchasing.purchaseOrder PORDER".
    """
    path, _, table = named.partition(" ")
    package, _, name = path.partition(".")
    props = {}
    for part in text.split():
        field, _, rest = part.partition("=")
        columns, _, kind = rest.partition(":")
        kind, _, target = kind.partition("/")
        props[field] = Prop(kind or "text", tuple(columns.split("+")), target)
    props |= {"_createStamp": Prop("datetime", ("CREDATTIM",)), "_updateStamp": Prop("datetime", ("UPDDATTIM",))}
    return Node(name, package, table, props)


NODES = {
    node.name: node
    for node in (
        _node(
            "x3MasterData.supplier BPSUPPLIER",
            "code=BPSNUM:ref/businessPartner companyName=BPSNAM companyName1=BPSNAM shortCompanyName=BPSSHO "
            "category=BSGCOD:ref/supplierCategory currency=CUR:ref/currency paymentTerm=PTE:ref/paymentTerm "
            "taxRule=VACBPR:ref/taxRule isActive=ENAFLG:enum/yesNo "
            "payToBusinessPartner=BPRPAY:ref/businessPartner",
        ),
        _node(
            "x3MasterData.businessPartner BPARTNER",
            "code=BPRNUM companyName1=BPRNAM shortCompanyName=BPRSHO vatNumber=EECNUM country=CRY:ref/country "
            "currency=CUR:ref/currency isActive=ENAFLG:enum/yesNo",
        ),
        _node(
            "x3FinanceData.account GACCOUNT",
            "code=ACC chartOfAccounts=COA:ref/chartOfAccounts localizedDescription=DES "
            "localizedShortDescription=DESSHO controlAccount=SAC isActive=ENAFLG:enum/yesNo",
        ),
        _node(
            "x3FinanceData.dimension CACCE",
            "dimension=CCE dimensionType=DIE:ref/dimensionType localizedDescription=DES "
            "localizedShortDescription=DESSHO isActive=ENAFLG:enum/yesNo",
        ),
        _node(
            "x3FinanceData.openItem GACCDUDATE",
            "documentType=TYP:ref/journalEntryType documentNumber=NUM lineNumber=DUDLIG:int "
            "openItemLineNumber=DUDLIG:int uniqueNumber=ACCNUM:int company=CPY:ref/company site=FCY:ref/site "
            "currency=CUR:ref/currency payToOrPayByBusinessPartner=BPR:ref/businessPartner dueDate=DUDDAT:date "
            "sign=SNS:int amountInCurrency=AMTCUR:decimal paidAmountInCurrency=PAYCUR:decimal "
            "provisionalPaidAmountInCurrency=TMPCUR:decimal paymentDate=PAYDAT:date closedStatus=FLGCLE:int "
            "paymentApprovalLevel=FLGPAZ:enum/approval",
        ),
        _node(
            "x3Purchasing.purchaseOrder PORDER",
            "id=POHNUM company=CPY:ref/company purchaseSite=POHFCY:ref/site orderType=POHTYP:enum/orderType "
            "revisionNumber=REVNUM:int orderDate=ORDDAT:date internalOrderReference=ORDREF "
            "orderFromSupplier=BPSNUM:ref/supplier billBySupplier=BPSINV:ref/supplier invoiceSite=INVFCY:ref/site "
            "receiptSite=RCPFCY:ref/site paymentTerm=PTE:ref/paymentTerm currency=CUR:ref/currency "
            "isClosed=CLEFLG:enum/yesNo invoiceStatus=INVFLG:enum/progress receiptStatus=RCPFLG:enum/progress "
            "signatureStatus=APPFLG:enum/progress taxExcludedTotalAmount=TOTORD:decimal "
            "taxIncludedTotalAmount=TTVORD:decimal purchaseOrderLines=PORDERQ:collection/purchaseOrderLine",
        ),
        _node(
            "x3Purchasing.purchaseOrderLine PORDERQ",
            "purchaseOrder=POHNUM:ref/purchaseOrder lineNumber=POPLIN:int sequenceNumber=POQSEQ:int "
            "product=ITMREF:ref/product orderUnit=UOM:ref/unit purchaseUnit=PUU:ref/unit "
            "quantityInOrderUnitOrdered=QTYUOM:decimal quantityInPurchaseUnitOrdered=QTYPUU:decimal "
            "quantityInPurchaseUnitReceived=RCPQTYPUU:decimal expectedReceiptDate=EXTRCPDAT:date "
            "grossPrice=GROPRI:decimal netPrice=NETPRI:decimal tax=VAT lineAmountExcludingTax=LINAMT:decimal "
            "lineAmountIncludingTax=LINATIAMT:decimal lineStatus=LINSTA:enum/lineStatus "
            "isClosed=LINCLEFLG:enum/yesNo",
        ),
        _node(
            "x3Purchasing.purchaseReceipt PRECEIPT",
            "id=PTHNUM receiptSite=PRHFCY:ref/site company=CPY:ref/company receiptDate=RCPDAT:date "
            "supplier=BPSNUM:ref/supplier currency=CUR:ref/currency "
            "purchaseReceiptLines=PRECEIPTD:collection/purchaseReceiptLine",
        ),
        _node(
            "x3Purchasing.purchaseReceiptLine PRECEIPTD",
            "purchaseReceipt=PTHNUM:ref/purchaseReceipt lineNumber=PTDLIN:int "
            "purchaseOrder=POHNUM:ref/purchaseOrder purchaseOrderLineNumber=POPLIN:int "
            "purchaseOrderSequenceNumber=POQSEQ:int product=ITMREF:ref/product receiptUnit=UOM:ref/unit "
            "quantityInReceiptUnitReceived=QTYUOM:decimal quantityInPurchaseUnitReceived=QTYPUU:decimal "
            "netPrice=NETPRI:decimal receiptDate=RCPDAT:date",
        ),
        _node(
            "x3InvoicingData.supplierInvoiceHeader PINVOICE",
            "id=NUM category=INVTYP:enum/invoiceCategory billBySupplier=BPR:ref/supplier company=CPY:ref/company "
            "site=FCY:ref/site accountingDate=ACCDAT:date sourceDocument=BPRVCR sourceDocumentDate=BPRDAT:date "
            "currency=CUR:ref/currency payToBusinessPartner=BPRPAY:ref/businessPartner "
            "dueDateCalculationStartDate=STRDUDDAT:date paymentTerm=PTE:ref/paymentTerm taxRule=VAC:ref/taxRule "
            "status=STA:enum/invoiceStatus paymentApproval=PAZ:enum/approval "
            "totalAmountIncludingTax=AMTATI:decimal totalAmountExcludingTax=AMTNOT:decimal",
        ),
        _node(
            "x3Finance.journalEntry GACCENTRY",
            "journalEntryType=TYP:ref/journalEntryType journalEntryNumber=NUM company=CPY:ref/company "
            "site=FCY:ref/site journal=JOU:ref/journal accountingDate=ACCDAT:date "
            "journalEntryStatus=STA:enum/entryStatus category=CAT:enum/entryCategory "
            "transactionCurrency=CUR:ref/currency description=DESVCR reference=REF internalReference=REFINT "
            "sourceDocument=BPRVCR sourceDocumentDate=BPRDATVCR:date dueDate=DUDDAT:date "
            "journalEntryLines=GACCENTRYD:collection/journalEntryLine",
        ),
        _node(
            "x3Finance.journalEntryLine GACCENTRYD",
            "journalEntry=TYP+NUM:ref/journalEntry lineNumber=LIN:int ledgerTypeNumber=LEDTYP:int "
            "account=COA+ACC:ref/account controlAccount=SAC businessPartner=BPR:ref/businessPartner sign=SNS:int "
            "debitAmountInTransactionCurrency=AMTCUR:debit creditAmountInTransactionCurrency=AMTCUR:credit "
            "debitAmountInLedgerCurrency=AMTLED:debit creditAmountInLedgerCurrency=AMTLED:credit description=DES "
            "tax=TAX analyticalLines=GACCENTRYA:collection/journalEntryAnalyticalLine",
        ),
        _node(
            "x3Finance.journalEntryAnalyticalLine GACCENTRYA",
            "lineNumber=LIN:int analyticalLineNumber=ANALIN:int dimensionTypes=DIE:codes dimensions=CCE:codes "
            "amountInTransactionCurrency=AMTCUR:decimal",
        ),
    )
}
