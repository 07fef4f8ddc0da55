"""What open items say: paid, entered, taken back; and what the lines of a posted invoice or its entry are coded to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ml_connector.errors import Held
from ml_connector.systems.kit.open_items import OpenItems
from ml_connector.systems.kit.posted_coding import Head, PostedCoding
from ml_connector.systems.sage_x3.entities import JOURNAL, OPEN_ITEM
from ml_connector.systems.sage_x3.posting import COLUMNS
from ml_connector.systems.sage_x3.supplier_invoices import ITEMS, LINES, ordered
from tests.unit.sage_x3.books import Books

ITEM = {"NUM": "B1", "ACCNUM": 7, "DUDLIG": 1, "BPR": "FR053", "AMTCUR": 100, "PAYCUR": 0, "TMPCUR": 0, "FLGCLE": 1}


def items(*rows: dict[str, Any]) -> Any:
    books = Books()
    books.records["open_item"] = [{**ITEM, "DUDLIG": n, **row} for n, row in enumerate(rows, 1)]
    return OpenItems(books, OPEN_ITEM.as_configured({}), ITEMS, "X3").of({"B1": {"FR053"}})["B1"]


@pytest.mark.parametrize(
    ("rows", "state", "left"),
    [
        ([], "none", 0),
        ([{}], "open", 100),
        ([{"PAYCUR": 40}], "part", 60),
        ([{"TMPCUR": 100}], "paid", 0),
        ([{"PAYCUR": 60, "TMPCUR": 40}], "paid", 0),
        ([{"PAYCUR": 98, "FLGCLE": 2}], "paid", 0),
        ([{"FLGCLE": 2}], "closed", 0),
        ([{"PAYCUR": 100, "FLGCLE": 2}, {}], "part", 100),
        ([{"BPR": "ELSE"}], "none", 0),
    ],
)
def test_how_a_document_stands(rows: list[dict[str, Any]], state: str, left: int) -> None:
    found = items(*rows)
    assert (found.state, found.left) == (state, left)


def coded(head: dict[str, Any], *entry: tuple[str, int, int, str], net: int = 100, tax: str | None = None) -> Any:
    books = Books()
    lines = [
        {"LIN": n, "LEDTYP": 1, "ACC": account, "SNS": sign, "AMTCUR": Decimal(value), "BPR": partner}
        for n, (account, sign, value, partner) in enumerate(entry, 1)
    ]
    books.records["journal"] = [{"TYP": "PIINV", "NUM": "B1", "GACCENTRYD": lines}]
    reader = PostedCoding(books, JOURNAL.as_configured({}), COLUMNS, LINES, lambda: "FRA", "X3", "DES", tax)
    found = reader.rows(Head("B1", "invoice B1", {"FR053"}, Decimal(net)), head)
    return [(row.account, int(row.net or 0)) for row in found]


PARTNER = ("401000", -1, 120, "FR053")


def test_taxes_are_what_is_left_out_for_the_rest_to_make_the_net_amount() -> None:
    assert coded({}, ("606100", 1, 100, ""), ("445660", 1, 20, ""), PARTNER) == [("606100", 100)]


def test_a_tax_account_that_is_named_is_left_out_where_two_would_fit() -> None:
    entry = (("606100", 1, 60, ""), ("445660", 1, 60, ""), ("401000", -1, 120, "FR053"))
    with pytest.raises(Held, match="not known"):
        coded({}, *entry, net=60)
    assert coded({}, *entry, net=60, tax="445660") == [("606100", 60)]


def test_an_entry_of_another_partner_is_not_the_invoices() -> None:
    with pytest.raises(Held) as caught:
        coded({}, ("606100", 1, 100, ""), ("401000", -1, 100, "FR054"))
    assert caught.value.waiting_for == "account:B1"


def test_a_share_that_is_missing_is_an_error() -> None:
    shares = [{"DIE": ["CCT"], "CCE": ["PROD"], "AMT": 50}, {"DIE": ["CCT"], "CCE": ["ADM"], "AMT": 20}]
    line = {"LIG": 1, "ACC": "606100", "AMTNOTLIN": 100, "BPSINVLIGA": shares}
    with pytest.raises(ValueError, match="make 70 instead of 100"):
        coded({"BPSINVLIG": [line]})
    shares[1]["AMT"] = 50
    assert coded({"BPSINVLIG": [line]}) == [("606100", 50), ("606100", 50)]


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ({"POHNUM": "PO1", "POPLIN": 1000}, ("PO1", "1000")),
        ({"POHNUM": " ", "NUMORI": "PO2", "LINORI": 2000, "TYPORI": 2}, ("PO2", "2000")),
        ({"NUMORI": "RC1", "TYPORI": 4}, (None, None)),
    ],
)
def test_a_receipts_number_is_no_order(line: dict[str, Any], order: tuple[str | None, str | None]) -> None:
    assert ordered(line) == order
