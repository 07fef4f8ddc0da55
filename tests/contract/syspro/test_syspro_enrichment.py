"""Payment terms and tax numbers through supplier maintenance: these two, nothing else, and in the ERP's own words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from infra.sandbox.syspro import back_office
from ml_connector.enrichment import ErpSupplier, SupplierFields
from ml_connector.errors import Held, Misconfigured, OutcomeUnknown, Rejected
from ml_connector.records import SupplierEnrichment
from tests.contract.conformance.wire import acted, breaks, page, truncated

KEY = "V10001"
Maker = Callable[..., Any]
both = pytest.mark.parametrize("read_via", ["odata", "enet"])


def maintenance(bench: Any) -> SupplierFields:
    return bench.connection.target(SupplierEnrichment)


def read(bench: Any, key: str = KEY) -> ErpSupplier:
    found = maintenance(bench).read(key)
    assert found is not None
    return found


def kept(bench: Any, key: str = KEY) -> dict[str, Any]:
    return dict(bench.world.get("ApSupplier", key))


@both
def test_the_whole_row_is_read_with_the_addresses_and_without_what_moves_by_itself(make: Maker, read_via: str) -> None:
    bench = make(read_via=read_via)
    found = read(bench)
    assert found.values == {"payment_term": kept(bench)["TermsCode"], "vat_number": kept(bench)["TaxRegnNum"].strip()}
    assert {"SupplierName", "TermsCode", "TaxRegnNum", "BankAccount", "ApSupplierAddr.SupAddr1"} <= found.row.keys()
    assert not {"TimeStamp", "CurrentBalance", "LastPurchDate", "LastChequeDate"} & found.row.keys()
    assert found.columns == {"payment_term": "TermsCode", "vat_number": "TaxRegnNum"}


@both
@pytest.mark.parametrize("key", ["0000001200", " 00001", "O'BRIEN", "A/B 7"])
def test_a_supplier_of_any_name_is_found_as_it_is_spelt(make: Maker, read_via: str, key: str) -> None:
    bench = make(read_via=read_via)
    maintenance(bench).write(key, {"vat_number": "DE1"})
    assert read(bench, key).values["vat_number"] == "DE1"
    assert maintenance(bench).read("NOBODY") is None


@both
def test_only_the_elements_to_change_are_sent_and_warnings_are_not_ignored(make: Maker, read_via: str) -> None:
    bench = make(read_via=read_via)
    before = read(bench)
    maintenance(bench).write(KEY, {"vat_number": "DE&<1>"})
    (document,) = bench.sent("Setup/Update")
    assert "<TaxRegnNum>DE&amp;&lt;1&gt;</TaxRegnNum>" in document
    assert "TermsCode" not in document
    (sent,) = [one for one in bench.wire.seen if one.url.path.endswith("Setup/Update")]
    assert "<IgnoreWarnings>N</IgnoreWarnings>" in sent.url.params["XmlParameters"]
    after = read(bench)
    assert after.values == {**before.values, "vat_number": "DE&<1>"}
    changed = {name for name in before.row if before.row[name] != after.row[name]}
    assert changed == {"TaxRegnNum"}


def test_what_is_emptied_besides_shows_in_the_row(bench: Any) -> None:
    """A build that empties what it is not sent."""
    bench.world.blanks_omitted = True
    before = read(bench)
    maintenance(bench).write(KEY, {"vat_number": "DE1"})
    after = read(bench)
    assert {name for name in before.row if before.row[name] != after.row.get(name, "")} > {"TaxRegnNum"}


def test_an_invoice_that_is_posted_meanwhile_is_no_other_change(bench: Any) -> None:
    before = read(bench)
    back_office.enter_invoice(bench.world, KEY, "X-1", [("400001-CC101", Decimal(100))])
    assert read(bench).row == before.row


def test_a_term_that_the_erp_does_not_have_is_refused_with_its_words(bench: Any) -> None:
    before = kept(bench)
    with pytest.raises(Rejected, match=rf"payment term ZZ of supplier {KEY}: .*[Tt]erms"):
        maintenance(bench).write(KEY, {"payment_term": "ZZ"})
    assert kept(bench)["TermsCode"] == before["TermsCode"]


@pytest.mark.parametrize(("field", "value"), [("payment_term", "30D"), ("vat_number", "1" * 21)])
def test_a_value_that_is_too_long_is_never_cut_and_never_sent(bench: Any, field: str, value: str) -> None:
    with pytest.raises(Rejected, match=r"takes (2|20) characters"):
        maintenance(bench).write(KEY, {field: value})
    assert bench.sent("Setup/Update") == []


def test_a_warning_waits_for_a_person(bench: Any) -> None:
    bench.world.supplier_warnings = {KEY: "Supplier is on hold"}
    with pytest.raises(Held, match="Supplier is on hold"):
        maintenance(bench).write(KEY, {"vat_number": "DE1"})


def test_maintenance_that_is_not_licensed_is_said_so(bench: Any) -> None:
    bench.world.unlicensed = {"APSSSP"}
    with pytest.raises(Misconfigured, match="not licensed: APSSSP"):
        maintenance(bench).write(KEY, {"vat_number": "DE1"})


@pytest.mark.parametrize("damage", [acted(breaks(httpx.ReadError)), breaks(httpx.ReadTimeout), truncated, page(200)])
def test_a_write_without_a_trustworthy_answer_is_not_repeated(bench: Any, damage: Any) -> None:
    read(bench)
    bench.wire.spoil(damage, lambda request: request.url.path.endswith("Setup/Update"))
    with pytest.raises(OutcomeUnknown):
        maintenance(bench).write(KEY, {"vat_number": "DE1"})
    assert len(bench.sent("Setup/Update")) == 1
