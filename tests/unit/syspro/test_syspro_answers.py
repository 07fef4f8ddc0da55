"""What SYSPRO's answers mean, whatever the status: words that begin with ERROR, errors below fields, counts."""

from __future__ import annotations

import httpx
import pytest

from ml_connector.systems.http import Reply
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.xml import parsed
from ml_connector.systems.kit.xml_faults import refusal_in
from ml_connector.systems.syspro.faults import ENET, MARKS, error_in


def reply(body: str, status: int = 200) -> Reply:
    return Reply(status, httpx.Headers(), body.encode("cp1252"))


def refusal(body: str) -> Fault | None:
    return refusal_in(parsed(body), reply(body), MARKS)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("ERROR: Invalid operator password", ""),
        ("ERROR: e.net exception raised: 100000\n ", "100000"),
        ('"ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"', ""),
        ("<string>ERROR: e.net exception raised: 100032</string>", "100032"),
        ("\r\nError: something", ""),
    ],
)
def test_words_that_begin_with_error_are_one_whatever_the_status(body: str, code: str, status: int) -> None:
    fault = error_in(reply(body, status))
    assert fault is not None and fault.code == code


def test_other_words_are_no_error() -> None:
    assert error_in(reply("<Item><Name>ERROR LIGHT</Name></Item>")) is None
    assert error_in(reply("0")) is None


def test_what_is_not_licensed_is_said_of_the_object() -> None:
    fault = error_in(reply("ERROR: e.net exception raised: 100000"))
    assert fault is not None and "not licensed: APSTIN" in str(ENET.lasting("APSTIN", fault))
    other = error_in(reply("ERROR: e.net exception raised: 100032"))
    assert other is not None and ENET.lasting("APSTIN", other) is None


ITEM = (
    "<postapinvoice><Item><ItemNumber>00001</ItemNumber><supplier><Value>S9</Value><ErrorNumber>{}</ErrorNumber>"
    "<ErrorDescription>{}</ErrorDescription></supplier></Item>{}</postapinvoice>"
)


@pytest.mark.parametrize("counts", ["", "<StatusOfItems><ItemsProcessed>00001</ItemsProcessed></StatusOfItems>"])
def test_an_error_below_a_field_is_a_refusal_whatever_is_counted(counts: str) -> None:
    fault = refusal(ITEM.format("120001", "Supplier 'S9' not found", counts))
    assert fault is not None and (fault.code, fault.fields, fault.warnings) == ("120001", ("supplier",), False)
    assert "S9" in fault.text and "not found" in fault.text


@pytest.mark.parametrize("number", ["00001", "000001", "1"])
def test_a_count_of_any_length_is_a_refusal_without_words_too(number: str) -> None:
    for name in ("ItemsInvalid", "RecordsInvalid", "PostingsInvalid", "itemsinvalid"):
        assert refusal(f"<a><StatusOfItems><{name}>{number}</{name}></StatusOfItems></a>") is not None


def test_empty_errors_zero_counts_and_missing_counts_are_no_refusal() -> None:
    assert refusal(ITEM.format("", "", "")) is None
    assert (
        refusal(ITEM.format("000000", "", "<StatusOfItems><ItemsInvalid>000000</ItemsInvalid></StatusOfItems>")) is None
    )
    assert refusal("<postapinvoice><Item><Key><Journal>77</Journal></Key></Item></postapinvoice>") is None


def test_warnings_alone_refuse_where_nothing_was_taken() -> None:
    warned = "<WarningMessages><WarningDescription>Supplier on hold</WarningDescription></WarningMessages>"
    for counts in ("", "<ItemsRejectedWithWarnings>000001</ItemsRejectedWithWarnings>"):
        fault = refusal(f"<a><Item>{warned}</Item>{counts}</a>")
        assert fault is not None and fault.warnings and fault.text == "Supplier on hold"
    assert refusal(f"<a><Item>{warned}</Item><ItemsProcessedWithWarnings>1</ItemsProcessedWithWarnings></a>") is None
