"""XML is made so that no encoding can change it, and read so that it can do no harm."""

from __future__ import annotations

import pytest

from ml_connector.errors import Rejected
from ml_connector.systems.kit.xml import (
    below,
    child,
    children,
    decoded,
    element,
    fields,
    name_of,
    parsed,
    printable,
    text_of,
    unwrapped,
    without,
    written,
)


def test_a_mapping_becomes_elements_in_its_order_and_a_list_several_of_one_name() -> None:
    made = element("Post", {"A": "1", "Gone": None, "B": [{"C": "2"}, {"C": ""}], "D": {"E": "x"}}, kind="k")
    assert written(made) == '<Post kind="k"><A>1</A><B><C>2</C></B><B><C /></B><D><E>x</E></D></Post>'


def test_what_is_written_is_ascii_and_says_the_same() -> None:
    text = "Müller & Söhne <\"'> € Ω 漢"
    sent = written(element("Name", text))
    assert sent.isascii() and text_of(parsed(sent)) == text


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ufffe", "\ud800"])
def test_text_that_xml_cannot_hold_is_refused_and_named(bad: str) -> None:
    with pytest.raises(Rejected, match="cannot be sent as Invoice"):
        element("Item", {"Invoice": f"R{bad}1"})
    assert printable(f"R{bad}1") == "R 1"


@pytest.mark.parametrize(
    "harmful",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>',
        '<!DOCTYPE a SYSTEM "http://elsewhere.example/a.dtd"><a/>',
        "<!doctype html><html><body>Sign in</body></html>",
        "<a><b></a>",
        "",
        "no XML at all",
    ],
)
def test_entities_document_types_and_what_is_not_whole_are_refused(harmful: str) -> None:
    with pytest.raises(ValueError, match=r"safety|whole"):
        parsed(harmful)


def test_characters_that_may_not_stand_there_cost_only_themselves() -> None:
    root = parsed("<Rows><Row><Name>a\x01b</Name></Row><Row><Name>c&#x1F;d&#11;e&#xA;f</Name></Row></Rows>")
    assert [text_of(row, "Name") for row in children(root, "row")] == ["a b", "c d e\nf"]


def test_nesting_without_end_is_read_or_refused_but_never_a_crash() -> None:
    deep = "<a>" * 20_000 + "x" + "</a>" * 20_000
    assert sum(1 for _ in below(parsed(deep), "a")) == 20_000


def test_names_are_compared_without_case_and_namespace() -> None:
    root = parsed('<postapinvoice xmlns="urn:x"><ITEM><Supplier> S1 </Supplier></ITEM></postapinvoice>')
    assert name_of(root) == "postapinvoice"
    assert text_of(root, "Item", "supplier") == " S1 ", "spaces belong to a key"
    assert fields(next(children(root, "item"))) == {"Supplier": " S1 "}
    assert child(root, "Item", "Invoice") is None and text_of(root, "Item", "Invoice") == ""


def test_what_stands_below_is_found_with_what_it_stands_in() -> None:
    root = parsed("<a><b><c><Error>1</Error></c></b><error>2</error></a>")
    found = [([name_of(one) for one in inside], text_of(one)) for inside, one in below(root, "ERROR")]
    assert found == [(["a", "b", "c"], "1"), (["a"], "2")]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'<?xml version="1.0" encoding="Windows-1252"?><a>\xfc\x80</a>', "ü€"),
        ("<?xml version='1.0' encoding='utf-8'?><a>ü€</a>".encode(), "ü€"),
        ("<a>ü€</a>".encode(), "ü€"),
        ("<a>ü€</a>".encode("cp1252"), "ü€"),
        ('<?xml version="1.0" encoding="no-such"?><a>ü</a>'.encode("cp1252"), "ü"),
    ],
)
def test_the_declared_encoding_counts_then_utf_8_then_the_vendors_own(body: bytes, text: str) -> None:
    assert text_of(parsed(decoded(body, "cp1252"))) == text


@pytest.mark.parametrize(
    "wrapped",
    [
        b"<a>\xfc</a>",
        b'"<a>\\u00fc</a>"',
        '"<a>ü</a>"'.encode(),
        '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">&lt;a&gt;ü&lt;/a&gt;</string>'.encode(),
        b'"<string>&lt;a&gt;\\u00fc&lt;/a&gt;</string>"',
    ],
)
def test_a_text_is_taken_out_of_its_wrapping(wrapped: bytes) -> None:
    assert text_of(parsed(unwrapped(wrapped, "cp1252"))) == "ü"


@pytest.mark.parametrize("torn", [b'"<a>', b"<string>&lt;a", b"", b'"'])
def test_a_torn_wrapping_is_shown_as_it_came(torn: bytes) -> None:
    assert unwrapped(torn, "cp1252") == torn.decode()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('<a><w:Out x="1">no <b>\n</b></w:Out>yes</a>', "<a>yes</a>"),
        ("<Out><![CDATA[no]]></Out>yes<OUT>no</OUT>", "yes"),
        ("<Outer>yes</Outer><Out>yes, it has no end", "<Outer>yes</Outer><Out>yes, it has no end"),
        ("plain", "plain"),
    ],
)
def test_elements_are_taken_out_of_a_text_with_all_that_is_in_them(text: str, left: str) -> None:
    assert without(text, "Out") == left
