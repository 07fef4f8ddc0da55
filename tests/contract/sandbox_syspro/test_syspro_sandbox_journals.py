"""GENTJL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.syspro import back_office
from tests.contract.sandbox_syspro.conftest import counts, errors, parsed


def detail(value: str, code: str = "400001-CC101", **fields: str) -> dict[str, Any]:
    return {"LedgerCode": code, "EntryAmount": value, **fields}


def entry(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    rows = list(lines) or [detail("100.00"), detail("-100.00", "2010")]
    return {"JournalType": "N", "JournalReference": "our-key", **fields, "JournalDetails": rows}


def test_a_journal_is_answered_with_its_key_and_sums(api, world):
    text = api.journal(entry())
    key = parsed(text).find("Item/Transaction/Key")
    assert [(node.tag, (node.text or "").strip()) for node in key] == [
        ("GlYear", "2026"),
        ("GlPeriod", "02"),
        ("GlJournal", "1001"),
    ]
    told = parsed(text).find("Item/Transaction")
    assert (told.findtext("NumOfEntries").strip(), told.findtext("DebitAmount").strip()) == ("2", "100.00")
    assert counts(text) == {"JournalsProcessed": 1, "PostingsProcessed": 1, "PostingsInvalid": 0}
    rows = [(r["GlCode"], r["EntryValue"], r["Reference"], r["Source"]) for r in world.rows("GenJournalDetail")]
    assert rows == [("400001-CC101", Decimal(100), "our-key", "GL"), ("2010", Decimal(-100), "our-key", "GL")]


def test_each_line_has_its_reference_and_comment(api, world):
    api.journal(entry(detail("5.00", Reference="r" * 31, Comment="INV-1"), detail("-5.00", "2010")))
    first, second = world.rows("GenJournalDetail")
    assert (first["Reference"], first["SubModTransDesc"], second["Reference"]) == ("r" * 30, "INV-1", "our-key")


def test_nothing_guards_against_a_second_one_and_no_payable_is_made(api, world):
    api.journal(entry())
    api.journal(entry())
    assert len({row["Journal"] for row in world.rows("GenJournalDetail")}) == 2 and not world.rows("ApInvoice")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"PostingPeriod": "3"}, "in the future"),
        ({"PostingPeriod": "12", "PostingYear": "2024"}, "in the future"),
        ({"PostingPeriod": "2026"}, "not between 1 and 12"),
        ({"PostingPeriod": "C"}, "not between"),
        ({"PostingYear": "26"}, "not between"),
        ({"Currency": "USD"}, "journal type L only"),
        ({"JournalType": "X"}, "is not one of"),
        ({"JournalDate": "10/02/2026"}, "CCYY-MM-DD"),
        ({"JournalDetails": [detail("100.00"), detail("-99.99", "2010")]}, "out of balance by 0.01"),
        ({"JournalDetails": [detail("100.00"), detail("100.00", "2010")]}, "out of balance"),
        ({"JournalDetails": [detail("0.00", "999999")]}, "Ledger code '999999' not found"),
        ({"JournalDetails": [detail("")]}, "'{JournalDetails}{EntryAmount}' cannot be spaces"),
        ({"JournalDetails": [detail("0.00", "1900")]}, "Password"),
        ({"JournalDetails": []}, "cannot be spaces"),
        ({"JournalDetails": [detail("0.00", "6950")]}, "requires analysis"),
    ],
)
def test_what_is_wrong_is_refused(api, world, fields, text):
    item = entry() | fields
    reply = api.journal(item)
    assert text in errors(reply)[0], reply
    assert counts(reply)["PostingsInvalid"] == 1 and not world.rows("GenJournalDetail")


@pytest.mark.parametrize(
    ("fields", "month"),
    [
        ({}, (2026, 2)),
        ({"PostingPeriod": "1"}, (2026, 1)),
        ({"PostingYear": "2025"}, (2025, 2)),
        ({"PostingPeriod": "12", "PostingYear": "2025"}, (2025, 12)),
    ],
)
def test_a_period_is_a_number_and_blank_the_current_one(api, world, fields, month):
    api.journal(entry(**fields))
    assert {(row["GlYear"], row["GlPeriod"]) for row in world.rows("GenJournalDetail")} == {month}


def test_nothing_goes_into_a_closed_period(api, world):
    back_office.close_period(world, "2026-02")
    assert "is not open" in errors(api.journal(entry()))[0]


def test_one_that_is_held_is_answered_with_a_number_and_stands_in_no_ledger(api, world):
    for fields in ({"HoldJournal": "Y"}, {"PostJournal": "N"}):
        assert parsed(api.journal(entry(**fields))).findtext("Item/Transaction/Jnlstatus") == "H"
    assert not world.rows("GenJournalDetail")


def test_a_dry_run_books_nothing(api, world):
    text = api.journal(entry(), ValidateOnly="Y")
    assert not errors(text) and parsed(text).find("Item/Transaction") is None and not world.rows("GenJournalDetail")
    assert errors(api.journal(entry(), ActionType="M"))
