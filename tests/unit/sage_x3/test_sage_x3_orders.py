"""Orders of Sage X3: price and quantity rows joined, receipts put where they belong, and nothing read for nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from ml_connector.flow import Broken
from ml_connector.records import PurchaseOrder
from ml_connector.systems.kit.changes import ChangeField
from ml_connector.systems.kit.conditions import Condition, is_met_by
from ml_connector.systems.kit.declared import WHOLE, Entity, Record
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.sage_x3.faults import NotPublished
from ml_connector.systems.sage_x3.orders import Orders, joined
from ml_connector.systems.sage_x3.settings import Settings

SETTINGS = Settings.model_validate(
    {"url": "https://x3.example", "folder": "SEED", "auth": {"type": "basic", "user": "u", "password": "p"}}
)


class Reader:
    """Lists headers, and gives records with their lines by key."""

    def __init__(self, orders: Sequence[Record], receipts: Sequence[Record] = (), bare: Sequence[str] = ()) -> None:
        self.kept = {"purchase_order": list(orders), "receipt": list(receipts)}
        self.bare, self.asked = frozenset(bare), list[tuple[str, Any]]()

    def pages(
        self, entity: Entity, where: Sequence[Condition], position: str | None, order: str | None = None
    ) -> Iterator[Batch[Record]]:
        self.asked.append((entity.name, list(where)))
        rows = [self._head(one) for one in self.kept[entity.name] if is_met_by(one, where)]
        yield Batch(rows, [entity.key_of(row) for row in rows])

    def _head(self, record: Record) -> Record:
        return {name: value for name, value in record.items() if not isinstance(value, list)}

    def by_keys(self, entity: Entity, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        self.asked.append((entity.name, list(keys)))
        rows = [one | {WHOLE: True} for one in self.kept[entity.name] if entity.key_of(one) in keys]
        yield Batch(rows, [entity.key_of(row) for row in rows])

    def one(self, entity: Entity, key: str) -> Record | None:
        raise NotImplementedError

    def changed_field(self, entity: Entity) -> ChangeField | None:
        return None

    def properties(self, entity: Entity) -> frozenset[str]:
        if entity.name in self.bare:
            raise NotPublished("no such node")
        return frozenset(name for one in self.kept[entity.name] for name in self._head(one))


def head(**more: Any) -> Record:
    return {"POHNUM": "P1", "POHTYP": 1, "BPSNUM": "S1", "CUR": "EUR", "ORDDAT": "2026-01-05", "CLEFLG": 1, **more}


def price(line: int, **more: Any) -> Record:
    return {"POPLIN": line, "POPSEQ": 1, "ITMREF": "I", "NETPRI": Decimal("2.5"), "VAT": ["V1", ""], **more}


def quantity(line: int, sequence: int = 1, amount: Any = "4", **more: Any) -> Record:
    return {"POPLIN": line, "POQSEQ": sequence, "QTYUOM": amount, "UOM": "UN", "LINCLEFLG": 1, **more}


def converted(reader: Reader, center: str | None = None) -> tuple[dict[str, PurchaseOrder], list[Broken]]:
    orders, broken = Orders(reader, SETTINGS, lambda: center), list[Broken]()
    (batch,) = orders.changed("orders", None, None)
    return {one.key: one for one in orders.convert(batch.rows, broken)}, broken


def test_price_and_quantity_rows_of_a_number_are_one_line() -> None:
    order = head(
        PORDERP=[price(2000), price(1000, NETPRI="3")], PORDERQ=[quantity(1000), quantity(2000, LINAMT="9.99")]
    )
    (lines,) = [one.lines for one in converted(Reader([order]))[0].values()]
    assert [(one.key, one.quantity, one.unit_price, one.net, one.tax_code, one.unit) for one in lines] == [
        ("1000", Decimal(4), Decimal(3), Decimal(12), "V1", "UN"),
        ("2000", Decimal(4), Decimal("2.5"), Decimal("9.99"), "V1", "UN"),
    ]


def test_several_quantity_rows_of_a_line_are_lines_of_their_own() -> None:
    order = head(PORDERP=[price(1000)], PORDERQ=[quantity(1000, 1), quantity(1000, 2, "6")])
    lines = converted(Reader([order]))[0]["P1"].lines
    assert [(one.key, one.number, one.quantity, one.item) for one in lines] == [
        ("1000~1", "1000", Decimal(4), "I"),
        ("1000~2", "1000", Decimal(6), "I"),
    ]


def received(line: int, sequence: int | None, amount: str, number: int = 1000) -> Record:
    named = {} if sequence is None else {"POQSEQ": sequence}
    return {"PTDLIN": number, "POHNUM": "P1", "POPLIN": line, "QTYUOM": amount, "NETPRI": "2.5", **named}


def receipt(*lines: Record, **more: Any) -> Record:
    return {"PTHNUM": "R1", "BPSNUM": "S1", "RCPDAT": "2026-02-01", "PRECEIPTD": list(lines), **more}


def test_a_receipt_is_put_on_the_quantity_row_that_it_names() -> None:
    order = head(PORDERP=[price(1000), price(2000)], PORDERQ=[quantity(1000, 1), quantity(1000, 2), quantity(2000, 7)])
    book = receipt(received(1000, 2, "3"), received(2000, None, "1", 2000), received(1000, None, "1", 3000))
    lines = converted(Reader([order], [book]))[0]["P1"].lines
    assert [[(one.key, one.quantity, one.net) for one in line.receipts] for line in lines] == [
        [("R1~3000", Decimal(1), Decimal("2.5"))],
        [("R1~1000", Decimal(3), Decimal("7.5"))],
        [("R1~2000", Decimal(1), Decimal("2.5"))],
    ]


def test_goods_sent_back_take_a_receipt_back() -> None:
    order = head(PORDERP=[price(1000)], PORDERQ=[quantity(1000)])
    book = receipt(received(1000, 1, "3"), received(1000, 1, "-1", 2000))
    (line,) = converted(Reader([order], [book]))[0]["P1"].lines
    assert [(one.quantity, one.reverses) for one in line.receipts] == [(Decimal(3), None), (Decimal(-1), "R1~1000")]


def test_receipts_are_asked_for_only_where_something_was_received() -> None:
    reader = Reader([head(RCPFLG=1, PORDERQ=[quantity(1000)])], [receipt()])
    converted(reader)
    assert [what for what, _ in reader.asked if what == "receipt"] == []
    reader = Reader([head(RCPFLG=2, PORDERQ=[quantity(1000)])], [receipt()])
    converted(reader)
    (asked,) = [asked for what, asked in reader.asked if what == "receipt" and isinstance(asked[0], tuple)]
    assert asked[0] == ("BPSNUM", "in", ["S1"]) and asked[1][:2] == ("RCPDAT", "ge")


def test_receipts_that_are_listed_line_by_line_are_asked_for_by_order() -> None:
    line = {"PTHNUM": "R1", **received(1000, 1, "3")}
    other = {"PTHNUM": "R1", **received(1000, 1, "9", 2000), "POHNUM": "P2"}
    reader = Reader([head(PORDERQ=[quantity(1000)])], [line, other])
    (ordered,) = converted(reader)[0]["P1"].lines
    assert [one.key for one in ordered.receipts] == ["R1~1000"]
    assert ("receipt", [("POHNUM", "in", ["P1"])]) in reader.asked


def test_a_receipt_that_cannot_be_read_is_told_of_and_costs_no_order() -> None:
    order = head(PORDERP=[price(1000)], PORDERQ=[quantity(1000)])
    found, broken = converted(Reader([order], [receipt(received(1000, 1, "many"))]))
    assert found["P1"].lines[0].receipts == () and broken[0].key == "receipt~R1~1000"


def test_where_the_schema_has_no_receipts_orders_are_read_without_them_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "ml_connector"):
        found, broken = converted(Reader([head(PORDERQ=[quantity(1000)])], bare=["receipt"]))
    assert found.keys() == {"P1"} and not broken and "without receipts" in caplog.text


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (head(BPSNUM=" ", PORDERQ=[quantity(1000)]), "BPSNUM"),
        (head(CUR="", PORDERQ=[quantity(1000)]), "CUR"),
        (head(CLEFLG="maybe", PORDERQ=[quantity(1000)]), "CLEFLG"),
        (head(PORDERQ=[quantity(1000, amount="a few")]), "QTYUOM"),
        (head(PORDERQ=[{"POQSEQ": 1, "POPLIN": ""}]), "POPLIN"),
    ],
)
def test_an_order_that_cannot_be_read_costs_only_itself(order: Record, said: str) -> None:
    found, broken = converted(Reader([order | {"POHNUM": "BAD"}, head(PORDERQ=[quantity(1000)])]))
    assert found.keys() == {"P1"} and [one.key for one in broken] == ["BAD"] and said in broken[0].reason


def test_contracts_are_not_read_with_their_lines() -> None:
    reader = Reader([head(POHTYP=2, PORDERQ=[quantity(1000)])])
    assert converted(reader) == ({}, [])
    assert [asked for what, asked in reader.asked if asked == ["P1"]] == []


def test_a_line_inherits_the_coding_of_its_order() -> None:
    order = head(
        DIE=["CCT", "PRJ"],
        CCE=["C1", " "],
        PORDERQ=[quantity(1000), quantity(2000, DIE=["CCT", "PRJ"], CCE=["C2", "J1"])],
    )
    lines = converted(Reader([order]), "CCT")[0]["P1"].lines
    assert [(one.cost_center, one.dimensions) for one in lines] == [
        ("C1", (("CCT", "C1"),)),
        ("C2", (("CCT", "C2"), ("PRJ", "J1"))),
    ]


def test_a_line_with_a_price_and_no_quantity_row_is_a_service_of_its_price() -> None:
    assert list(joined({"PORDERP": [price(1000)]})) == ["1000"]
    (line,) = converted(Reader([head(PORDERP=[price(1000, ITMREF="", ITMDES="Rent", NETPRI="90")])]))[0]["P1"].lines
    assert (line.service, line.quantity, line.unit_price, line.net, line.description) == (
        True,
        Decimal(1),
        Decimal(90),
        Decimal(90),
        "Rent",
    )
