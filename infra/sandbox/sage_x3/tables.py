"""The tables that this folder has, their columns and keys, with X3's codes (dossier 2 and C).

Kinds of columns: a number is a text of so many characters, `m` a local menu (an integer that begins with 1), `i` an
integer, `n` an exact number, `d` a day, `t` a moment, `l` up to nine codes of dimensions (dossier: `DIE(9)`, `CCE(9)`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Record = dict[str, Any]
Key = tuple[Any, ...]
STAMPS = "CREUSR:10 UPDUSR:10 CREDAT:d UPDDAT:d CREDATTIM:t UPDDATTIM:t"
_DEFAULTS: dict[str, Any] = {"m": 0, "i": 0, "n": Decimal(0), "d": None, "t": None}
_TYPES: dict[str, tuple[type, ...]] = {
    "m": (int,),
    "i": (int,),
    "n": (Decimal, int),
    "d": (date, type(None)),
    "t": (datetime, type(None)),
    "l": (list,),
}


@dataclass(frozen=True)
class Column:
    """One column; `kind` is a letter, `length` that of a text."""

    name: str
    kind: str
    length: int = 0

    def default(self) -> Any:
        """Give what stands there when nothing was given."""
        return [] if self.kind == "l" else _DEFAULTS.get(self.kind, "")

    def fits(self, value: Any) -> bool:
        """Whether this column can hold the value."""
        if self.kind == "a":
            return isinstance(value, str) and len(value) <= self.length
        return isinstance(value, _TYPES[self.kind]) and not isinstance(value, bool)


@dataclass(frozen=True)
class Table:
    """Columns by name, the key, and the tables that hold the lines of a record; their keys begin with this one's."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    children: tuple[str, ...] = ()

    def key_of(self, row: Record) -> Key:
        """Give the key of a row."""
        return tuple(row[name] for name in self.key)


def _column(text: str) -> Column:
    name, _, kind = text.partition(":")
    return Column(name, "a", int(kind)) if kind.isdigit() else Column(name, kind)


def _table(name: str, key: str, columns: str, children: str = "") -> Table:
    found = [_column(text) for text in f"{columns} {STAMPS} AUUID:36".split()]
    return Table(name, tuple(key.split()), {column.name: column for column in found}, tuple(children.split()))


