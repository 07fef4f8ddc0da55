"""Files of a data export: every row of JSON or CSV, packed or not, or an error; never a part for the whole."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest

from ml_connector.systems.kit import data_files
from ml_connector.systems.kit.data_files import folded, rows

PLAIN = [{"a": 1, "b": "ä,\n[x]"}, {"a": 2, "b": "{"}]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("piece", [1, 7, 10_000])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(PLAIN),
        json.dumps(PLAIN, indent=1, ensure_ascii=False),
        "\n".join(json.dumps(row) for row in PLAIN),
        json.dumps({"IA_INVOICE": PLAIN}),
        "\ufeff" + json.dumps(PLAIN) + "\n",
    ],
    ids=["array", "indented", "lines", "wrapped", "with a mark"],
)
def test_json_in_each_form_is_read_row_by_row(
    text: str, piece: int, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_files, "PIECE", piece)
    body = text.encode()
    assert list(rows(gzip.compress(body) if packed else body)) == PLAIN


@pytest.mark.parametrize("piece", [1, 7, 10_000])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv_is_read_with_whatever_parts_its_columns(mark: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "PIECE", piece)
    text = mark.join("ab") + "\r\n" + mark.join(["1", '"x\r\n""y"""']) + "\r\n" + mark.join(["2", ""])
    assert list(rows(text.encode("utf-8-sig"))) == [{"a": "1", "b": 'x\r\n"y"'}, {"a": "2", "b": ""}]


def test_amounts_keep_every_digit() -> None:
    assert list(rows(b'[{"a":12345678901234567.89}]')) == [{"a": Decimal("12345678901234567.89")}]


@pytest.mark.parametrize("body", [b"[]", b"a,b\r\n"])
def test_a_table_may_have_no_rows(body: bytes) -> None:
    assert list(rows(body)) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'[{"a":1}',
        b'[{"a":1},{"a":',
        b'[{"a":1}] x',
        b"<html><body>Sorry, not now</body></html>",
        b"Sorry",
        b'a,b\r\n1,"2',
        gzip.compress(json.dumps(PLAIN * 1000).encode())[:-9],
        b"\x1f\x8bnothing",
        b"\xff\xfe\xfa,\n",
    ],
)
def test_what_is_cut_short_or_something_else_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(rows(body))


def test_a_row_without_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "LONGEST", 1000)
    with pytest.raises(ValueError, match="not whole JSON"):
        list(rows(b'[{"a":"' + b"x" * 600_000))


def test_names_of_columns_are_one_however_they_are_spelt() -> None:
    assert {folded(name) for name in ("INVOICE_ID", "invoiceId", "Invoice Id")} == {"invoiceid"}
