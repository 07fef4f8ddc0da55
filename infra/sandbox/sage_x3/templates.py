"""Import and export templates: which columns a record of each letter has, in which order (dossier 5, E)."""

from __future__ import annotations

from dataclasses import dataclass, field

_HEAD = "TYP NUM FCY JOU ACCDAT DESVCR CUR DACDIA RATMLT DUDDAT FLGPAZ FLGFUP REF BPRVCR ENTDAT RATDAT"
_LINE = "TYP NUM LIN LEDTYP IDTLIN FCYLIN SAC ACC BPR DES SNS AMTCUR CUR"
_SHARE = "DIE CCE DIE CCE AMTCUR"


@dataclass
class Template:
    """A template of one customer.

    records: letter to its table and columns; `KEYS` of the table that stand in no record make each of them a creation.
    updates: the option that lets an existing record be changed. days: how dates are written, YYYYMMDD or DDMMYY.
    active, imports: whether it may be used, and for imports.
    """

    code: str
    table: str
    records: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    updates: bool = False
    days: str = "YYYYMMDD"
    active: bool = True
    imports: bool = True

    def without(self, column: str) -> Template:
        """Give the same template without a column, as some customers have it."""
        kept = {letter: (name, [c for c in row if c != column]) for letter, (name, row) in self.records.items()}
        return Template(self.code, self.table, kept, self.updates, self.days, self.active, self.imports)


def journal(code: str = "GACCENTRY", head: str = f"{_HEAD} REFINT BPRDATVCR") -> Template:
    """The journal import; the columns after RATDAT are the customer's own."""
    records = {
        "G": ("GACCENTRY", head.split()),
        "D": ("GACCENTRYD", _LINE.split()),
        "A": ("GACCENTRYA", _SHARE.split()),
    }
    return Template(code, "GACCENTRY", records)


def payment(code: str = "PAY") -> Template:
    """The payment import; APPFLG is the approval, 1 yes and 2 no, the reverse of the local menu."""
    records = {
        "P": ("PAYMENTH", ["NUM", "PAYTYP", "BPR", "BAN", "FCY", "CUR", "AMTCUR", "ACCDAT", "CHQNUM", "DES", "APPFLG"]),
        "D": ("PAYMENTD", ["DENCOD", "VCRTYP", "VCRNUM", "DUDNUM", "CURLIN", "AMTLIN"]),
    }
    return Template(code, "PAYMENTH", records)


def templates() -> dict[str, Template]:
    """Those that the folder has: GACCENTRY with REFINT, GASBARE as shipped without it, GASDMY in DDMMYY, PAY."""
    bare, days = journal("GASBARE", _HEAD), journal("GASDMY")
    days.days = "DDMMYY"
    suppliers = Template(
        "BPSEXP", "BPSUPPLIER", {"S": ("BPSUPPLIER", ["BPSNUM", "BPSNAM", "CUR", "UPDDAT"])}, imports=False
    )
    return {one.code: one for one in (journal(), bare, days, payment(), suppliers)}
