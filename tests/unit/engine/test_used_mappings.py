"""A change of a mapping sends again exactly what it changes: each row knows the codes that its body was made with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from ml_connector.engine.ledger import fingerprint
from ml_connector.engine.ledger.codes import LedgerCodes
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Rendered, Verdict
from tests.unit.engine.bench import ACCOUNTS, TABLE, Accounts, Bench, account

TAXED = replace(ACCOUNTS, codes=("tax", "term"))


@pytest.fixture
def taxed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Three records: each body names the tax that its record's name is; delivered before anything was mapped."""
    monkeypatch.setattr("tests.unit.engine.bench.TABLE", replace(TABLE, flows=(TAXED,)))

    def render(self: Accounts, record: Any, codes: Any, touch: str | None = None) -> Rendered:
        name = codes.platform("tax", record.name) if record.name else "none"
        return Rendered(record.key, record.code, {"accounts": [{"name": name, "code": record.code}]})

    monkeypatch.setattr(Accounts, "render", render)
    bench.systems.accounts = {"A": account("A", "V1"), "B": account("B", "V2"), "C": account("C", "")}
    _pass(bench)
    bench.systems.sends.clear()
    return bench


def _pass(bench: Bench) -> None:
    bench.poll(TAXED, full=True)
    bench.work(0.1)


def _map(bench: Bench, code: str, target: str, kind: str = "tax") -> None:
    bench.pair().mappings.set(Mapping(integration="erp-ap", kind=kind, code=code, target=target))


def test_only_what_a_mapping_changes_travels(taxed: Bench) -> None:
    _map(taxed, "N30", "30", "term")
    _map(taxed, "VAT9", "V9")
    _pass(taxed)
    assert taxed.systems.sends == [], "nobody uses them"
    assert taxed.pair().ledger("accounts").cursor()[0].figures.unchanged == 3
    _map(taxed, "VAT19", "V1")
    for _ in range(2):
        _pass(taxed)
    assert taxed.systems.sends == [["A"]]
    assert taxed.systems.taken["A"].name == "VAT19"
    taxed.pair().mappings.remove("tax", "VAT19")
    for _ in range(2):
        _pass(taxed)
    assert taxed.systems.sends == [["A"], ["A"]]
    assert taxed.systems.taken["A"].name == "V1"


def test_one_that_becomes_ambiguous_is_held(taxed: Bench) -> None:
    _map(taxed, "VAT19", "V1")
    _map(taxed, "VAT20", "V1")
    _pass(taxed)
    assert taxed.systems.sends == []
    assert {c.waiting_for for c in taxed.pair().ledger("accounts").unfinished()} == {"tax:V1"}


def test_a_changed_record_is_sent_and_notes_its_codes_anew(taxed: Bench) -> None:
    taxed.systems.accounts["C"] = account("C", "V3")
    _pass(taxed)
    _map(taxed, "VAT3", "V3")
    _pass(taxed)
    assert taxed.systems.sends == [["C"], ["C"]]


def test_a_mapping_that_changes_before_the_verdict_sends_again_what_it_changes(taxed: Bench) -> None:
    """The body went out with the old code; what is translated at the verdict says nothing of it."""
    taxed.systems.accounts["A"] = account("A", "V5")
    taxed.systems.faults = [("verdict", Transient("not yet"))]
    taxed.poll(TAXED, full=True)
    taxed.work()
    _map(taxed, "VAT5", "V5")
    taxed.work(1)
    assert taxed.systems.taken["A"].name == "V5"
    _pass(taxed)
    assert taxed.systems.taken["A"].name == "VAT5"
    taxed.systems.sends.clear()
    _pass(taxed)
    assert taxed.systems.sends == []


def test_a_record_that_cannot_be_made_any_more_is_said_to_have_been_sent_and_is_sent_when_it_can(
    taxed: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Accounts.render

    def render(self: Accounts, record: Any, codes: Any, touch: str | None = None) -> Rendered:
        if record.name and codes.platform("tax", record.name) == "V7":
            raise Rejected("V7 is no tax code there.")
        return made(self, record, codes, touch)

    monkeypatch.setattr(Accounts, "render", render)
    _map(taxed, "VAT7", "V7")
    taxed.systems.accounts["A"] = account("A", "V7")
    taxed.systems.faults = [("verdict", Transient("not yet"))]
    taxed.poll(TAXED, full=True)
    taxed.work()
    taxed.pair().mappings.remove("tax", "VAT7")
    taxed.work(1)
    row = taxed.pair().ledger("accounts").rows(["A"])["A"][0]
    assert taxed.systems.taken["A"].name == "VAT7" and row.outcome == "rejected"
    assert "V7 is no tax code there. It was sent before that (2026-" in str(row.reason)
    assert row.delivered_fp is None, "so that it is compared with nothing that is not known to stand there"
    taxed.systems.sends.clear()
    _map(taxed, "VAT70", "V7")
    _pass(taxed)
    assert taxed.systems.taken["A"].name == "VAT70"


def test_a_refused_record_is_not_tried_again_for_a_mapping_that_it_does_not_use(
    taxed: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Accounts, "verdicts", lambda *_: {"A": Verdict("rejected", "no")})
    taxed.systems.accounts["A"] = account("A", "V6")
    _pass(taxed)
    taxed.systems.sends.clear()
    _map(taxed, "VAT9", "V9")
    taxed.poll(TAXED)
    taxed.work(0.1)
    assert taxed.systems.sends == []
    _map(taxed, "VAT6", "V6")
    taxed.poll(TAXED)
    taxed.work(0.1)
    assert taxed.systems.sends == [["A"]]


def test_a_new_version_of_the_software_sends_nothing_whatever_was_mapped_beside_it(taxed: Bench) -> None:
    _map(taxed, "VAT9", "V9")
    with patch.object(fingerprint, "VERSION", "2"), patch.dict(fingerprint.FORMER, {"1": fingerprint.written}):
        _pass(taxed)
        assert taxed.systems.sends == []
        _map(taxed, "VAT19", "V1")
        _pass(taxed)
        assert taxed.systems.sends == [["A"]], "the rows still know their codes"


def test_what_went_out_before_codes_were_noted_goes_again(taxed: Bench) -> None:
    ledger = taxed.pair().ledger("accounts")
    for key, (row, item) in ledger.rows(["A", "B", "C"]).items():
        row.used = None
        ledger.settle({key: row}, {key: (row, item)})
    _map(taxed, "VAT9", "V9")
    _pass(taxed)
    assert taxed.systems.sends == [["A", "B", "C"]]


def test_while_no_mapping_changes_nothing_is_translated(taxed: Bench) -> None:
    with patch.object(LedgerCodes, "platform", side_effect=AssertionError("asked")):
        _pass(taxed)
    assert taxed.pair().ledger("accounts").cursor()[0].figures.unchanged == 3
