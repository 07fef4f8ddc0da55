"""Receipts and returns by the order lines that they are about, whatever an ERP calls these."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ml_connector.records import Receipt
from ml_connector.systems.kit.orders import ReceiptBook

LINE, OTHER = ("PO1", "10"), ("PO1", "20")


def receipt(key: str, quantity: str, net: str | None = None) -> Receipt:
    return Receipt(key=key, number=key[0], quantity=Decimal(quantity), net=Decimal(net) if net else None)


@pytest.fixture
def book() -> ReceiptBook:
    book = ReceiptBook()
    book.enter(*LINE, number="1", item="BOLT")
    book.enter(*OTHER, number="2", item="BOLT")
    book.take(LINE, receipt("A~1", "5", "50"))
    book.take(OTHER, receipt("B~1", "3"))
    return book


def test_a_line_goes_by_its_key_and_by_names_that_it_may_share(book: ReceiptBook) -> None:
    assert (book.called("PO1", "key", "10"), book.called("PO1", "number", "2")) == (["10"], ["20"])
    assert book.called("PO1", "item", "BOLT") == ["10", "20"]
    assert book.called("PO2", "key", "10") == book.called("PO1", "item", None) == []


@pytest.mark.parametrize("sign", ["2", "-2"])
def test_a_return_is_negative_on_the_line_of_the_receipt_that_it_takes_back(book: ReceiptBook, sign: str) -> None:
    book.give_back(receipt("C~1", sign, "20"), "A~1")
    _, back = book.of(*LINE)
    assert (back.quantity, back.net, back.reverses) == (Decimal(-2), Decimal(-20), "A~1")


def test_a_return_that_names_no_receipt_is_on_the_line_that_is_given_and_else_on_none(book: ReceiptBook) -> None:
    book.give_back(receipt("C~1", "1"), None, OTHER)
    book.give_back(receipt("D~1", "1"), "gone")
    assert [one.key for one in (*book.of(*LINE), *book.of(*OTHER))] == ["A~1", "B~1", "C~1"]


def test_a_receipt_is_found_by_number_and_line_and_a_return_is_none(book: ReceiptBook) -> None:
    book.give_back(receipt("C~1", "1"), "B~1")
    found = book.received("B")
    assert found is not None and (found[0], found[1].key) == (OTHER, "B~1")
    assert book.received("B", LINE) is None and book.received("C") is None
    assert book.received(None, OTHER) == found


def test_what_was_nothing_is_no_receipt() -> None:
    book = ReceiptBook()
    book.take(LINE, receipt("A~1", "0"))
    book.give_back(receipt("C~1", "0"), None, LINE)
    assert book.of(*LINE) == () and book.taken("A~1") is None
