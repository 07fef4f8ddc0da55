"""What comes on top of a version that was refused, is still judged, or went out with other codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ml_connector.engine.mappings import Mapping
from ml_connector.engine.reading import LONGEST_REASON
from ml_connector.errors import Transient
from ml_connector.flow import Rendered, Sent, Verdict
from tests.unit.engine.bench import ACCOUNTS, TABLE, Accounts, Bench, account

ORDERS = replace(ACCOUNTS, follows=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Rendered]:
    """Every record as it was handed to the target."""
    seen: list[Rendered] = []
    send = Accounts.send

    def noted(self: Accounts, stage: str, batch: Any) -> Sent:
        seen.extend(batch)
        return send(self, stage, batch)

    monkeypatch.setattr(Accounts, "send", noted)
    return seen


def _map(bench: Bench, kind: str, code: str, target: str) -> None:
    bench.pair().mappings.set(Mapping(integration="erp-ap", kind=kind, code=code, target=target))


def test_a_mapping_of_a_kind_that_goes_out_sends_what_was_delivered_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = replace(ACCOUNTS, codes=("tax",))
    monkeypatch.setattr("tests.unit.engine.bench.TABLE", replace(TABLE, flows=(flow,)))
    bench.systems.accounts = {"A1": account("A1")}
    bench.poll(flow)
    bench.work(0.1)
    _map(bench, "term", "N30", "30")  # nothing of this flow
    bench.poll(flow, full=True)
    bench.work(0.1)
    assert len(bench.systems.sends) == 1
    _map(bench, "tax", "VAT0", "V0")
    for _ in range(2):
        bench.poll(flow, full=True)
        bench.work(0.1)
    assert len(bench.systems.sends) == 2


def test_a_newer_version_waits_for_the_verdict_on_the_one_before(
    bench: Bench, sent: list[Rendered], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.engine.bench.TABLE", replace(TABLE, flows=(ORDERS,)))
    bench.systems.accounts = {"A1": account("A1", "old")}
    bench.systems.faults = [("verdict", Transient("not yet"))]
    bench.poll(ORDERS)
    bench.work()
    bench.systems.accounts["A1"] = account("A1", "new")
    bench.poll(ORDERS)
    bench.work()
    assert len(sent) == 1  # what is left of the first shows only once it was judged
    bench.work(1)
    assert [one.known for one in sent] == [False, True]
    assert bench.systems.taken["A1"].name == "new"


def test_what_was_refused_as_it_is_goes_again_with_a_real_change(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    touches: list[str | None] = []
    render = Accounts.render

    def noted(self: Accounts, record: Any, codes: Any, touch: str | None = None) -> Rendered:
        touches.append(touch)
        return render(self, record, codes, touch)

    monkeypatch.setattr(Accounts, "render", noted)
    monkeypatch.setattr(Accounts, "verdicts", lambda *_: {"A1": Verdict("rejected", "x" * 5000)})
    bench.systems.accounts = {"A1": account("A1")}
    bench.poll(ORDERS)
    bench.work(0.1)
    assert set(touches) == {None}
    bench.compare(ACCOUNTS)
    assert touches[-1] is not None


def test_long_reasons_do_not_burst_the_rows_that_hold_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.systems.accounts = {f"A{n:03d}": account(f"A{n:03d}") for n in range(300)}
    refused = {key: Verdict("rejected", "ä" * 5000) for key in bench.systems.accounts}
    monkeypatch.setattr(Accounts, "verdicts", lambda *_: refused)
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    ledger = bench.pair().ledger("accounts")
    assert {row.outcome for _, row in ledger.all_rows()} == {"rejected"}
    bench.poll(ACCOUNTS)
    assert max(len(reason) for _, reason in ledger.cursor()[0].figures.rejects) == LONGEST_REASON
