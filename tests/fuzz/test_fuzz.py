"""A fixed part of the spoilt inputs; `make fuzz` runs 100,000 others."""

from __future__ import annotations

import pytest

from tests.fuzz.campaigns import CAMPAIGNS
from tests.fuzz.runner import run

SEED = 20_260_302
CASES = {"webhooks": 1500, "secrets": 150, "sap_b1": 200, "basware": 500, "sage_300": 200}


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_every_spoilt_input_gets_its_documented_answer(name: str) -> None:
    told = run(name, CAMPAIGNS[name][0], SEED, range(CASES[name]))
    assert not told.failures, "\n\n".join(told.failures[:5])
    assert len(told.outcomes) > 1, "the inputs reach more than one answer"


def test_an_input_can_be_repeated_alone() -> None:
    make = CAMPAIGNS["basware"][0]
    whole = run("basware", make, SEED, range(20)).outcomes
    parts = [run("basware", make, SEED, range(n, n + 1)).outcomes for n in range(20)]
    assert sum(parts, type(whole)()) == whole


def test_a_fault_is_reported_with_the_command_that_repeats_it() -> None:
    class Faulty:
        def case(self, dice: object) -> str:
            raise KeyError("a fault of the product")

    told = run("basware", Faulty, 5, range(7, 8))
    assert "KeyError" in told.failures[0]
    assert "python -m tests.fuzz --seed 5 --only basware --case 7" in told.failures[0]
