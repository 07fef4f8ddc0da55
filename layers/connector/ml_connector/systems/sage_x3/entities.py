"""What is read and written, as X3 calls it: a record is a dict in X3's own codes, whatever dialect it came by.

Each entity has its class and representation of api1, and for GraphQL the path of each code (`docs/vendors/sage_x3.md`
says which are inferred). Local menus are integers, 1 for no and 2 for yes; a blank text is one space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ml_connector.systems.kit.changes import ChangeField
from ml_connector.systems.kit.conditions import Condition
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.graphql import Fields
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.values import text

Record = dict[str, Any]
CHANGED = ("updatedDate", "modifiedDateTime", "UPDDATTIM", "UPDDAT")
"""The fields that may show a change, where the secret names none; the first that a record has is taken."""
WHOLE = "$whole"
"""Marks a record whose lines were all read."""
NO, YES = 1, 2


@dataclass(frozen=True)
class Entity:
    """One kind of record. `menus` are the values of local menus, by X3's code and GraphQL's word.

    `lines` names the header's number of lines, and the field by which one line is told from another.
    """

    name: str
    title: str
    class_name: str
    key: tuple[str, ...]
    node: str
    fields: Fields
    menus: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    lines: tuple[str, str] = ("LINNBR", "")
    representation: str = ""
    changed: str | None = None

    def as_configured(self, classes: Mapping[Any, Any]) -> Entity:
        """Take what the secret's `classes` say of it."""
        mine = classes.get(self.name)
        name = (mine and mine.name) or self.class_name
        rep = (mine and mine.representation) or name
        return replace(self, class_name=name, representation=rep, changed=mine.changed_field if mine else None)

    def key_of(self, record: Record) -> str:
        """Name a record as api1 does, parts joined by `~`. Raises `ValueError` where a part is missing."""
        parts = [text(record, name) for name in self.key]
        if missing := [name for name, part in zip(self.key, parts, strict=True) if part is None]:
            raise ValueError(f"The {self.title} has no {' and no '.join(missing)}.")
        return "~".join(part or "" for part in parts)

    def setting(self, name: str) -> str:
        """Name a field of the secret that says how this entity is read."""
        return f"'classes.{self.name}.{name}'"


@dataclass(frozen=True, slots=True)
class Created:
    """What became of a new record: its key, None where the answer does not say it, and the record as it was told."""

    key: str | None
    record: Record


class Reader(Protocol):
    """Reads entities in X3's codes, whatever the dialect. Raises the classes of `errors`."""

    def pages(
        self, entity: Entity, where: Sequence[Condition], position: str | None, order: str | None = None
    ) -> Iterator[Batch[Record]]:
        """Read all for which each condition holds, from a position on."""

    def by_keys(self, entity: Entity, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        """Read these very records, with all of their lines or as spoiled; what is not there is left out."""

    def one(self, entity: Entity, key: str) -> Record | None:
        """Read a record with its lines; None only where X3 itself says that there is none.

        Raises `ValueError` where lines are missing.
        """

    def changed_field(self, entity: Entity) -> ChangeField | None:
        """Find the field that shows a change; None where records have none."""

    def properties(self, entity: Entity) -> frozenset[str]:
        """Name the fields of a list's records; none where there is no record."""


class Writer(Protocol):
    """Writes one document in one call, which is never repeated."""

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        """Create a record. Raises `OutcomeUnknown` where its fate is in doubt."""

    def update(self, entity: Entity, key: str, changed: Mapping[str, Any]) -> Fault | None:
        """Change some fields of a record. Raises `OutcomeUnknown`."""


def menu(record: Record, name: str) -> int | None:
    """Give the value of a local menu, None for none. Raises `ValueError` where it is no value of a menu."""
    told = text(record, name)
    if told is None or told == "0":
        return None
    if not told.isascii() or not told.isdigit():
        raise ValueError(f"{name} is '{told}', which is not a known value of its list.")
    return int(told)


# ── the entities ────────────────────────────────────────────────────────────────────────────────────────────────

FLAG = {"yes": YES, "no": NO, "true": YES, "false": NO}
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
_ENTERED = _fields(
    "LIN=lineNumber LEDTYP=ledgerTypeNumber|ledgerType ACC=@account SAC=@controlAccount BPR=@businessPartner SNS=sign "
    "DES=description DEBCUR=debitAmountInTransactionCurrency CDTCUR=creditAmountInTransactionCurrency TAX=@tax",
    GACCENTRYA=("analyticalLines", _fields("ANALIN=lineNumber AMTCUR=transactionAmount QTY=quantity")),
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
    {
        "CLEFLG": FLAG,
        "LINCLEFLG": FLAG,
        "LINSTA": {"pending": 1, "late": 2, "closed": 3},
        "POHTYP": {"order": 1, "normal": 1, "contract": 2},
        "RCPFLG": {"no": 1},
    },
    ("LINNBR", "POPLIN"),
)
RECEIPT = Entity(
    "receipt",
    "receipt",
    "PRECEIPT",
    ("PTHNUM",),
    "x3Purchasing.purchaseReceipt",
    _fields("PTHNUM=id RCPDAT=receiptDate BPSNUM=&supplier UPDDATTIM=_updateStamp", PRECEIPTD=("lines", _RECEIVED)),
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
        "STRDUDDAT=dueDateCalculationStartDate STA=status AMTATI=totalAmountIncludingTax "
        "AMTNOT=totalAmountExcludingTax PAZ=paymentApproval VAC=@taxRule UPDDATTIM=_updateStamp"
    ),
)
OPEN_ITEM = Entity(
    "open_item",
    "open item",
    "GACCDUDATE",
    ("TYP", "ACCNUM", "DUDLIG"),
    "x3FinanceData.openItem",
    _fields(
        "TYP=@documentType NUM=documentNumber LIG=lineNumber DUDLIG=openItemLineNumber "
        "ACCNUM=journalEntryLineInternalNumber AMTCUR=amountInCurrency PAYCUR=paidAmountInCurrency "
        "TMPCUR=provisionalPaidAmountInCurrency PAYDAT=paymentDate FLGCLE=closedStatus DUDDAT=dueDate "
        "FLGPAZ=paymentApprovalLevel SNS=sign BPR=@businessPartner CPY=@company FCY=@site CUR=@currency "
        "UPDDATTIM=_updateStamp"
    ),
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
        "BPRDATVCR=sourceDocumentDate DESVCR=description UPDDATTIM=_updateStamp",
        GACCENTRYD=("journalEntryLines", _ENTERED),
    ),
    {"STA": {"temporary": 1, "final": 2}},
    ("LINNBR", "LIN"),
)
PAYMENT = Entity("payment", "payment", "PAYMENTH", ("NUM",), "x3Finance.payment", _fields("NUM=id"))
