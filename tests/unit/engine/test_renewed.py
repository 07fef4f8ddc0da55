"""What comes on top of a version that was refused, or is still judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ml_connector.engine.ledger.rows import LONGEST_REASON
from ml_connector.errors import OutcomeUnknown, Transient
from ml_connector.flow import Found, Prepared, Rendered, Sent, Verdict
from tests.unit.engine.bench import ACCOUNTS, INVOICES, TABLE, Accounts, Bench, Papers, account, invoice

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


@pytest.mark.parametrize("whole", [True, False], ids=["the target refuses", "it refuses this one"])
@pytest.mark.parametrize(("number", "hours", "posts"), [("R-1", 0.05, 2), ("R-2", 0.05, 1), ("R-2", 1, 2)])
def test_what_goes_by_another_name_than_its_sending_in_doubt_waits_for_that(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: str, hours: float, posts: int, *, whole: bool
) -> None:
    """A payment that was cancelled while its first response was in doubt: that one could land on the reversal."""
    prepare, send, tries = Papers.prepare, Papers.send, []

    def named(self: Papers, record: Any, codes: Any) -> Prepared:
        return replace(prepare(self, record, codes), name=record.number, unique=not whole)

    def noted(self: Papers, prepared: Prepared) -> Found:
        tries.append(prepared.name)
        return send(self, prepared)

    monkeypatch.setattr(Papers, "refuses_duplicates", whole)
    for name, made in (("prepare", named), ("trace", named), ("send", noted)):
        monkeypatch.setattr(Papers, name, made)
    bench.systems.accounts = {"6100": account("6100")}
    bench.compare(ACCOUNTS)
    bench.systems.invoices = {"i": msgspec.structs.replace(invoice("i"), number="R-1")}
    bench.systems.faults = [("post", OutcomeUnknown("broke off"))]
    bench.poll(INVOICES)
    bench.work()
    bench.systems.invoices = {"i": msgspec.structs.replace(invoice("i"), number=number)}
    bench.work(hours)
    assert tries == ["R-1", number][:posts]
