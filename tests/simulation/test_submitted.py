"""A few histories of Sage X3 with AvidXchange: nothing is lost or doubled; without the look-up it would be."""

from __future__ import annotations

import pytest

from ml_connector.systems.avidxchange.supplier_invoices import SupplierInvoices
from tests.simulation.submitted import Submitted


@pytest.mark.parametrize("seed", [1, 3, 7, 11])
def test_nothing_is_lost_or_doubled(seed: int) -> None:
    history = Submitted(seed)
    assert history.run() == []
    assert history.counts()["entered in X3: payments"] or history.counts()["at AvidXchange: received"]


def test_without_the_look_up_before_it_is_sent_again_it_is_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SupplierInvoices, "look", lambda *_: [])
    assert any("DOUBLED" in text for text in Submitted(7).run())
