"""COMFND and COMFCH."""

from __future__ import annotations

import pytest

from infra.sandbox.syspro import back_office
from tests.contract.sandbox_syspro.conftest import parsed, xml

SUPPLIER = ["Supplier", "SupplierName"]


def test_rows_come_below_a_root_named_after_the_table(api):
    text = api.find("ApSupplier", ["Supplier", "CurrentBalance", "LastPurchDate", "Fax"], ("Supplier", "EQ", "V10000"))
    assert text.startswith('<?xml version="1.0" encoding="Windows-1252"?><ApSupplier Language=\'05\'')
    assert "<Row><Supplier>V10000</Supplier><CurrentBalance>              0.00</CurrentBalance>" in text
    assert "<LastPurchDate>0000-00-00</LastPurchDate><Fax/></Row><RowsReturned>      1</RowsReturned>" in text


def test_letters_beyond_ascii_are_windows_1252(api):
    (row,) = api.rows("ApSupplier", SUPPLIER, ("Supplier", "EQ", "V10078"))
    assert row["SupplierName"] == "€uro Parts – 100% Übermaß"
    found = api.get(
        "/Query/Query",
        UserId=api.user_id,
        BusinessObject="COMFND",
        XmlIn=xml("Query", {"TableName": "ApSupplier", "Columns": {"Column": "SupplierName"}}),
    )
    assert "€uro".encode("cp1252") in found.content


def test_no_number_of_rows_or_zero_gives_all(api, world):
    assert len(api.rows("ApSupplier", SUPPLIER)) == len(world.rows("ApSupplier")) == 304
    assert parsed(api.find("ApSupplier", SUPPLIER)).findtext("RowsReturned") == "    304"
    assert len(api.rows("ApSupplier", SUPPLIER, rows=5)) == 5


def test_pages_go_by_the_last_key(api, world):
    found, last = [], "!"
    while page := api.rows("ApSupplier", SUPPLIER, ("Supplier", "GT", last), rows=50, order=["Supplier"]):
        found += [row["Supplier"] for row in page]
        last = found[-1]
    assert found == sorted(row["Supplier"] for row in world.rows("ApSupplier") if row["Supplier"] > "!")


def test_nobody_promises_an_order_that_was_not_asked_for(api):
    orders = {tuple(row["Supplier"] for row in api.rows("ApSupplier", SUPPLIER)) for _ in range(3)}
    assert len(orders) == 3
    days = [[r["PurchaseOrder"] for r in api.rows("PorMasterHdr", ["PurchaseOrder"], order=["Supplier"])] for _ in "12"]
    assert days[0] != days[1]  # ties


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("EQ", {"V10001"}),
        ("GT", {"V10002"}),
        ("GE", {"V10001", "V10002"}),
        ("LT", {"V10000"}),
        ("LE", {"V10000", "V10001"}),
    ],
)
def test_conditions(api, condition, wanted):
    rows = api.rows(
        "ApSupplier",
        SUPPLIER,
        ("Supplier", "GE", "V10000"),
        ("Supplier", "LE", "V10002"),
        ("Supplier", condition, "V10001"),
    )
    assert {row["Supplier"] for row in rows} == wanted


def test_not_equal_is_not_known_unless_the_switch_says_so(api, world):
    assert api.find("ApSupplier", SUPPLIER, ("Supplier", "NE", "V10001")).startswith("ERROR: Condition 'NE'")
    world.not_equal = True
    assert len(api.rows("ApSupplier", SUPPLIER, ("Supplier", "NE", "V10001"))) == 303


def where(text: str) -> str:
    return f"<Query><TableName>ApSupplier</TableName><Columns><Column>Supplier</Column></Columns>{text}</Query>"


def condition(value: str, joint: str = "And", opened: str = "", closed: str = "") -> str:
    return xml(
        "Expression",
        {
            "OpenBracket": opened,
            "AndOr": joint,
            "Column": "Supplier",
            "Condition": "EQ",
            "Value": value,
            "CloseBracket": closed,
        },
    )


def test_and_binds_closer_than_or_and_brackets_closer_still(api):
    def found(*parts: str) -> set[str]:
        text = api.query(where(f"<Where>{''.join(parts)}</Where>"))
        return {node.text or "" for node in parsed(text).iter("Supplier")}

    one, two, three = condition("V10001"), condition("V10002", "Or"), condition("V10003")
    assert found(one, two, three) == {"V10001"}
    assert found(condition("V10001", opened="("), condition("V10002", "Or", closed=")"), three) == set()


