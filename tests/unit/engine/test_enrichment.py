"""Payment terms and tax ids that people change at the platform: they come to the ERP, and are never overwritten."""

from dataclasses import replace
from unittest.mock import patch

import pytest

from ml_connector.engine import endpoints
from ml_connector.engine.ledger import fingerprint
from ml_connector.engine.ledger.rows import Chunk, Row
from ml_connector.engine.relocate import move
from ml_connector.engine.replay import replay
from ml_connector.errors import OutcomeUnknown, Rejected, Transient, Unreachable
from tests.unit.engine.bench import INVOICES, Bench, Killed
from tests.unit.engine.enriched import ENRICHMENT, SHARING, SUPPLIERS, SharingBench


@pytest.fixture
def shared(bench: Bench) -> SharingBench:
    made = SharingBench(bench.runtime, bench.systems, bench.clock, bench.queue)
    made.term("30D", "A")
    made.term("14D", "B")
    made.term("60D", "C")
    return made


@pytest.fixture
def agreed(shared: SharingBench) -> SharingBench:
    """Give a supplier that both sides have, with the term A (30D) and a tax id."""
    shared.supplier("S1", "A", "DE111")
    shared.run()
    assert shared.sides.ap["S1"] == {"name": "Meyer", "payment_term": "30D", "tax_id": "DE111"}
    shared.sides.sent.clear()
    return shared


def open_chunks(bench: SharingBench) -> list[Chunk]:
    return list(bench.pair().ledger("enrichment").unfinished())


# ── both ways, once ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_platform_changed_comes_to_the_erp_once_and_goes_nowhere_else(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.run()
    assert agreed.sides.written == [("S1", {"payment_term": "B"})]
    assert agreed.counts(ENRICHMENT) == {"delivered": 1}
    for full in (False, True):
        agreed.run(full=full)
    assert len(agreed.sides.written) == 1
    assert agreed.sides.sent == []
    assert agreed.counts(SUPPLIERS) == {"unchanged": 1}
    assert agreed.sides.erp["S1"] == {"Name": "Meyer", "Terms": "B", "TaxNo": "DE111", "Bank": "DE1"}


def test_what_the_erp_changed_goes_to_the_platform_once_and_does_not_come_back(agreed: SharingBench) -> None:
    agreed.supplier("S1", "C", "DE111")
    agreed.run()
    assert agreed.sides.sent == [("S1", {"name": "Meyer", "payment_term": "60D"})]
    for full in (False, True):
        agreed.run(full=full)
    assert len(agreed.sides.sent) == 1
    assert agreed.sides.written == []
    assert agreed.counts(ENRICHMENT) == {"unchanged": 1}


def test_a_change_in_the_erp_goes_out_although_a_new_version_of_the_software_reads_it_first(
    agreed: SharingBench,
) -> None:
    agreed.supplier("S1", "C", "DE111")
    with patch.object(fingerprint, "VERSION", "2"), patch.dict(fingerprint.FORMER, {"1": fingerprint.written}):
        agreed.run(full=True)
        assert agreed.sides.sent == [("S1", {"name": "Meyer", "payment_term": "60D"})]
        agreed.run(full=True)
    assert len(agreed.sides.sent) == 1


def test_another_change_in_the_erp_goes_out_without_the_shared_fields(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "14D", "tax_id": "DE999"}
    agreed.run()
    agreed.supplier("S1", "B", "DE999", name="Meyer AG")
    agreed.run()
    assert agreed.sides.sent == [("S1", {"name": "Meyer AG"})]
    assert agreed.sides.ap["S1"]["payment_term"] == "14D"


def test_a_change_at_the_platform_right_before_the_sending_is_not_overwritten(agreed: SharingBench) -> None:
    """The flow that enriches has read the vendor before; the target looks again."""
    agreed.poll(ENRICHMENT)
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.supplier("S1", "A", "DE111", name="Meyer AG")
    agreed.poll(SUPPLIERS)
    agreed.work()
    assert agreed.sides.sent == [("S1", {"name": "Meyer AG"})]
    agreed.run()
    assert agreed.sides.erp["S1"]["Terms"] == "B"


