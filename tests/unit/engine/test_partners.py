"""Which records of both systems belong together, and which of them stand alone."""

from __future__ import annotations

from typing import Any

import pytest

from ml_connector.engine.write.partners import SAME_CODE, Comparison, Entry, Proposal, compare, entry
from ml_connector.records import Account, CostCenter, Supplier


def one(key: str, name: str = "", *numbers: str, **more: Any) -> Entry:
    return Entry(key, more.pop("code", key), name or key, numbers=numbers, **more)


def compared(erp: list[Entry], ap: list[Entry], delivered: Any = None, mapped: Any = None) -> Comparison:
    return compare(erp, ap, delivered or {}, mapped or {})


def alone(found: Comparison) -> tuple[list[str], list[str]]:
    return [each.key for each in found.erp_only], [each.key for each in found.platform_only]


def test_what_was_delivered_or_mapped_has_a_partner() -> None:
    found = compared([one("1"), one("2")], [one("A"), one("B")], {"1": "A"}, {"B": "2"})
    assert (found.partnered, found.proposals, alone(found)) == (2, [], ([], []))


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        (one("1", "Meyer"), one("1", "Mueller"), SAME_CODE),
        (one("1~x", "Meyer", code="1"), one("1", "Mueller"), SAME_CODE),
        (one("1", "Meyer", "de123"), one("A", "Mueller", "de123"), "same tax number"),
        (one("1", "Meyer  GmbH".replace("  ", " ")), one("A", "MEYER GmbH"), "same name"),
    ],
)
def test_what_they_have_in_common_is_a_proposal(ours: Entry, theirs: Entry, why: str) -> None:
    found = compared([ours], [theirs])
    assert found.proposals == [Proposal(theirs.code, ours.key, why)]
    assert (found.partnered, alone(found)) == (0, ([], []))


def test_the_same_code_counts_before_a_number_and_a_number_before_a_name() -> None:
    erp = [one("A", "x"), one("2", "y", "n1"), one("3", "Meyer")]
    assert [p.key for p in compared(erp, [one("A", "Meyer", "n1")]).proposals] == ["A"]
    assert [p.key for p in compared(erp, [one("B", "Meyer", "n1")]).proposals] == ["2"]


def test_a_second_record_there_is_proposed_for_one_that_has_its_own() -> None:
    """Somebody entered the supplier by hand, and invoices name that one."""
    found = compared([one("1", "Meyer", "n1")], [one("1", "Meyer"), one("HAND", "", "n1")], {"1": "1"})
    assert (found.partnered, found.proposals) == (1, [Proposal("HAND", "1", "same tax number")])


def test_what_several_have_in_common_proposes_none() -> None:
    found = compared([one("1", "Meyer", "n1"), one("2", "Meyer", "n1")], [one("A", "Meyer", "n1")])
    assert (found.proposals, alone(found)) == ([], (["1", "2"], ["A"]))


def test_what_is_in_one_system_only_stands_alone_unless_it_is_inactive() -> None:
    found = compared([one("1"), one("2", active=False)], [one("A"), one("B", active=False)])
    assert alone(found) == (["1"], ["A"])


def test_what_was_delivered_and_is_gone_there_stands_alone() -> None:
    found = compared([one("1")], [], {"1": "A"})
    assert (found.partnered, alone(found)) == (0, (["1"], []))


def test_what_was_delivered_after_the_list_of_the_erp_needs_no_partner_in_it() -> None:
    assert alone(compared([], [one("A")], {"1": "A"})) == ([], [])


def test_what_is_mapped_to_a_record_that_the_erp_does_not_have_stands_alone() -> None:
    found = compared([one("1", "Meyer")], [one("A", "Meyer")], {}, {"A": "9"})
    assert (found.proposals, alone(found)) == ([], (["1"], ["A"]))


def test_several_codes_there_may_be_mapped_to_one_record() -> None:
    found = compared([one("1")], [one("A"), one("B")], {}, {"A": "1", "B": "1"})
    assert (found.partnered, alone(found)) == (1, ([], []))


def test_values_of_other_dimensions_are_others() -> None:
    found = compared([one("PRJ~1", code="1", dimension="PRJ")], [one("1")])
    assert (found.proposals, alone(found)) == ([], (["PRJ~1"], ["1"]))


def test_what_is_compared_of_each_kind() -> None:
    supplier = Supplier(key="1", code="S", name="M", vat_number="DE 123-4", tax_id="de1234", active=False)
    assert entry(supplier) == Entry("1", "S", "M", False, ("de1234",))
    assert entry(Account(key="1", code="S", name="M")) == Entry("1", "S", "M")
    assert entry(CostCenter(key="1", code="S", name="M", dimension="PRJ")) == Entry("1", "S", "M", dimension="PRJ")


def test_a_hundred_thousand_are_joined_in_seconds() -> None:
    erp = [one(str(n), f"name {n}", f"n{n}") for n in range(100_000)]
    ap = [one(str(n), f"name {n}", f"n{n}") for n in range(50_000, 150_000)]
    found = compared(erp, ap, {str(n): str(n) for n in range(75_000)})
    assert (found.partnered, len(found.proposals)) == (25_000, 25_000)
    assert [len(some) for some in alone(found)] == [50_000, 50_000]