@pytest.mark.parametrize(
    "broken",
    [
        "<Where>Supplier = 'V10001'</Where>",
        "<Where><Expression>Supplier = 'V10001'</Expression></Where>",
        f"<Where>{condition('V10001').replace('<AndOr>And</AndOr>', '')}</Where>",
        f"<Where>{condition('V10001', opened='(')}</Where>",
        f"<Where>{condition('V10001').replace('</Expression>', condition('V10002')[12:])}</Where>",
        "<OrderBy><Column>NoSuch</Column></OrderBy>",
        "<ReturnRows>many</ReturnRows>",
        "<Where><Expression></Where>",
    ],
)
def test_what_is_no_query_is_an_error(api, broken):
    assert api.query(where(broken)).startswith("ERROR: ")


def test_unknown_names_and_columns_that_compare_with_nothing_are_errors(api):
    assert api.find("NoTable", ["X"]) == "ERROR: Table 'NoTable' not found"
    assert "Column 'PostDate' not found" in api.find("ApInvoice", ["PostDate"])
    assert "cannot be compared" in api.find("ApSupplier", SUPPLIER, ("TimeStamp", "GT", "0"))
    assert "not a date" in api.find("PorMasterHdr", ["Supplier"], ("DatePoCompleted", "EQ", "0000-00-00"))


def test_a_document_type_is_refused(api):
    bomb = '<!DOCTYPE Query [<!ENTITY a "aaaaaaaaaa">]><Query><TableName>&a;</TableName></Query>'
    assert api.query(bomb) == "ERROR: XmlIn may not declare a document type"


def test_dates_and_numbers_compare_as_such(api, world):
    rows = api.rows("PorMasterHdr", ["OrderEntryDate"], ("OrderEntryDate", "GE", "2026-01-01"))
    assert rows and all(row["OrderEntryDate"] >= "2026-01-01" for row in rows)
    assert all(int(row["Line"]) < 3 for row in api.rows("PorMasterDetail", ["Line"], ("Line", "LT", " 3")))
    number = next(r["PurchaseOrder"] for r in world.rows("PorMasterHdr") if r["OrderStatus"] == "1")
    back_office.complete(world, number)
    (row,) = api.rows("PorMasterHdr", ["DatePoCompleted"], ("PurchaseOrder", "EQ", number))
    assert row["DatePoCompleted"] == "2026-02-10"


def test_keys_are_raw_and_texts_compare_with_case(api, world):
    def found(code: str) -> int:
        return len(api.rows("ApSupplier", SUPPLIER, ("Supplier", "EQ", code)))

    assert [found(code) for code in ("0000001200", "1200", " 00001", "00001", "v10001", "V10001  ")] == [
        1,
        0,
        1,
        0,
        0,
        1,
    ]
    world.binary_collation = False
    assert found("v10001") == 1


def test_accounts_of_all_companies_stand_in_one_table(api, world):
    rows = api.rows("GenMaster", ["Company", "GlCode"])
    assert {row["Company"] for row in rows} == {"A", "B"}
    own = api.rows("GenMaster", ["GlCode", "AccountType"], ("Company", "EQ", "A"))
    assert len(own) == len(rows) - 2
    assert {"FORCED", "RETAINED"} <= {row["GlCode"] for row in own}


def test_one_row_is_fetched_by_its_whole_key(api):
    def fetched(**fields: str) -> str:
        return api.call("/Query/Fetch", XmlIn=xml("Fetch", fields))

    found = parsed(fetched(TableName="ApSupplier", Key="V10001", FullKeyProvided="Y"))
    assert (found.tag, found.findtext("Supplier")) == ("ApSupplier", "V10001")
    assert fetched(TableName="ApSupplier", Key="V1000", FullKeyProvided="Y").startswith("ERROR: Key 'V1000' not found")
    assert parsed(fetched(TableName="ApSupplier", Key="V1000", FullKeyProvided="N")).findtext("Supplier") == "V10000"
    two = fetched(TableName="GenMaster", Key="A", OptionalKey1="400001-CC101", FullKeyProvided="Y")
    assert parsed(two).findtext("Description") == "Expense 2"
