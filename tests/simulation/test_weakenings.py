"""The checker can fail: each weakening of the product is caught; and a failing history is shrunk."""

from __future__ import annotations

import pytest

from tests.simulation import shrink
from tests.simulation.catalogue import CAUGHT, MADE_GOOD, MENDED, TILTS, caught_at
from tests.simulation.checker import check, judge
from tests.simulation.history import Cut, History
from tests.simulation.weakenings import Weakening, no_look

pytestmark = pytest.mark.weakenings


@pytest.mark.parametrize("weakening", CAUGHT, ids=lambda w: w.__name__)
def test_a_weakened_product_is_caught(weakening: Weakening):
    assert caught_at(weakening, range(300)) is not None, "no seed showed it"


@pytest.mark.parametrize("weakening", MENDED, ids=lambda w: w.__name__)
def test_a_fault_that_the_simulation_found_stays_mended(weakening: Weakening):
    """At a seed that shows the fault with the fix taken out, the product as it is passes."""
    seed, _ = caught_at(weakening, range(300)) or (-1, [])
    assert seed >= 0, "no seed showed it"
    assert judge(History(seed, TILTS[weakening])) == [], MENDED[weakening]


@pytest.mark.parametrize("weakening", MADE_GOOD, ids=lambda w: w.__name__)
def test_what_another_safeguard_makes_good_loses_nothing(weakening: Weakening):
    with weakening():
        for seed in range(12):
            assert judge(History(seed, TILTS[weakening])) == [], (seed, MADE_GOOD[weakening])


@pytest.mark.parametrize("weakening", list(TILTS), ids=lambda w: w.__name__)
def test_the_product_itself_passes_under_the_same_circumstances(weakening: Weakening):
    for seed in range(2):
        assert judge(History(seed, TILTS[weakening])) == [], seed


def test_a_failing_history_is_shrunk_to_what_is_enough_for_it():
    with no_look():
        seed, _ = caught_at(no_look, range(100)) or (0, [])
        cut, small = shrink.shrunk(seed, TILTS[no_look], most=60)
        assert check(small) != []
        assert judge(History(seed, TILTS[no_look], cut)) != [], "the cut repeats it"
    whole = History(seed, TILTS[no_look]).run()
    assert len(cut.acts) + len(cut.faults) < len(whole.acts) + len(whole.machine.struck)
    assert shrink.read(shrink.spell(cut)) == cut


def test_a_cut_is_spelt_and_read():
    assert shrink.read("a3,a7/f12") == Cut(frozenset({3, 7}), frozenset({12}))
    assert shrink.least(range(64), lambda some: {5, 40} <= set(some)) == [5, 40]
