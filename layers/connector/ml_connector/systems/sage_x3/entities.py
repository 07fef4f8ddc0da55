"""What is read and written, as X3 calls it: a record is a dict in X3's own codes, whatever dialect it came by.

Each entity has its class and representation of api1, and for GraphQL the path of each code (`docs/vendors/sage_x3.md`
says which are inferred). Local menus are integers, 1 for no and 2 for yes; a blank text is one space.
"""

from __future__ import annotations

from collections.abc import Sequence

from ml_connector.systems.kit.declared import WHOLE, Created, Entity, Reader, Record, Writer
from ml_connector.systems.kit.graphql import Fields
from ml_connector.systems.kit.values import ZERO, amount, text

__all__ = ["WHOLE", "Created", "Entity", "Reader", "Record", "Writer"]
CHANGED = ("updatedDate", "modifiedDateTime", "UPDDATTIM", "UPDDAT")
"""The fields that may show a change, where the secret names none; the first that a record has is taken."""
NO, YES = 1, 2


def menu(record: Record, name: str) -> int | None:
    """Give the value of a local menu, None for none. Raises `ValueError` where it is no value of a menu."""
    told = text(record, name)
    if told is None or told == "0":
        return None
    if not told.isascii() or not told.isdigit():
        raise ValueError(f"{name} is '{told}', which is not a known value of its list.")
    return int(told)


def balanced(lines: Sequence[Record]) -> bool:
    """Tell whether lines of an entry balance: our own payable stands last, so that a part of them would not."""
    return sum(((amount(one, "AMTCUR") or ZERO) * (amount(one, "SNS") or ZERO) for one in lines), ZERO) == 0


# ── the entities ────────────────────────────────────────────────────────────────────────────────────────────────

FLAG = {"yes": YES, "no": NO, "true": YES, "false": NO}
STATES, TYPES = {"pending": 1, "late": 2, "closed": 3}, {"order": 1, "normal": 1, "contract": 2}
APPROVAL = {"pending": 1, "conflict": 2, "delayed": 3, "authorizedToPay": 4}
KINDS = {"invoice": 1, "creditMemo": 2, "debitNote": 3, "creditNote": 4, "proforma": 5}
_WIDE = {"@": "{0}.code|{0}._id|{0}", "&": "{0}.code.code|{0}._id|{0}.code"}


def _fields(spec: str, **nested: tuple[str, Fields]) -> Fields:
    """Declare `CODE=path` pairs; `@path` is a reference to a code, `&path` to a supplier, whose code is a partner."""
    pairs = dict(one.split("=") for one in spec.split())
    return Fields({code: _WIDE.get(path[0], path).format(path[1:]) for code, path in pairs.items()}, nested)


