"""With several companies, only what is mapped to the ERP's own company is posted there."""

import pytest

from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.errors import OutcomeUnknown, Unreadable
from tests.unit.engine.bench import ACCOUNTS, INVOICES, Bench, Papers, account, invoice


@pytest.fixture
def two(bench: Bench) -> Bench:
    bench.companies = ("1000", "2000")
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(hours=0.1)
    bench.systems.invoices = {"i": invoice("i")}
    return bench


def mapped(bench: Bench, code: str, target: str) -> None:
    bench.pair().mappings.set(Mapping(integration="erp-ap", kind="company", code=code, target=target))


def waits(bench: Bench, key: str = "i") -> tuple[str | None, str | None]:
    chunk, _ = bench.pair().ledger("invoices").chunk(key)  # type: ignore[misc]
    return chunk.waiting_for, chunk.reason


@pytest.mark.parametrize("other", [None, "OTHER_DB"])
def test_an_invoice_of_another_company_is_held_and_neither_posted_nor_acknowledged(two: Bench, other: str) -> None:
    mapped(two, "2000", "DB")
    if other:
        mapped(two, "1000", other)
    two.poll(INVOICES)
    two.work()
    cause, reason = waits(two)
    assert cause == "company:1000"
    assert "`ml-connector mappings set acme company 1000 DB`" in str(reason)
    assert "R-i" in str(reason) and "119.00 EUR" in str(reason), "it names the document"
    assert (other or "DB") in str(reason)
    assert not two.systems.booked and not two.systems.acknowledged

    mapped(two, "1000", "db")  # people type names in small letters
    two.work(hours=1)
    assert len(two.systems.booked) == 1


def test_with_one_company_there_is_nothing_to_map(two: Bench) -> None:
    two.companies = ("9999",)
    two.poll(INVOICES)
    two.work()
    assert len(two.systems.booked) == 1


def test_a_mapping_of_another_tenant_counts_for_nobody_else(two: Bench) -> None:
    other = two.pair()
    other.tenant = "beta"
    other.mappings.set(Mapping(integration="erp-ap", kind="company", code="1000", target="DB"))
    two.poll(INVOICES)
    two.work()
    assert waits(two)[0] == "company:1000"


def test_what_the_daily_sweep_finds_of_another_company_is_not_looked_for(two: Bench) -> None:
    """Somebody else works on it: the same number here is another document."""
    mapped(two, "2000", "DB")
    papers = two.pair().document_source(INVOICES)
    two.systems.booked = [("77", papers.prepare(two.systems.invoices["i"], two.pair().codes()))]
    two.systems.standing = {"i": "acknowledged"}
    two.poll(INVOICES)
    two.work()
    assert waits(two)[0] == "company:1000"
    assert not two.systems.answers


def test_what_was_sent_before_the_mapping_changed_is_still_looked_for(two: Bench) -> None:
    mapped(two, "1000", "DB")
    two.systems.faults = [("post-acted", OutcomeUnknown("the line broke"))]
    two.poll(INVOICES)
    two.work()
    mapped(two, "1000", "OTHER_DB")
    two.work(hours=1)
    assert len(two.systems.booked) == 1 and two.systems.answers == []
    cause, reason = waits(two)
    assert cause == "company:1000" and "The ERP document 100" in reason, "it stands in a company that is not its own"


def test_what_was_sent_in_vain_is_not_sent_again_into_a_company_that_it_does_not_belong_to(two: Bench) -> None:
    mapped(two, "1000", "DB")
    two.systems.faults = [("post", OutcomeUnknown("the line broke"))]
    two.poll(INVOICES)
    two.work()
    mapped(two, "1000", "OTHER_DB")
    two.work(hours=1)
    assert not two.systems.booked
    assert waits(two)[0] == "company:1000"


@pytest.mark.parametrize("mine", [False, True])
def test_an_invoice_that_cannot_be_read_is_refused_only_where_its_company_is_ours(
    two: Bench, monkeypatch: pytest.MonkeyPatch, mine: bool
) -> None:
    def fetch(self: Papers, key: str) -> None:
        raise Unreadable("Invoice R-i has no coding rows.", "offered", "1", "R-i", "1000")

    monkeypatch.setattr(Papers, "fetch", fetch)
    mapped(two, "1000" if mine else "2000", "DB")
    two.poll(INVOICES)
    two.work()
    assert [answer.success for _, answer in two.systems.answers] == ([False] if mine else [])
    if not mine:
        cause, reason = waits(two)
        assert cause == "company:1000" and "R-i has no coding rows" in str(reason)
