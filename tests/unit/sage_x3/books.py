"""A folder of X3 in memory, behind the interface of its readers and writers: what no dialect is needed to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from ml_connector.errors import Held
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.conditions import Condition
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.invoices import InvoiceTarget
from ml_connector.systems.kit.rows import Batch, Spoiled
from ml_connector.systems.sage_x3.entities import Created, Entity, Record
from ml_connector.systems.sage_x3.invoices import Invoices
from ml_connector.systems.sage_x3.masters import Folder
from ml_connector.systems.sage_x3.orders import Orders
from ml_connector.systems.sage_x3.settings import Settings

JOURNAL_SETTINGS = {"entry_type": "BWINV", "journal": "ACH", "payable_account": "401000"}
PLAIN: dict[str, Any] = {
    "url": "https://x3.example:8124", "folder": "SEED", "auth": {"type": "basic", "user": "u", "password": "p"},
    "site": "FR011", "cost_center_dimension": "CCT", "chart": "FRA", "journal": JOURNAL_SETTINGS,
}  # fmt: skip


class Codes:
    """Every code is the same on both sides, unless a test maps or removes it."""

    def __init__(self) -> None:
        self.mapped: dict[tuple[str, str], str] = {}
        self.missing: set[tuple[str, str]] = set()

    def erp(self, kind: str, code: str) -> str:
        if (kind, code) in self.missing:
            raise Held(f"{kind}:{code}", "not mapped")
        return self.mapped.get((kind, code), code)

    def platform(self, kind: str, code: str) -> str:
        return code

    def named(self, kind: str, code: str) -> str:
        return code


class Books:
    """A `Reader` and a `Writer`. Records by entity; `answers` are given instead of creating, one after the other."""

    def __init__(self) -> None:
        accounts = ("401000", "445660", "658000", "606100", "606200", "445710")
        self.records: dict[str, list[Record]] = {
            "supplier": [{"BPSNUM": "FR053", "ENAFLG": 2}],
            "account": [{"COA": "FRA", "ACC": code, "ENAFLG": 2} for code in accounts],
            "dimension": [
                {"DIE": k, "CCE": c, "ENAFLG": 2} for k, c in (("CCT", "PROD"), ("CCT", "ADM"), ("PRJ", "P1"))
            ],
            "purchase_order": [],
            "receipt": [],
            "journal": [],
        }
        self.answers: list[Created | Fault] = []
        self.sent: list[Mapping[str, Any]] = []
        self.asked: list[tuple[str, Sequence[Condition]]] = []
        self.tells_key = True

    def pages(
        self, entity: Entity, where: Sequence[Condition], position: str | None, order: str | None = None
    ) -> Iterator[Batch[Record]]:
        self.asked.append((entity.name, where))
        rows = [
            {name: value for name, value in row.items() if not isinstance(value, list)}
            for row in self.records[entity.name]
            if all(meets(row, one) for one in where)
        ]
        yield Batch(rows, [entity.key_of(row) for row in rows])

    def by_keys(self, entity: Entity, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        for row in self.records[entity.name]:
            if (key := entity.key_of(row)) in keys:
                if row.get("cut"):
                    yield Batch([], [key], [Spoiled(key, "Its lines are not whole.", "")])
                else:
                    yield Batch([row], [key])

    def one(self, entity: Entity, key: str) -> Record | None:
        return next((row for row in self.records[entity.name] if entity.key_of(row) == key), None)

    def changed_field(self, entity: Entity) -> None:
        return None

    def properties(self, entity: Entity) -> frozenset[str]:
        return frozenset(self.records[entity.name][0]) if self.records[entity.name] else frozenset()

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        self.sent.append(body)
        if self.answers:
            return self.answers.pop(0)
        row = self.enter(body)
        return Created(entity.key_of(row), row) if self.tells_key else Created(None, {})

    def update(self, entity: Entity, key: str, changed: Mapping[str, Any]) -> None:
        raise AssertionError("nothing is changed")

    def enter(self, body: Mapping[str, Any], **more: Any) -> Record:
        """Write an entry as X3 keeps it."""
        number = f"BWINV2602-{len(self.records['journal']) + 1:04d}"
        row: Record = {"NUM": number, "STA": 1, "RVS": 1, "REFINT": " ", **body, **more}
        self.records["journal"].append(row)
        return row


def meets(row: Record, condition: Condition) -> bool:
    name, operator, value = condition
    told = row.get(name)
    if operator == "ge":
        return told is not None and told >= value
    if operator == "ne":
        return told != value
    return told in value if operator == "in" else told == value  # type: ignore[operator]


def target(
    books: Books, *, moves: bool = False, writer: Any = None, tolerance: str = "0.05", **settings: Any
) -> InvoiceTarget[Fault]:
    """Make the target of invoices over some books."""
    given = Settings.model_validate(PLAIN | settings)
    options = SimpleNamespace(closed_period="next_open" if moves else "hold", rounding_tolerance=Decimal(tolerance))
    context: Any = SimpleNamespace(
        options=options, outward=lambda *parts, limit: f"{parts[-1]}-{'0' * 16}", dimensions=("PRJ",)
    )
    folder = Folder(books, given)
    orders = Orders(books, given, folder.center_type)
    return InvoiceTarget(Invoices(books, writer or books, folder, orders, given, context), given, context)


def row(key: str = "1", **fields: Any) -> CodingRow:
    plain = {"account": "606100", "net": Decimal("100.00"), "tax": Decimal("20.00"), "tax_code": "445660"}
    return CodingRow(key=key, **{**plain, **fields})


def invoice(*rows: CodingRow, **fields: Any) -> Invoice:
    plain = {
        "key": "i1", "number": "F-2026/17", "company": "FR10", "supplier": "FR053", "currency": "EUR",
        "gross": Decimal("120.00"), "invoice_date": date(2026, 2, 3), "accounting_date": date(2026, 2, 10),
    }  # fmt: skip
    return Invoice(rows=rows or (row(),), **{**plain, **fields})


def lines(body: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Show lines as account, side with amount, and partner."""
    return [(one["ACC"], f"{one['SNS'] * one['AMTCUR']}", one.get("BPR", "")) for one in body["GACCENTRYD"]]