_SUPPLIER = "BPSNUM:15 BPSNAM:35 BPSSHO:10 CUR:3 PTE:15 VACBPR:5 BPRPAY:15 BSGCOD:5 ENAFLG:m"
_PARTNER = "BPRNUM:15 BPRNAM:35 BPRSHO:10 CRY:3 EECNUM:20 CRN:20 CUR:3 BPSFLG:m ENAFLG:m"
_ACCOUNT = "COA:3 ACC:15 DES:60 DESSHO:20 SAC:4 SNS:m ENAFLG:m DIE:l"
_CENTER = "DIE:10 CCE:15 DES:60 DESSHO:20 DESTRA:60 ENAFLG:m FCY:5 IPT:m FRW:m BUDTRK:m"
_ORDER = (
    "POHNUM:20 POHTYP:m POHFCY:5 RCPFCY:5 INVFCY:5 CPY:5 ORDDAT:d ORDREF:20 BPSNUM:15 BPRNAM:35 BPSINV:15 CUR:3 "
    "CHGTYP:m PTE:15 VACBPR:5 BUY:5 LINNBR:i TOTORD:n TTVORD:n TOTLINAMT:n TOTTAXAMT:n CLEFLG:m RCPFLG:m INVFLG:m "
    "APPFLG:m REVNUM:i DIE:l CCE:l"
)
_PRICE = (
    "POHNUM:20 POPLIN:i POPSEQ:i ITMREF:20 ITMDES:30 ITMDES1:30 GROPRI:n NETPRI:n DISCRGVAL1:n VAT:5 PRHFCY:5 PJT:20"
)
_QUANTITY = (
    "POHNUM:20 POPLIN:i POQSEQ:i ITMREF:20 ITMREFBPS:20 LINAMT:n LINATIAMT:n EXTRCPDAT:d DEMRCPDAT:d QTYUOM:n QTYPUU:n "
    "UOM:3 PUU:3 RCPQTYPUU:n INVQTYPUU:n INVQTYSTU:n LINSTA:m LINCLEFLG:m LININVFLG:m LINPURTYP:m CMMNUM:20"
)
_RECEIPT = "PTHNUM:20 PRHFCY:5 CPY:5 BPSNUM:15 RCPDAT:d CUR:3 NDEPTH:20 LINNBR:i"
_RECEIVED = (
    "PTHNUM:20 PTDLIN:i POHNUM:20 POPLIN:i POQSEQ:i BPSNUM:15 ITMREF:20 ITMDES1:30 QTYUOM:n QTYPUU:n QTYSTU:n UOM:3 "
    "PUU:3 STU:3 RCPDAT:d NETPRI:n PRHFCY:5 CPY:5"
)
_INVOICE = (
    "NUM:20 PIVTYP:5 INVTYP:m BPR:15 CPY:5 FCY:5 ACCDAT:d BPRDAT:d BPRVCR:20 INVREF:20 CUR:3 CURTYP:m RATDAT:d "
    "RATMLT:n BPRPAY:15 STRDUDDAT:d PTE:15 VAC:5 BPRSAC:4 DES:30 AMTNOT:n AMTTAX:n AMTATI:n PAZ:m STA:m ORIMOD:m "
    "YAPSTA:40"
)
_BOUGHT = (
    "NUM:20 PIDLIN:i PIVTYP:5 BPR:15 POHNUM:20 POPLIN:i TYPORI:m NUMORI:20 LINORI:i PTHNUM:20 PTDLIN:i ITMREF:20 "
    "ITMDES1:30 QTYUOM:n UOM:3 GROPRI:n NETPRI:n AMTNOTLIN:n AMTATILIN:n VAT:5 CPY:5"
)
_CODED = (
    "NUM:20 LIG:i FCYLIN:5 COA:l ACC:l SAC:4 BPRLIN:15 DES:30 AMTNOTLIN:n AMTATILIN:n AMTVAT:n VAT:5 TAX1:n TAX2:n "
    "QTY:n UOM:3 DSP:5 PURTYP:m PJTLIN:20"
)
_ENTRY = (
    "TYP:5 NUM:20 CPY:5 FCY:5 JOU:5 ACCDAT:d ENTDAT:d CAT:m STA:m CUR:3 DACDIA:5 DESVCR:30 REF:20 BPRVCR:20 "
    "BPRDATVCR:d REFINT:25 TYPRAT:m RATDAT:d RATMLT:n DUDDAT:d FLGPAZ:m FLGFUP:m ORIMOD:m ORIGIN:m RVS:m RVSDAT:d "
    "RVSORITYP:5 RVSORINUM:20 FIY:i PER:i"
)
_LINE = (
    "TYP:5 NUM:20 LIN:i LEDTYP:m IDTLIN:5 FCYLIN:5 CPY:5 COA:3 ACC:15 SAC:4 BPR:15 SNS:i AMTCUR:n AMTLED:n CUR:3 "
    "DES:30 TAX:5 QTY:n UOM:3 MTC:5 MTCDAT:d ACCNUM:i ACCDAT:d"
)
_OPEN = (
    "TYP:5 ACCNUM:i NUM:20 DUDLIG:i CPY:5 FCY:5 CUR:3 SAC:4 BPR:15 BPRTYP:m DUDDAT:d PAM:5 SNS:i AMTCUR:n PAYCUR:n "
    "TMPCUR:n AMTLOC:n PAYLOC:n TMPLOC:n FLGCLE:m FLGPAZ:m PAYDAT:d"
)
_PAYMENT = "NUM:20 PAYTYP:5 BPR:15 BAN:5 CPY:5 FCY:5 ACCDAT:d AMTCUR:n CUR:3 CHQNUM:20 DES:30 REF:20 APPFLG:m STA:m"
_PAID = "NUM:20 LIN:i VCRTYP:5 VCRNUM:20 DUDNUM:i DUDLIG:i AMTLIN:n CURLIN:3 DENCOD:5 BPRLIN:15"

TABLES = {
    table.name: table
    for table in (
        _table("BPSUPPLIER", "BPSNUM", _SUPPLIER),
        _table("BPARTNER", "BPRNUM", _PARTNER),
        _table("GACCOUNT", "COA ACC", _ACCOUNT),
        _table("GDIE", "DIE", "DIE:10 DES:60 DESSHO:20"),
        _table("CACCE", "DIE CCE", _CENTER),
        _table("PORDER", "POHNUM", _ORDER, "PORDERP PORDERQ"),
        _table("PORDERP", "POHNUM POPLIN POPSEQ", _PRICE),
        _table("PORDERQ", "POHNUM POPLIN POQSEQ", _QUANTITY),
        _table("PRECEIPT", "PTHNUM", _RECEIPT, "PRECEIPTD"),
        _table("PRECEIPTD", "PTHNUM PTDLIN", _RECEIVED),
        _table("PINVOICE", "NUM", _INVOICE, "BPSINVLIG PINVOICED"),
        _table("BPSINVLIG", "NUM LIG", _CODED, "BPSINVLIGA"),
        _table("BPSINVLIGA", "NUM LIG ANALIG", "NUM:20 LIG:i ANALIG:i DIE:l CCE:l AMT:n QTY:n"),
        _table("PINVOICED", "NUM PIDLIN", _BOUGHT),
        _table("GACCENTRY", "TYP NUM", _ENTRY, "GACCENTRYD"),
        _table("GACCENTRYD", "TYP NUM LIN LEDTYP", _LINE, "GACCENTRYA"),
        _table(
            "GACCENTRYA", "TYP NUM LIN LEDTYP ANALIN", "TYP:5 NUM:20 LIN:i LEDTYP:m ANALIN:i DIE:l CCE:l AMTCUR:n QTY:n"
        ),
        _table("GACCDUDATE", "ACCNUM DUDLIG", _OPEN),
        _table("PAYMENTH", "NUM", _PAYMENT, "PAYMENTD"),
        _table("PAYMENTD", "NUM LIN", _PAID),
    )
}


def uid(text: str) -> str:
    """Give the AUUID of what has this key, the same in each run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))
