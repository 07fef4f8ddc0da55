"""The sweep for documents that somebody else acknowledged: once a day, and never by a shadow."""

from datetime import timedelta

import pytest

from tests.unit.engine.bench import ACCOUNTS, INVOICES, Papers, account, invoice


@pytest.fixture
def sweeps(bench, monkeypatch):
    """When the source was asked for what is acknowledged."""
    taken, asked = Papers.taken, []

    def noted(papers):
        asked.append(bench.clock.now())
        return taken(papers)

    monkeypatch.setattr(Papers, "taken", noted)
    return asked


@pytest.fixture
def foreign(bench):
    """Master data has been through, and another connector has acknowledged three invoices."""
    bench.systems.accounts = {"6100": account("6100")}
    bench.poll(ACCOUNTS)
    bench.work(0.1)
    bench.systems.invoices = {f"i{n}": invoice(f"i{n}") for n in range(3)}
    bench.systems.standing = dict.fromkeys(bench.systems.invoices, "acknowledged")
    return bench


def test_it_asks_once_a_day_however_often_offers_are_read(bench, sweeps):
    for _ in range(12):
        bench.poll(INVOICES)
        bench.clock.moment += timedelta(minutes=5)
    assert len(sweeps) == 1
    bench.clock.moment += timedelta(days=1)
    for _ in range(12):
        bench.poll(INVOICES)
        bench.clock.moment += timedelta(minutes=5)
    assert len(sweeps) == 2


def test_it_takes_what_is_acknowledged_and_not_on_its_way(foreign, sweeps):
    foreign.poll(INVOICES)
    assert {(c.key, c.swept) for c in foreign.pair().ledger("invoices").unfinished()} == {
        ("i0", True),
        ("i1", True),
        ("i2", True),
    }
    foreign.clock.moment += timedelta(days=1)
    foreign.poll(INVOICES)
    assert len(sweeps) == 2
    assert len(list(foreign.pair().ledger("invoices").unfinished())) == 3


def test_a_shadow_leaves_the_other_connectors_documents_alone(foreign, sweeps):
    foreign.shadow = True
    for _ in range(3):
        foreign.poll(INVOICES, full=True)
        foreign.work(0.1)
    ledger = foreign.pair().ledger("invoices")
    assert sweeps == []
    assert not [*ledger.unfinished(), *ledger.finished()]
