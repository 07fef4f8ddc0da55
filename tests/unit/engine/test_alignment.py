"""Both systems compared: what has no partner is held until it has one, and nothing is written to either."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.ledger.rows import Row, dump
from ml_connector.engine.replay import keys_of
from ml_connector.errors import Held, Transient
from ml_connector.flow import Flow, Integration, Page
from ml_connector.ports import Item
from ml_connector.records import Account, Alignment, Supplier
from tests.unit.engine.bench import Bench

SUPPLIERS = Flow("suppliers", Supplier, "erp", "ap", "master", "masters", maps="supplier")
ACCOUNTS = Flow("accounts", Account, "erp", "ap", "master", "masters", maps="account")
NAMES = ("suppliers", "accounts")
ALIGNMENT = Flow("alignment", Alignment, "erp", "ap", "master", "daily", after=NAMES, aligns=NAMES)
TABLE = Integration("erp-ap", "erp", "ap", (SUPPLIERS, ACCOUNTS, ALIGNMENT))


class Listing:
    """The records of one type in one system, in pages of five; nobody may write anything here."""

    def __init__(self, records: dict[str, Any], faults: list[Exception]) -> None:
        self._records, self._faults = records, faults

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[Any]]:
        rows = list(self._records.values())
        for start in range(int(position or 0), max(len(rows), 1), 5):
            if self._faults:
                raise self._faults.pop(0)
            yield Page(rows[start : start + 5], (), str(start + 5) if start + 5 < len(rows) else None)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[Any]]:
        yield Page([self._records[key] for key in keys if key in self._records])


class Place:
    """A connection to one system that only reads."""

    def __init__(self, lists: dict[type, dict[str, Any]], faults: list[Exception]) -> None:
        self._lists, self._faults = lists, faults

    def source(self, record: type) -> Any:
        return Listing(self._lists[record], self._faults)

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class AlignedBench(Bench):
    """The bench with lists on both sides, and what was delivered from one to the other."""

    erp: dict[type, dict[str, Any]] = field(default_factory=lambda: {Supplier: {}, Account: {}})
    ap: dict[type, dict[str, Any]] = field(default_factory=lambda: {Supplier: {}, Account: {}})
    faults: dict[str, list[Exception]] = field(default_factory=lambda: {"erp": [], "ap": []})

    @property
    def table(self) -> Integration:
        return TABLE

    def pair(self) -> Any:
        places: dict[str, Any] = {
            "erp": lambda: Place(self.erp, self.faults["erp"]),
            "ap": lambda: Place(self.ap, self.faults["ap"]),
        }
        titles = {"erp": "Sage X3", "ap": "Basware"}
        return replace(super().pair(), connectors=places, titles=titles, chunking={})

    def supplier(self, where: str, key: str, name: str = "", tax: str | None = None, **more: Any) -> None:
        getattr(self, where)[Supplier][key] = Supplier(key=key, code=key, name=name or key, tax_id=tax, **more)

    def deliver(self, flow: Flow, key: str, code: str = "") -> None:
        """Note that a record was delivered."""
        ledger = self.pair().ledger(flow.name)
        ledger.store.put(Item(ledger.pk, f"r#{key}", dump(Row(seq=1, outcome="delivered", code=code or key))))

    def passed(self) -> None:
        """Let the other flows have been read completely."""
        for name in NAMES:
            ledger = self.pair().ledger(name)
            cursor, item = ledger.cursor()
            cursor.passes = 1
            ledger.save_cursor(cursor, item)

    def align(self) -> dict[str, int]:
        """Compare both systems, and tell what came of it and of what was held before."""
        open_before = {c.id for c in self.pair().ledger("alignment").unfinished()}
        self.poll(ALIGNMENT)
        self.work(0.01)
        sheet, ledger = FlowTotals(ALIGNMENT), self.pair().ledger("alignment")
        for chunk in (*ledger.unfinished(), *ledger.finished()):
            if chunk.run == f"run{self.runs}" or chunk.id in open_before or chunk.id.rpartition(".")[0] in open_before:
                sheet.add_chunk(chunk, keys_of(ledger, chunk))
        assert sheet.reconciled
        self.lines = {str(one["waiting_for"]): str(one["reason"]) for one in sheet.held}
        return {k: v for k, v in sheet.counts.items() if v and k != "read"}


@pytest.fixture
def aligned(bench: Bench) -> AlignedBench:
    """Give two systems that agree on two suppliers."""
    made = AlignedBench(bench.runtime, bench.systems, bench.clock, bench.queue)
    for key in ("V1", "V2"):
        made.supplier("erp", key)
        made.supplier("ap", key)
        made.deliver(SUPPLIERS, key)
    made.passed()
    return made


def test_what_has_a_partner_counts_as_unchanged_each_time(aligned: AlignedBench) -> None:
    assert aligned.align() == {"unchanged": 2}
    assert aligned.align() == {"unchanged": 2}


def test_what_stands_alone_is_held_with_the_side_and_what_to_do(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3", "Meyer")
    aligned.ap[Account]["6100"] = Account(key="6100", code="6100", name="Travel")
    assert aligned.align() == {"unchanged": 2, "held": 2}
    assert aligned.lines["partner:V3"] == (
        "Supplier V3 (Meyer) is in Sage X3 only. To fix: see whether `ml-connector held acme` or the report names it "
        "in suppliers and why, send it with `ml-connector replay acme suppliers V3`, or map what Basware has for it "
        "with `ml-connector mappings set acme supplier BASWARE-CODE V3`. The next comparison ends this."
    )
    assert aligned.lines["partner:6100"] == (
        "Account 6100 (Travel) is in Basware only. To fix: map it with `ml-connector mappings set acme account "
        "6100 SAGE-X3-CODE`, enter it in Sage X3, or deactivate it in Basware. The next comparison ends this."
    )


def test_it_is_held_once_and_ends_when_the_partner_appears(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3")
    aligned.supplier("ap", "X9")
    assert aligned.align() == {"unchanged": 2, "held": 2}
    assert aligned.align() == {"unchanged": 2, "held": 2}
    aligned.supplier("ap", "V3")
    aligned.deliver(SUPPLIERS, "V3")
    assert aligned.align() == {"unchanged": 3 + 1, "held": 1}  # the one that was held counts as well
    assert list(aligned.lines) == ["partner:X9"]
    assert aligned.align() == {"unchanged": 3, "held": 1}


def test_what_is_deleted_ends_its_hold(aligned: AlignedBench) -> None:
    for number in range(5):
        aligned.supplier("erp", f"N{number}")
    assert aligned.align() == {"unchanged": 2, "held": 5}
    del aligned.erp[Supplier]["N1"]
    del aligned.erp[Supplier]["N3"]
    assert aligned.align() == {"unchanged": 2 + 2, "held": 3}
    assert sorted(aligned.lines) == ["partner:N0", "partner:N2", "partner:N4"]
    assert aligned.align() == {"unchanged": 2, "held": 3}
    for number in (0, 2, 4):
        del aligned.erp[Supplier][f"N{number}"]
    aligned.align()
    assert list(aligned.pair().ledger("alignment").unfinished()) == []


def test_what_has_the_same_code_is_mapped_and_counts_at_once(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3", "Meyer")
    aligned.supplier("ap", "V3", "Mueller")
    assert aligned.align() == {"unchanged": 2, "delivered": 1}
    (made,) = aligned.pair().mappings.all("supplier")
    assert (made.code, made.target, made.origin, made.by) == ("V3", "V3", "proposed", "same code")
    assert aligned.pair().codes().erp("supplier", "V3") == "V3"
    assert [change.by for change in aligned.pair().mappings.history()] == ["same code"]
    assert aligned.align() == {"unchanged": 3}


def test_what_has_only_a_number_in_common_moves_no_money_until_a_person_confirms_it(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3", "Meyer", "DE 1")
    aligned.supplier("ap", "HAND", "Mueller", "de1")
    assert aligned.align() == {"unchanged": 2, "delivered": 1}
    pair = aligned.pair()
    assert list(pair.mappings.all()) == []
    with pytest.raises(Held, match=r"It may be V3 \(same tax number\).*mappings set acme supplier HAND V3"):
        pair.codes().erp("supplier", "HAND")
    assert [(one.code, one.target, one.origin) for one in pair.mappings.proposals()] == [("HAND", "V3", "proposed")]
    assert aligned.align() == {"unchanged": 3}  # it is proposed already
    pair.mappings.set(Mapping(integration="erp-ap", kind="supplier", code="HAND", target="V3", by="ada", at="1"))
    assert aligned.align() == {"unchanged": 3}
    assert list(pair.mappings.proposals()) == []
    assert aligned.pair().codes().erp("supplier", "HAND") == "V3"


def test_a_person_s_mapping_stands(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3")
    aligned.supplier("ap", "V3")
    aligned.supplier("erp", "V4")
    aligned.pair().mappings.set(Mapping(integration="erp-ap", kind="supplier", code="V3", target="V4", by="ada"))
    assert aligned.align() == {"unchanged": 3, "held": 1}
    assert [(one.target, one.origin) for one in aligned.pair().mappings.all()] == [("V4", "manual")]


def test_a_proposal_that_no_longer_stands_goes(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3", "Meyer")
    aligned.supplier("ap", "HAND", "Meyer")
    aligned.align()
    aligned.supplier("ap", "HAND", "Mueller")
    assert aligned.align() == {"unchanged": 2, "held": 2}
    assert list(aligned.pair().mappings.proposals()) == []


def test_it_waits_for_the_other_flows(aligned: AlignedBench) -> None:
    ledger = aligned.pair().ledger("suppliers")
    cursor, item = ledger.cursor()
    cursor.passes = 0
    ledger.save_cursor(cursor, item)
    assert aligned.align() == {"held": 2}
    assert list(aligned.lines) == ["prerequisite:suppliers"]
    aligned.passed()
    aligned.work(1)
    assert aligned.align() == {"unchanged": 2}


@pytest.mark.parametrize("where", ["erp", "ap"])
def test_passing_trouble_is_tried_again(aligned: AlignedBench, where: str) -> None:
    aligned.supplier("erp", "V3")
    aligned.faults[where] = [Transient("busy")]
    if where == "erp":
        with pytest.raises(Transient):
            aligned.poll(ALIGNMENT)
    assert aligned.align().get("held", 0) <= 1
    aligned.work(1)
    assert aligned.align() == {"unchanged": 2, "held": 1}


def test_a_shadow_proposes_nothing(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3")
    aligned.supplier("ap", "V3")
    aligned.shadow = True
    assert aligned.align() == {"unchanged": 2, "pending": 1}
    assert list(aligned.pair().mappings.all()) == []


def test_many_are_compared_in_pages_and_held_in_few_rows(aligned: AlignedBench) -> None:
    for number in range(1_230):
        aligned.supplier("erp", f"E{number:04d}")
    assert aligned.align() == {"unchanged": 2, "held": 1_230}
    assert sum(1 for _ in aligned.pair().ledger("alignment").unfinished()) == 7
    assert len(aligned.lines) == 1_230


def test_a_pass_that_is_cut_goes_on_where_it_stood(aligned: AlignedBench, monkeypatch: pytest.MonkeyPatch) -> None:
    from ml_connector.engine.poll import coalesce
    from ml_connector.engine.poll.run import Poll

    monkeypatch.setattr(coalesce, "WEIGHT", 5)
    for number in range(12):
        aligned.supplier("erp", f"E{number}")
    aligned.runs += 1
    for _ in range(10):
        poll = Poll(aligned.pair(), ALIGNMENT, f"run{aligned.runs}", deadline=aligned.clock.now())
        aligned.clock.sleep(1)
        if poll.read():
            break
    else:
        raise AssertionError
    aligned.work(0.01)
    held = [c for c in aligned.pair().ledger("alignment").unfinished() if c.waiting_for]
    assert sum(chunk.count for chunk in held) == 12


def test_what_former_passes_wrote_down_is_dropped(aligned: AlignedBench) -> None:
    for _ in range(3):
        aligned.align()
        aligned.clock.sleep(86_400)
    ledger = aligned.pair().ledger("alignment")
    assert len({item.sk.split(".")[1] for item in ledger.store.query(ledger.pk, "b#align.")}) == 1


def test_what_is_inactive_and_alone_needs_nobody_and_is_counted(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3", "Meyer", active=False)
    assert aligned.align() == {"unchanged": 3}


def test_what_one_comparison_held_is_counted_once_in_the_next(aligned: AlignedBench) -> None:
    aligned.supplier("erp", "V3", "Meyer")
    assert aligned.align() == {"unchanged": 2, "held": 1}
    assert aligned.align() == {"unchanged": 2, "held": 1}
    done = [one for one in aligned.pair().ledger("alignment").finished() if not one.parked_at]
    assert all(one.delivered + one.unchanged + one.rejected + one.moved == one.count for one in done)