def test_where_both_changed_a_field_the_platform_wins_and_the_audit_names_all_three(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.supplier("S1", "C", "DE222")
    agreed.run()
    assert agreed.sides.erp["S1"]["Terms"] == "B"
    assert agreed.sides.ap["S1"] == {"name": "Meyer", "payment_term": "14D", "tax_id": "DE222"}


def test_a_value_that_had_been_there_before_comes_to_the_erp_again(agreed: SharingBench) -> None:
    """What was delivered last says nothing: the ERP's own change lay in between, and nobody read the vendor then."""
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.run()
    agreed.work(1)
    agreed.supplier("S1", "C", "DE111")
    agreed.poll(SUPPLIERS)
    agreed.work(0.1)
    assert agreed.sides.ap["S1"]["payment_term"] == "60D"
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.run()
    assert agreed.sides.erp["S1"]["Terms"] == "B"


def test_what_is_empty_at_the_platform_empties_nothing_and_is_filled_again(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "", "tax_id": ""}
    agreed.run(full=True)
    assert agreed.sides.written == []
    agreed.supplier("S1", "A", "DE111", name="Meyer AG")
    agreed.run()
    assert agreed.sides.ap["S1"] == {"name": "Meyer AG", "payment_term": "30D", "tax_id": "DE111"}


def test_what_the_erp_emptied_is_emptied_at_the_platform(agreed: SharingBench) -> None:
    agreed.supplier("S1", "A", "")
    agreed.run()
    assert agreed.sides.sent == [("S1", {"name": "Meyer", "tax_id": ""})]


def test_a_vendor_that_is_gone_at_the_platform_is_not_deactivated_in_the_erp(agreed: SharingBench) -> None:
    del agreed.sides.ap["S1"]
    agreed.run(full=True)
    assert open_chunks(agreed) == []
    assert agreed.sides.written == []


# ── the first time ──────────────────────────────────────────────────────────────────────────────────────────────


def test_what_stands_there_already_is_agreed_where_it_is_equal_and_nothing_is_written(shared: SharingBench) -> None:
    shared.supplier("S1", "A", "DE111")
    shared.sides.ap["S1"] = {"name": "Meyer", "payment_term": "30D", "tax_id": "DE111"}
    shared.run()
    assert shared.sides.written == []
    shared.sides.ap["S1"] |= {"payment_term": "14D"}
    shared.run()
    assert shared.sides.written == [("S1", {"payment_term": "B"})]


def test_what_only_one_side_has_flows_to_the_other(shared: SharingBench) -> None:
    shared.supplier("S1", "A", "")
    shared.sides.ap["S1"] = {"name": "Meyer", "payment_term": "", "tax_id": "DE111"}
    shared.run()
    assert shared.sides.ap["S1"]["payment_term"] == "30D"
    assert shared.sides.written == [("S1", {"tax_id": "DE111"})]


def test_what_never_agreed_waits_for_a_person_and_neither_is_overwritten(shared: SharingBench) -> None:
    shared.supplier("S1", "A", "DE111")
    shared.sides.ap["S1"] = {"name": "Meier", "payment_term": "14D", "tax_id": "DE111"}
    shared.run()
    (held,) = shared.sheet(ENRICHMENT).held
    assert held["waiting_for"] == "conflict:S1"
    assert "14D in ap and A in erp" in held["reason"]
    assert shared.sides.ap["S1"] == {"name": "Meyer", "payment_term": "14D", "tax_id": "DE111"}
    before = list(shared.sides.sent)
    shared.run()
    assert shared.sides.sent == before, "it is not sent at each pass"
    shared.supplier("S1", "B", "DE111")
    shared.work(2)
    assert open_chunks(shared) == []
    assert shared.sides.written == []


def test_it_waits_for_the_first_pass_of_suppliers(shared: SharingBench) -> None:
    shared.sides.ap["S1"] = {"name": "Meyer", "tax_id": "DE111"}
    shared.poll(ENRICHMENT)
    shared.work()
    assert [chunk.waiting_for for chunk in open_chunks(shared)] == ["prerequisite:suppliers"]
    shared.supplier("S1")
    shared.poll(SUPPLIERS)
    shared.work(0.1)
    assert shared.sides.erp["S1"]["TaxNo"] == "DE111"


# ── what cannot be written ──────────────────────────────────────────────────────────────────────────────────────


def test_a_term_that_nobody_mapped_waits_and_the_tax_id_does_not(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "90D", "tax_id": "DE999"}
    agreed.run()
    (held,) = agreed.sheet(ENRICHMENT).held
    assert held["waiting_for"] == "term:90D"
    assert "mappings set acme term 90D" in held["reason"]
    assert agreed.sides.written == [("S1", {"tax_id": "DE999"})]
    agreed.term("90D", "D")
    agreed.work(2)
    assert agreed.sides.erp["S1"]["Terms"] == "D"


def test_a_supplier_that_the_erp_does_not_have_waits_for_its_mapping(agreed: SharingBench) -> None:
    agreed.sides.ap["X9"] = {"name": "Other", "tax_id": "DE5"}
    agreed.run()
    assert [held["waiting_for"] for held in agreed.sheet(ENRICHMENT).held] == ["supplier:X9"]


def test_what_the_erp_refuses_is_rejected_and_never_overwritten_at_the_platform(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.sides.faults = [("write", Rejected("Terms code B is on hold."))]
    agreed.run()
    assert agreed.counts(ENRICHMENT) == {"rejected": 1}
    agreed.supplier("S1", "C", "DE111", name="Meyer AG")
    agreed.run()
    assert agreed.sides.ap["S1"] == {"name": "Meyer AG", "payment_term": "14D", "tax_id": "DE111"}
    assert agreed.counts(ENRICHMENT) == {"rejected": 1}, "the same is not tried at each pass"
    agreed.run(full=True)
    assert agreed.sides.erp["S1"]["Terms"] == "B", "the daily comparison tries again"


def test_what_stands_still_in_the_erp_after_a_write_is_held(agreed: SharingBench) -> None:
    agreed.sides.deaf = True
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.run()
    (held,) = agreed.sheet(ENRICHMENT).held
    assert held["waiting_for"] == "lookup:S1"
    agreed.sides.deaf = False
    agreed.work(2)
    assert agreed.sides.erp["S1"]["TaxNo"] == "DE999"
    assert open_chunks(agreed) == []


def test_another_column_that_changed_is_an_alarm_and_nothing_more_is_written_until_a_person_looked(
    agreed: SharingBench,
) -> None:
    agreed.supplier("S2", "A", "DE2")
    agreed.run()
    agreed.sides.spoils = "Bank"
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.sides.ap["S2"] |= {"tax_id": "DE888"}
    agreed.run()
    (failed,) = agreed.sheet(ENRICHMENT).failed
    assert failed["cause"] == "other fields changed"
    assert "Bank changed in addition" in failed["reason"]
    assert [key for key, _ in agreed.sides.written] == ["S1"]
    (held,) = agreed.sheet(ENRICHMENT).held
    assert held["waiting_for"] == "lookup:S2"
    agreed.sides.spoils, agreed.sides.erp["S1"]["Bank"] = "", "DE1"
    assert replay(agreed.pair(), ENRICHMENT, "S1", "by a person").what == "reopened"
    agreed.work(2)
    assert [key for key, _ in agreed.sides.written] == ["S1", "S2"]
    assert open_chunks(agreed) == []


# ── trouble on the way ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["write", "written", "read", "reread"])
def test_a_crash_anywhere_loses_nothing_and_writes_nothing_back(agreed: SharingBench, where: str) -> None:
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.sides.faults = [(where, Killed())]
    agreed.poll(ENRICHMENT)
    agreed.die()
    agreed.poll(SUPPLIERS)
    agreed.work(1)
    agreed.run()
    assert agreed.sides.erp["S1"]["TaxNo"] == agreed.sides.ap["S1"]["tax_id"] == "DE999"
    assert all("tax_id" not in body for _, body in agreed.sides.sent)
    assert open_chunks(agreed) == []
    agreed.run()
    assert agreed.counts(ENRICHMENT) == {"unchanged": 1}
    assert agreed.counts(SUPPLIERS) == {"unchanged": 1}


def test_an_alarm_is_noticed_also_by_the_next_worker(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.sides.spoils, agreed.sides.faults = "Bank", [("written", Killed())]
    agreed.poll(ENRICHMENT)
    agreed.die()
    agreed.work(1)
    assert [one["cause"] for one in agreed.sheet(ENRICHMENT).failed] == ["other fields changed"]


@pytest.mark.parametrize("where", ["write", "written"])
def test_an_unknown_outcome_is_looked_at_before_anything_is_written_again(agreed: SharingBench, where: str) -> None:
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.sides.faults = [(where, OutcomeUnknown("The connection broke."))]
    agreed.run()
    agreed.work(1)
    assert len(agreed.sides.written) == 1
    assert agreed.sides.erp["S1"]["TaxNo"] == "DE999"
    assert agreed.counts(ENRICHMENT) == {"delivered": 1}


@pytest.mark.parametrize("error", [Transient("Busy."), Unreachable("Away.")])
def test_passing_trouble_is_tried_again(agreed: SharingBench, error: Exception) -> None:
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.sides.faults = [("read", error)]
    agreed.poll(ENRICHMENT)
    agreed.work(1)
    assert agreed.sides.erp["S1"]["TaxNo"] == "DE999"


def test_a_crash_before_a_supplier_is_confirmed_makes_no_change_of_it(shared: SharingBench) -> None:
    shared.supplier("S1", "A", "DE111")
    shared.sides.faults = [("verdict", Killed())]
    shared.poll(SUPPLIERS)
    shared.die()
    shared.work(1)
    shared.run()
    assert shared.sides.written == []
    assert shared.counts(ENRICHMENT) == {"unchanged": 1}


def test_what_waited_is_written_as_it_stands_at_the_platform_by_then(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "90D"}
    agreed.run()
    agreed.sides.ap["S1"] |= {"payment_term": "30D"}
    agreed.term("90D", "D")
    agreed.work(2)
    assert agreed.sides.written == []
    assert open_chunks(agreed) == []


def test_a_change_of_the_erp_that_was_kept_back_goes_out_once_the_platform_took_its_own_back(
    agreed: SharingBench,
) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "90D"}
    agreed.supplier("S1", "C", "DE111")
    agreed.run()
    assert agreed.sides.ap["S1"]["payment_term"] == "90D"
    agreed.sides.ap["S1"] |= {"payment_term": "30D"}
    agreed.run()
    agreed.run(full=True)
    assert agreed.sides.ap["S1"]["payment_term"] == "60D"
    assert agreed.sides.erp["S1"]["Terms"] == "C"


# ── settings, mappings, moves ───────────────────────────────────────────────────────────────────────────────────


def test_a_shadow_writes_nothing_and_agrees_on_nothing(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"tax_id": "DE999"}
    agreed.shadow = True
    agreed.run()
    assert agreed.sides.written == []
    agreed.shadow = False
    agreed.run(full=True)
    assert agreed.sides.written == [("S1", {"tax_id": "DE999"})]


def test_a_corrected_mapping_corrects_what_came_from_the_platform_and_sends_nothing_back(agreed: SharingBench) -> None:
    agreed.sides.ap["S1"] |= {"payment_term": "14D"}
    agreed.run()
    agreed.term("14D", "E")
    agreed.run()
    assert agreed.sides.erp["S1"]["Terms"] == "E"
    assert agreed.sides.ap["S1"]["payment_term"] == "14D"


def test_a_corrected_mapping_corrects_what_came_from_the_erp(agreed: SharingBench) -> None:
    agreed.pair().mappings.remove("term", "30D")
    agreed.term("030", "A")
    agreed.run()
    assert agreed.sides.ap["S1"]["payment_term"] == "030"
    assert agreed.sides.written == []


def test_what_was_agreed_on_moves_with_the_endpoint(agreed: SharingBench) -> None:
    agreed.flows = (*SHARING.flows, INVOICES)
    before = replace(agreed.pair(), endpoints={"erp": {"server": "old"}, "ap": {}})
    before.ledger("invoices").settle({"a": Row(outcome="delivered")}, {})
    endpoints.note(before)
    moved = replace(before, scope="moved", endpoints={"erp": {"server": "new"}, "ap": {}})
    (earlier,) = endpoints.note(moved)
    move(moved, earlier.scope, "ada")
    row = moved.ledger("suppliers").rows(["S1"])["S1"][0]
    assert row.shared is not None
    assert row.shared["payment_term"].platform == "30D"
