"""What does not fit in a record is said in words, with the field's path; msgspec's own never reach a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest

from ml_connector.systems.basware.invoice_document import Wire
from ml_connector.systems.decode_errors import decode_error

GOOD = {
    "invoiceId": "i",
    "companyCode": "1000",
    "supplierCode": "V1",
    "currencyCode": "EUR",
    "grossSum": Decimal(1),
    "invoiceNumber": "n",
}


class Other(msgspec.Struct):
    """What no invoice has: bounds, choices, tables."""

    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    kind: Literal["a", "b"] | None = None
    table: dict[str, int] | None = None
    rows: Annotated[list[int], msgspec.Meta(min_length=1)] | None = None


def said(kind: type, value: Any) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(value, kind)
    return decode_error(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"invoiceNumber": "7" * 120}, "the field invoiceNumber has more than 100 characters"),
        ({"currencyCode": "E"}, "the field currencyCode has fewer than 2 characters"),
        ({"grossSum": "abc"}, "the field grossSum holds a string that is not a number"),
        ({"grossSum": None}, "the field grossSum holds nothing (null) where a number is expected"),
        ({"paymentBlock": "yes"}, "the field paymentBlock holds a string where true or false is expected"),
        ({"codingRows": {}}, "the field codingRows holds an object where a list is expected"),
        (
            {"codingRows": [{}, {"netTotal": []}]},
            "the field codingRows[2].netTotal holds a list where a number is expected",
        ),
        (
            {"codingRows": [{}, {"accountCode": 5}]},
            "the field codingRows[2].accountCode holds an integer where a string is expected",
        ),
        ({"codingRows": [5]}, "the field codingRows[1] holds an integer where an object is expected"),
    ],
)
def test_a_field_of_an_invoice(change: dict[str, Any], words: str) -> None:
    assert said(Wire, GOOD | change) == words


def test_what_is_missing_and_what_is_no_object_at_all() -> None:
    assert said(Wire, {k: v for k, v in GOOD.items() if k != "supplierCode"}) == "the field supplierCode is missing"
    assert said(list[Wire], [GOOD, {}]) == "the field [2].invoiceId is missing"
    assert said(Wire, []) == "it holds a list where an object is expected"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"count": 0}, "the field count is less than 1"),
        ({"kind": "z"}, "the field kind holds 'z', which is none of the values that are known"),
        ({"table": {"k": "v"}}, "the field table[...] holds a string where an integer is expected"),
        ({"rows": []}, "the field rows has fewer than 1 entries"),
    ],
)
def test_bounds_and_choices(value: Any, words: str) -> None:
    assert said(Other, value) == words


def test_what_was_worded_by_ourselves_stays_as_it_is() -> None:
    assert decode_error(ValueError("DocDate '2026-02-30' is no date.")) == "DocDate '2026-02-30' is no date"
    assert decode_error(ValueError()) == "ValueError"
