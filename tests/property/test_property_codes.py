"""Codes: what a person mapped comes back both ways, and nothing is ever guessed."""

from __future__ import annotations

from contextlib import suppress
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_connector.currencies import is_currency
from ml_connector.embedded.store import SqliteStore
from ml_connector.engine.ledger.codes import LedgerCodes
from ml_connector.engine.ledger.mappings import AS_IT_IS, KINDS, Mapping, Mappings
from ml_connector.errors import Held

kinds = st.sampled_from([kind for kind in KINDS if kind != "company"])
codes = st.text(ascii_letters + "0123456789#~.-/ äß", min_size=1, max_size=10)
tables = st.dictionaries(st.tuples(kinds, codes), codes, max_size=8)


def made(table):
    mappings = Mappings(SqliteStore(), "acme", "erp-ap")
    for (kind, code), target in table.items():
        mappings.set(Mapping(integration="erp-ap", kind=kind, code=code, target=target))
    return mappings


def translator(mappings):
    return LedgerCodes(mappings, {}, tenant="acme", companies=(), erp_company="")


@given(tables)
def test_what_was_set_is_found_inward(table):
    codes = translator(made(table))
    assert {(kind, code): codes.erp(kind, code) for kind, code in table} == table


@given(tables, kinds, codes)
def test_outward_gives_the_one_code_or_holds(table, kind, target):
    back = [code for (k, code), t in table.items() if (k, t) == (kind, target)]
    try:
        found = translator(made(table)).platform(kind, target)
    except Held as held:
        assert held.waiting_for == f"{kind}:{target}"
        assert len(back) > 1 or (not back and kind not in AS_IT_IS)
        assert "mappings" in str(held), "it names the command that mends it"
    else:
        assert found == (back[0] if back else target)


@given(tables, kinds, codes)
def test_there_and_back_is_the_same_code_where_it_is_mapped_once(table, kind, code):
    translated = translator(made(table))
    with suppress(Held):
        there = translated.erp(kind, code)
        if [t for (k, _), t in table.items() if k == kind].count(there) == 1 and (kind, code) in table:
            assert translated.platform(kind, there) == code


@given(tables, st.data())
def test_the_last_word_counts_and_a_removed_one_is_gone(table, data):
    mappings = made(table)
    for kind, code in table:
        if data.draw(st.booleans()):
            mappings.remove(kind, code)
            assert mappings.get(kind, code) is None
        else:
            mappings.set(Mapping(integration="erp-ap", kind=kind, code=code, target="new"))
            assert mappings.get(kind, code).target == "new"


@given(tables)
def test_a_list_shows_each_mapping_as_it_was_set(table):
    mappings = made(table)
    assert {(m.kind, m.code): m.target for m in mappings.all()} == table
    for kind in KINDS:
        assert all(m.kind == kind for m in mappings.all(kind))


@given(st.text(ascii_letters + "$ß", min_size=1, max_size=3))
def test_a_currency_that_is_none_of_iso_4217_crosses_by_a_mapping_only(code):
    mappings = made({})
    bare = LedgerCodes(mappings, {}, tenant="acme", companies=(), erp_company="", is_currency=is_currency)
    for way in (bare.erp, bare.platform):
        if is_currency(code):
            assert way("currency", code) == code
            continue
        with pytest.raises(Held, match="mappings set acme currency") as held:
            way("currency", code)
        assert held.value.waiting_for == f"currency:{code}"
    mappings.set(Mapping(integration="erp-ap", kind="currency", code="COP", target=code))
    told = LedgerCodes(mappings, {}, tenant="acme", companies=(), erp_company="", is_currency=is_currency)
    assert (told.erp("currency", "COP"), told.platform("currency", code)) == (code, "COP")


@given(st.sets(st.sampled_from(["1000", "2000", "3000"]), min_size=2), st.dictionaries(codes, codes, max_size=3))
def test_of_several_companies_only_what_is_mapped_to_the_erps_own_comes_in(companies, others):
    table = {("company", code): target for code, target in others.items()} | {("company", "1000"): "My_DB"}
    translated = LedgerCodes(made(table), {}, tenant="acme", companies=sorted(companies), erp_company="MY_DB")
    for code in {*companies, *others, "1000"}:
        if table.get(("company", code), "").strip().casefold() == "my_db":
            assert translated.erp("company", code) == "MY_DB"
        else:
            with pytest.raises(Held, match="mappings set acme company") as held:
                translated.erp("company", code)
            assert held.value.waiting_for == f"company:{code}"
    if "1000" in companies and "my_db" not in {target.casefold() for target in others.values()}:
        assert translated.platform("company", "") == "1000"
