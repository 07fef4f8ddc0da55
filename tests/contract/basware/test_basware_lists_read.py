"""What Basware has of vendors, accounts, cost centers and dimensions: read whole, to be compared with the ERP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.sandbox.basware.model import Row
from infra.sandbox.basware.world import World
from ml_connector.records import Account, CostCenter, Record, Supplier

OURS = [{"companyCode": "1000", "active": True, "inherit": True}]
OTHERS = [{"companyCode": "2000", "active": True, "inherit": True}]


@pytest.fixture
def there(make: Callable[..., Any]) -> Iterator[Any]:
    made = make(World(), dimension_lists={"PRJ": "ACC_LIST_1", "REG": "ACC_LIST_2"})
    yield made
    made.connection.close()


def put(bench: Any, entity: str, code: str, **fields: Any) -> None:
    bench.world.entities.setdefault(entity, {})[code] = Row(
        {"externalCode": code, "companies": OURS, **fields}, bench.world.now(), "p2p"
    )


def names(text: str) -> list[dict[str, str]]:
    return [{"language": "en-US", "translation": text}]


def read(bench: Any, record: type[Record]) -> list[Any]:
    pages = list(bench.connection.source(record).pages(None, None))
    assert [page.position for page in pages[-1:]] in ([], [None])
    return sorted((one for page in pages for one in page.records), key=lambda one: one.key)


@pytest.mark.parametrize("wrapped", [True, False])
def test_vendors_are_read_with_their_tax_numbers(there: Any, wrapped: bool) -> None:
    there.world.wrapped_lists = wrapped
    numbers = [{"id": "DE1", "schemeId": "VAT"}, {"id": "T1", "schemeId": "TaxId"}]
    put(there, "vendors", "a", vendorCode="V1", name="Meyer", identifiers=numbers)
    put(there, "vendors", "b", vendorCode="V2", name="Mueller", processingStatus={"active": False})
    put(there, "vendors", "c", vendorCode="V3", name="Others", companies=OTHERS)
    assert read(there, Supplier) == [
        Supplier(key="V1", code="V1", name="Meyer", vat_number="DE1", tax_id="T1"),
        Supplier(key="V2", code="V2", name="Mueller", active=False),
    ]


def test_accounts_are_read(there: Any) -> None:
    put(there, "accounts", "a", accountCode="6100", accountNames=names("Travel"))
    put(there, "accounts", "b", accountCode="6200", accountNames=[], companies=[{**OURS[0], "active": False}])
    assert read(there, Account) == [
        Account(key="6100", code="6100", name="Travel"),
        Account(key="6200", code="6200", name="", active=False),
    ]


def test_cost_centers_and_the_items_of_each_list_are_read(there: Any) -> None:
    put(there, "costCenters", "a", costCenterCode="C1", costCenterNames=names("Sales"))
    put(there, "lists/ACC_LIST_2", "b", text_1="N", text_2="North")
    assert read(there, CostCenter) == [
        CostCenter(key="C1", code="C1", name="Sales"),
        CostCenter(key="REG~N", code="N", name="North", dimension="REG"),
    ]


def test_reading_goes_on_from_a_position_in_the_list_where_it_stood(there: Any) -> None:
    for number in range(700):
        put(there, "costCenters", f"c{number:03d}", costCenterCode=f"C{number}", costCenterNames=names("x"))
    put(there, "lists/ACC_LIST_1", "b", text_1="P")
    source = there.connection.source(CostCenter)
    first = next(source.pages(None, None))
    rest = [one.code for page in source.pages(None, first.position) for one in page.records]
    assert len({one.code for one in first.records} | set(rest)) == 701
    assert rest[-1] == "P"


def test_a_record_without_a_code_costs_only_itself(there: Any) -> None:
    put(there, "accounts", "a", accountNames=names("Travel"))
    put(there, "accounts", "b", accountCode="6200", accountNames=names("Rent"))
    (page,) = there.connection.source(Account).pages(None, None)
    assert [one.code for one in page.records] == ["6200"]
    assert ["without accountCode" in broken.reason for broken in page.broken] == [True]


@pytest.mark.parametrize("code", [["6100"], {"a": 1}, True, None, " "])
def test_what_is_no_code_is_taken_for_none(there: Any, code: Any) -> None:
    put(there, "accounts", "a", accountCode=code)
    put(there, "vendors", "a", vendorCode=code)
    for record, field in ((Account, "accountCode"), (Supplier, "vendorCode")):
        (page,) = there.connection.source(record).pages(None, None)
        assert not page.records and [f"without {field}" in one.reason for one in page.broken] == [True]


def test_a_vendor_that_cannot_be_read_is_told_by_its_code(there: Any) -> None:
    put(there, "vendors", "a", vendorCode="V1", identifiers="none")
    (page,) = there.connection.source(Supplier).pages(None, None)
    assert [one.key for one in page.broken] == ["V1"]


def test_nothing_is_asked_where_no_record_is_to_be_read_again(there: Any) -> None:
    assert list(there.connection.source(CostCenter).reread([])) == [] and not there.world.calls


def test_an_empty_basware_shows_nothing(there: Any) -> None:
    assert [read(there, record) for record in (Supplier, Account, CostCenter)] == [[], [], []]


def test_records_are_read_again_by_their_codes(there: Any) -> None:
    for code in ("6100", "6200"):
        put(there, "accounts", code, accountCode=code, accountNames=names("x"))
    pages = there.connection.source(Account).reread(["6200", "9"])
    assert [one.key for page in pages for one in page.records] == ["6200"]


def test_nothing_is_written(there: Any) -> None:
    put(there, "vendors", "a", vendorCode="V1", name="Meyer")
    read(there, Supplier)
    assert {name.split(" ")[0] for name in there.world.calls} <= {"GET", "POST"}
    assert [name for name in there.world.calls if name.startswith("POST")] in ([], ["POST /v1/tokens"])
