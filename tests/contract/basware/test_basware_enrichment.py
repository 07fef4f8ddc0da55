"""What people change of vendors in Basware: read for the ERP, and never overwritten by what the ERP sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from infra.sandbox.basware.model import Row
from infra.sandbox.basware.world import World
from ml_connector.records import Address, Supplier, SupplierEnrichment

HOME = Address(key="a", street="Main Street 1", city="Bonn", country="DE")


def supplier(**more: Any) -> Supplier:
    given = {"key": "V1", "code": "V1", "name": "Meyer", "payment_term": "30D", "tax_id": "DE1", "vat_number": "VAT1"}
    return Supplier(**{**given, "addresses": (HOME,), "email": "a@b.test", **more})


def code(bench: Any, key: str = "V1") -> str:
    return str(bench.context.outward("vendor", key))


def vendor(bench: Any) -> dict[str, Any]:
    bench.world.settle()
    return dict(bench.world.entities["vendors"][code(bench)].record)


def enrich(bench: Any, **fields: Any) -> None:
    """Change a vendor as people do in P2P."""
    row = bench.world.entities["vendors"][code(bench)]
    bench.world.entities["vendors"][code(bench)] = Row({**row.record, **fields}, bench.world.now(), "p2p")


def send(bench: Any, record: Supplier, *kept: str) -> tuple[list[SupplierEnrichment | None], dict[str, Any]]:
    """Send a supplier of which fields are to be kept; gives what stood there, and the verdicts."""
    seen: list[SupplierEnrichment | None] = []

    def keep(present: SupplierEnrichment | None) -> frozenset[str]:
        seen.append(present)
        return frozenset(kept if present else ())

    target = bench.connection.target(Supplier)
    one = replace(target.render(record, bench.codes), keep=keep)
    sent = target.send("vendors", [one])
    assert sent.refused == {}
    bench.later(2)
    said = target.verdicts("vendors", [one], sent.tokens)
    assert said is not None
    return seen, said


def calls(bench: Any) -> dict[str, int]:
    """Count the writes of vendors since the last look."""
    found = {name.split(" ")[0]: n for name, n in bench.world.calls.items() if "vendors" in name and "GET" not in name}
    bench.world.calls.clear()
    return found


@pytest.fixture
def there(bench: Any) -> Any:
    """Give a vendor with everything, as the ERP sent it first."""
    seen, said = send(bench, supplier())
    assert seen == [None]
    assert said["V1"].outcome == "delivered"
    assert calls(bench) == {"POST": 1}
    return bench


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_enriched_vendor_goes_by_patch_without_what_is_kept(there: Any) -> None:
    enrich(there, paymentTerms={"paymentTermCode": "60D"}, identifiers=[{"id": "VAT9", "schemeId": "VAT"}])
    seen, said = send(there, supplier(name="Meyer AG"), "payment_term", "tax_id", "vat_number")
    assert seen == [SupplierEnrichment(key="V1", payment_term="60D", vat_number="VAT9")]
    assert said["V1"].outcome == "delivered"
    assert calls(there) == {"PATCH": 1}
    now = vendor(there)
    assert (now["name"], now["paymentTerms"]) == ("Meyer AG", {"paymentTermCode": "60D"})
    assert now["identifiers"] == [{"id": "VAT9", "schemeId": "VAT"}]


def test_an_address_of_an_enriched_vendor_goes_by_post_with_all_that_stands_there(there: Any) -> None:
    enrich(
        there,
        paymentTerms={"paymentTermCode": "60D", "description": "sixty"},
        buvid="b1",
        vendorClass="A",
        tags=[{"name": "t", "value": "v"}],
    )
    moved = replace_address(supplier(), city="Köln")
    _, said = send(there, moved, "payment_term", "tax_id", "vat_number")
    assert said["V1"].outcome == "delivered"
    assert calls(there) == {"POST": 1}
    now = vendor(there)
    assert now["addresses"][0]["cityName"] == "Köln"
    assert now["paymentTerms"] == {"paymentTermCode": "60D", "description": "sixty"}
    assert (now["vendorClass"], now["tags"]) == ("A", [{"name": "t", "value": "v"}])
    assert {one["schemeId"] for one in now["identifiers"]} == {"VAT", "TaxId"}
    assert "buvid" not in now


def test_a_tax_id_of_the_erp_goes_out_beside_the_numbers_that_others_gave(there: Any) -> None:
    others = [{"id": "VAT9", "schemeId": "VAT"}, {"id": "D-1", "schemeId": "DUNS"}]
    enrich(there, identifiers=[*others, {"id": "DE1", "schemeId": "TaxId"}])
    send(there, supplier(tax_id="DE2"), "payment_term", "vat_number")
    assert calls(there) == {"POST": 1}
    numbers = {one["schemeId"]: one["id"] for one in vendor(there)["identifiers"]}
    assert numbers == {"VAT": "VAT9", "DUNS": "D-1", "TaxId": "DE2"}


def test_what_the_erp_has_no_more_is_taken_away_and_what_is_kept_is_not(there: Any) -> None:
    send(there, supplier(tax_id=None, email=None), "payment_term", "vat_number")
    assert calls(there) == {"POST": 1}
    now = vendor(there)
    assert [one["schemeId"] for one in now["identifiers"]] == ["VAT"]
    assert "contacts" not in now
    assert now["paymentTerms"] == {"paymentTermCode": "30D"}


def test_what_was_empty_there_is_filled_by_patch(there: Any) -> None:
    enrich(there, identifiers=None, paymentTerms=None)
    send(there, supplier())
    assert calls(there) == {"PATCH": 1}
    assert vendor(there)["paymentTerms"] == {"paymentTermCode": "30D"}
    assert len(vendor(there)["identifiers"]) == 2


def test_bank_details_that_the_tenant_does_not_send_are_never_taken_away(there: Any) -> None:
    means = [{"paymentMeansCode": "30", "default": True}]
    enrich(there, paymentMeans=means)
    send(there, replace_address(supplier(), city="Köln"), "payment_term", "tax_id", "vat_number")
    assert vendor(there)["paymentMeans"] == means


def test_nothing_new_counts_as_unchanged(there: Any) -> None:
    _, said = send(there, supplier(), "payment_term", "tax_id", "vat_number")
    assert said["V1"].outcome == "unchanged"


def test_without_a_request_status_the_vendor_is_compared_without_what_is_kept(there: Any) -> None:
    enrich(there, paymentTerms={"paymentTermCode": "60D"})
    target = there.connection.target(Supplier)
    one = replace(target.render(supplier(), there.codes), keep=lambda _: frozenset({"payment_term"}))
    assert target.read_back("vendors", [one])["V1"].outcome == "delivered"
    other = replace(one, keep=lambda _: frozenset())
    assert target.read_back("vendors", [other])["V1"].outcome == "held"


def test_a_vendor_that_is_refused_alone_is_named_and_the_others_go(there: Any) -> None:
    target = there.connection.target(Supplier)
    batch = [
        replace(target.render(supplier(name="x" * 5), there.codes), keep=lambda _: frozenset()),
        replace(target.render(supplier(key="V2", code="V2"), there.codes), keep=lambda _: frozenset()),
    ]
    (entity,) = batch[0].entities["vendors"]
    spoilt = replace(batch[0], entities={"vendors": [{**entity, "sourceSystem": "s" * 99}]})
    sent = target.send("vendors", [spoilt, batch[1]])
    assert set(sent.refused) == {"V1"}
    assert len(sent.tokens) == 1


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────


def put(bench: Any, name: str, company: str = "1000", **fields: Any) -> None:
    """Make a vendor in Basware that is none of ours."""
    record = {"externalCode": f"x-{name}", "vendorCode": name, "name": name, "companies": [{"companyCode": company}]}
    bench.world.entities.setdefault("vendors", {})[f"x-{name}"] = Row({**record, **fields}, bench.world.now(), "p2p")


def listed(bench: Any, since: str | None = None) -> list[SupplierEnrichment]:
    pages = list(bench.connection.source(SupplierEnrichment).pages(since, None))
    assert [one for page in pages for one in page.broken] == []
    return [record for page in pages for record in page.records]


@pytest.mark.parametrize("wrapped", [True, False])
def test_vendors_of_our_companies_are_read_in_both_shapes_of_a_list(there: Any, wrapped: bool) -> None:
    there.world.wrapped_lists = wrapped
    put(there, "V2", identifiers=[{"id": "DE2", "schemeId": "taxid"}, {"id": "4", "schemeId": "DUNS"}])
    put(there, "V3", company="2000", paymentTerms={"paymentTermCode": "60D"})
    put(there, "V4")
    found = sorted(listed(there), key=lambda one: one.key)
    assert found == [
        SupplierEnrichment(key="V1", payment_term="30D", tax_id="DE1", vat_number="VAT1"),
        SupplierEnrichment(key="V2", tax_id="DE2"),
    ]


def test_a_tenant_of_several_companies_reads_the_vendors_of_each(make: Callable[..., Any]) -> None:
    both = make(World(), companies=["1000", "2000"])
    for name, company in (("V1", "1000"), ("V2", "2000"), ("V3", "3000")):
        put(both, name, company=company, paymentTerms={"paymentTermCode": "60D"})
    assert {one.key for one in listed(both)} == {"V1", "V2"}
    both.connection.close()


def test_only_what_was_updated_since_is_read_with_two_hours_to_spare(there: Any) -> None:
    (page,) = there.connection.source(SupplierEnrichment).pages(None, None)
    there.later(3600)
    assert [one.key for one in listed(there, page.stamp)] == ["V1"]
    there.later(86_400)
    put(there, "V2", paymentTerms={"paymentTermCode": "60D"})
    (page,) = there.connection.source(SupplierEnrichment).pages(page.stamp, None)
    assert [one.key for one in listed(there, page.stamp)] == ["V2"]


@pytest.mark.parametrize("spoilt", [{"paymentTerms": "30D"}, {"identifiers": "none"}, {"identifiers": [7]}])
def test_a_vendor_that_cannot_be_read_costs_only_itself(there: Any, spoilt: dict[str, Any]) -> None:
    put(there, "V2", **spoilt)
    (page,) = there.connection.source(SupplierEnrichment).pages(None, None)
    assert [one.key for one in page.records] == ["V1"]
    assert [one.key for one in page.broken] == ["V2"]


def test_vendors_are_read_again_by_key_ours_directly_and_others_through_the_list(there: Any) -> None:
    put(there, "V2", paymentTerms={"paymentTermCode": "60D"})
    put(there, "V4")
    source = there.connection.source(SupplierEnrichment)
    there.world.calls.clear()
    assert [one.key for page in source.reread(["V1"]) for one in page.records] == ["V1"]
    assert dict(there.world.calls) == {"GET /v1/vendors/<code>": 1}
    found = {one.key for page in source.reread(["V1", "V2", "V4", "V9"]) for one in page.records}
    assert found == {"V1", "V2", "V4"}
    there.world.calls.clear()
    assert {one.key for page in source.reread([f"V{n}" for n in range(99)]) for one in page.records} == found
    assert sum(there.world.calls.values()) == 1


def test_where_there_is_another_vendor_of_this_code_ours_counts(there: Any) -> None:
    put(there, "V1", paymentTerms={"paymentTermCode": "99D"})
    (page,) = there.connection.source(SupplierEnrichment).reread(["V1"])
    assert [one.payment_term for one in page.records] == ["30D"]


def test_an_empty_basware_shows_nothing(bench: Any) -> None:
    assert listed(bench) == []
    assert [one for page in bench.connection.source(SupplierEnrichment).reread(["V1"]) for one in page.records] == []


def replace_address(record: Supplier, **fields: Any) -> Supplier:
    return msgspec.structs.replace(record, addresses=(msgspec.structs.replace(HOME, **fields),))
