"""A write into the ERP that nobody heard of again, and people who change their mind meanwhile."""

from __future__ import annotations

import pytest

from ml_connector.engine.ledger import shared as shared_fields
from ml_connector.engine.ledger.rows import SharedField
from ml_connector.engine.write.worker import write
from tests.unit.engine.bench import Bench, Killed
from tests.unit.engine.enriched import ENRICHMENT, SUPPLIERS, SharingBench


@pytest.fixture
def agreed(bench: Bench) -> SharingBench:
    """Give a supplier that both sides have, with the term A (30D); a write of the term C (60D) is in doubt."""
    made = SharingBench(bench.runtime, bench.systems, bench.clock, bench.queue)
    for code, target in (("30D", "A"), ("14D", "B"), ("60D", "C")):
        made.term(code, target)
    made.supplier("S1", "A", "DE111")
    made.run()
    made.run()
    return made


def in_doubt(bench: SharingBench, where: str) -> None:
    """Have the term 60D on its way to the ERP when the process dies, before or after the ERP took it."""
    bench.sides.ap["S1"] |= {"payment_term": "60D"}
    bench.sides.faults = [(where, Killed())]
    bench.poll(ENRICHMENT)
    bench.die()


@pytest.mark.parametrize("where", ["write", "written"])
@pytest.mark.parametrize("first", [ENRICHMENT, SUPPLIERS])
def test_what_people_took_back_at_the_platform_is_taken_back_in_the_erp(
    agreed: SharingBench, where: str, first: object
) -> None:
    """Ours stands in the ERP, agreed on by nobody: it must not come back to the platform as a change of the ERP."""
    in_doubt(agreed, where)
    agreed.sides.ap["S1"] |= {"payment_term": "30D"}
    for chunk in list(agreed.pair().ledger(ENRICHMENT.name).unfinished()):
        agreed.pair().ledger(ENRICHMENT.name).store.delete(agreed.pair().ledger(ENRICHMENT.name).pk, f"c#{chunk.id}")
    agreed.sides.sent.clear()
    agreed.poll(SUPPLIERS if first is SUPPLIERS else ENRICHMENT, full=True)
    agreed.work(1)
    agreed.run(full=True)
    assert agreed.sides.ap["S1"]["payment_term"] == "30D"
    assert agreed.sides.erp["S1"]["Terms"] == "A"
    assert all("payment_term" not in body for _, body in agreed.sides.sent)
    known = shared_fields.read(agreed.pair().ledger(SUPPLIERS.name), "S1")
    assert known["payment_term"].writing is None


def test_what_somebody_entered_in_the_erp_over_a_write_in_doubt_goes_to_the_platform(agreed: SharingBench) -> None:
    in_doubt(agreed, "written")
    agreed.sides.ap["S1"] |= {"payment_term": "30D"}
    agreed.sides.erp["S1"] |= {"Terms": "B"}
    agreed.run(full=True)
    agreed.work(1)
    agreed.run(full=True)
    assert (agreed.sides.erp["S1"]["Terms"], agreed.sides.ap["S1"]["payment_term"]) == ("B", "14D")


def test_what_is_being_written_is_known_before_it_is_and_no_longer_once_it_is_confirmed(agreed: SharingBench) -> None:
    in_doubt(agreed, "written")
    ledger = agreed.pair().ledger(SUPPLIERS.name)
    assert shared_fields.read(ledger, "S1")["payment_term"] == SharedField(
        erp="A", platform="30D", seen="A", writing="C"
    )
    agreed.work(1)
    agreed.run()
    known = shared_fields.read(ledger, "S1")["payment_term"]
    assert (known.erp, known.platform, known.enriched, known.seen, known.writing) == ("C", "60D", True, "C", None)


def test_suppliers_that_were_read_before_a_change_came_to_the_erp_do_not_take_it_back(agreed: SharingBench) -> None:
    agreed.supplier("S1", "A", "DE111", name="Meyer AG")
    agreed.poll(SUPPLIERS)  # with the old term, on its way
    agreed.sides.ap["S1"] |= {"payment_term": "60D"}
    agreed.poll(ENRICHMENT)
    for flow in (ENRICHMENT, SUPPLIERS):
        for chunk in list(agreed.pair().ledger(flow.name).unfinished()):
            write(agreed.pair(), flow, chunk.id)
    agreed.work(1)
    assert agreed.sides.erp["S1"]["Terms"] == "C"
    assert agreed.sides.ap["S1"] == {"name": "Meyer AG", "payment_term": "60D", "tax_id": "DE111"}


def test_what_the_erp_changes_right_after_is_sent_by_the_next_pass(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "60D"}
    agreed.run()
    agreed.supplier("S1", "B", "DE111")
    agreed.poll(SUPPLIERS)
    agreed.work(1)
    agreed.poll(SUPPLIERS)
    agreed.work(0.1)
    assert (agreed.sides.erp["S1"]["Terms"], agreed.sides.ap["S1"]["payment_term"]) == ("B", "14D")


def later(bench: SharingBench, **changes: str) -> None:
    """Let people change the supplier again, and another chunk bring that before the first one goes on."""
    bench.sides.ap["S1"] |= changes
    earlier = {chunk.id for chunk in bench.pair().ledger(ENRICHMENT.name).unfinished()}
    bench.poll(ENRICHMENT)
    for chunk in bench.pair().ledger(ENRICHMENT.name).unfinished():
        if chunk.id not in earlier:
            write(bench.pair(), ENRICHMENT, chunk.id)


def test_what_a_later_chunk_wrote_is_no_alarm_of_an_earlier_one(agreed: SharingBench) -> None:
    in_doubt(agreed, "written")
    later(agreed, tax_id="DE999")
    agreed.work(1)
    agreed.run()
    assert agreed.sheet(ENRICHMENT).failed == []
    assert (agreed.sides.erp["S1"]["Terms"], agreed.sides.erp["S1"]["TaxNo"]) == ("C", "DE999")


def test_what_one_supplier_had_before_is_not_held_against_another(agreed: SharingBench) -> None:
    agreed.supplier("S2", "A", "DE222", name="Sons")
    agreed.sides.erp["S2"]["Bank"] = "FR2"
    agreed.run()
    agreed.run()
    agreed.sides.ap["S2"] |= {"payment_term": "60D"}
    in_doubt(agreed, "written")
    later(agreed, payment_term="14D")
    agreed.work(1)
    agreed.run()
    assert agreed.sheet(ENRICHMENT).failed == []
    assert (agreed.sides.erp["S1"]["Terms"], agreed.sides.erp["S2"]["Terms"]) == ("B", "C")


def test_what_a_write_spoilt_is_an_alarm_though_a_later_chunk_has_overtaken_it(agreed: SharingBench) -> None:
    agreed.sides.spoils = "Bank"
    in_doubt(agreed, "written")
    agreed.sides.spoils = ""
    later(agreed, payment_term="14D")
    agreed.work(1)
    assert [one["cause"] for one in agreed.sheet(ENRICHMENT).failed] == ["other fields changed"]