_ORDERED = _fields(
    "POPLIN=lineNumber POQSEQ=sequenceNumber ITMREF=@product ITMDES=productDescriptionInUserLanguage "
    "ITMDES1=product.description1 NETPRI=netPrice GROPRI=grossPrice QTYUOM=quantityInOrderUnitOrdered "
    "UOM=@orderUnit LINAMT=lineAmountExcludingTax|taxExcludedLineAmount LINCLEFLG=isClosed LINSTA=lineStatus"
)
_RECEIVED = _fields(
    "PTDLIN=lineNumber POHNUM=purchaseOrder.id|purchaseOrder._id|purchaseOrder POPLIN=purchaseOrderLineNumber "
    "POQSEQ=purchaseOrderSequenceNumber QTYUOM=quantityInReceiptUnitReceived UOM=@receiptUnit NETPRI=netPrice"
)
_SHARED = _fields(
    "ANALIN=analyticalLineNumber|lineNumber DIE=dimensionTypes CCE=dimensions "
    "AMTCUR=amountInTransactionCurrency|transactionAmount QTY=quantity"
)
_ENTERED = _fields(
    "LIN=lineNumber LEDTYP=ledgerTypeNumber|ledgerType ACC=@account SAC=@controlAccount BPR=@businessPartner SNS=sign "
    "DES=description DEBCUR=debitAmountInTransactionCurrency CDTCUR=creditAmountInTransactionCurrency TAX=@tax",
    GACCENTRYA=("analyticalLines", _SHARED),
)
SUPPLIER = Entity(
    "supplier",
    "supplier",
    "BPSUPPLIER",
    ("BPSNUM",),
    "x3MasterData.supplier",
    _fields(
        "BPSNUM=@code BPSNAM=companyName|companyName1 BPSSHO=shortCompanyName CUR=@currency PTE=@paymentTerm "
        "ENAFLG=isActive EECNUM=code.vatNumber UPDDATTIM=_updateStamp"
    ),
    {"ENAFLG": FLAG},
)
ACCOUNT = Entity(
    "account",
    "account",
    "GACCOUNT",
    ("COA", "ACC"),
    "x3FinanceData.account",
    _fields(
        "COA=@chartOfAccounts ACC=code DES=localizedDescription DESSHO=localizedShortDescription ENAFLG=isActive "
        "UPDDATTIM=_updateStamp"
    ),
    {"ENAFLG": FLAG},
)
DIMENSION = Entity(
    "dimension",
    "dimension",
    "CACCE",
    ("DIE", "CCE"),
    "x3FinanceData.dimension",
    _fields(
        "DIE=@dimensionType CCE=dimension DES=localizedDescription DESSHO=localizedShortDescription ENAFLG=isActive "
        "UPDDATTIM=_updateStamp"
    ),
    {"ENAFLG": FLAG},
)
PURCHASE_ORDER = Entity(
    "purchase_order",
    "purchase order",
    "PORDER",
    ("POHNUM",),
    "x3Purchasing.purchaseOrder",
    _fields(
        "POHNUM=id POHTYP=orderType ORDDAT=orderDate ORDREF=internalOrderReference BPSNUM=&orderFromSupplier "
        "POHFCY=@purchaseSite CPY=@company CUR=@currency PTE=@paymentTerm REVNUM=revisionNumber CLEFLG=isClosed "
        "RCPFLG=receiptStatus UPDDATTIM=_updateStamp",
        PORDERP=("purchaseOrderLines", _ORDERED),
        PORDERQ=("purchaseOrderQuantityLines", _ORDERED),
    ),
    {"CLEFLG": FLAG, "LINCLEFLG": FLAG, "LINSTA": STATES, "POHTYP": TYPES, "RCPFLG": {"no": 1}},
    ("LINNBR", "POPLIN"),
)
RECEIPT = Entity(
    "receipt",
    "receipt",
    "PRECEIPT",
    ("PTHNUM",),
    "x3Purchasing.purchaseReceipt",
    _fields(
        "PTHNUM=id RCPDAT=receiptDate BPSNUM=&supplier UPDDATTIM=_updateStamp",
        PRECEIPTD=("lines|purchaseReceiptLines", _RECEIVED),
    ),
    {},
    ("LINNBR", "PTDLIN"),
)
SUPPLIER_INVOICE = Entity(
    "supplier_invoice",
    "supplier invoice",
    "PINVOICE",
    ("NUM",),
    "x3InvoicingData.supplierInvoiceHeader",
    _fields(
        "NUM=id INVTYP=category ORIMOD=sourceModule BPR=&billBySupplier CPY=@company FCY=@site ACCDAT=accountingDate "
        "BPRVCR=sourceDocument BPRDAT=sourceDocumentDate CUR=@currency PTE=@paymentTerm "
        "BPRPAY=@payToBusinessPartner STRDUDDAT=dueDateCalculationStartDate STA=status AMTATI=totalAmountIncludingTax "
        "AMTNOT=totalAmountExcludingTax PAZ=paymentApproval VAC=@taxRule UPDDATTIM=_updateStamp"
    ),
    {"STA": {"notPosted": 1, "inProgress": 2, "posted": 3}, "PAZ": APPROVAL, "INVTYP": KINDS},
)
OPEN_ITEM = Entity(
    "open_item",
    "open item",
    "GACCDUDATE",
    ("ACCNUM", "DUDLIG"),
    "x3FinanceData.openItem",
    _fields(
        "TYP=@documentType NUM=documentNumber LIG=lineNumber DUDLIG=openItemLineNumber "
        "ACCNUM=journalEntryLineInternalNumber|uniqueNumber AMTCUR=amountInCurrency PAYCUR=paidAmountInCurrency "
        "TMPCUR=provisionalPaidAmountInCurrency PAYDAT=paymentDate FLGCLE=closedStatus DUDDAT=dueDate "
        "FLGPAZ=paymentApprovalLevel SNS=sign BPR=businessPartner.code|payToOrPayByBusinessPartner.code CPY=@company "
        "FCY=@site CUR=@currency UPDDATTIM=_updateStamp"
    ),
    {"FLGPAZ": APPROVAL},
)
JOURNAL = Entity(
    "journal",
    "journal entry",
    "GACCENTRY",
    ("TYP", "NUM"),
    "x3Finance.journalEntry",
    _fields(
        "TYP=@journalEntryType NUM=journalEntryNumber CPY=@company FCY=@site JOU=@journal ACCDAT=accountingDate "
        "STA=journalEntryStatus CUR=@transactionCurrency REFINT=internalReference REF=reference BPRVCR=sourceDocument "
        "BPRDATVCR=sourceDocumentDate DESVCR=description DUDDAT=dueDate UPDDATTIM=_updateStamp",
        GACCENTRYD=("journalEntryLines", _ENTERED),
    ),
    {"STA": {"temporary": 1, "final": 2}},
    ("LINNBR", "LIN"),
    balanced,
)
PAYMENT = Entity("payment", "payment", "PAYMENTH", ("NUM",), "x3Finance.payment", _fields("NUM=id"))
