"""A document's life: nothing happens, a named event does, a rotating few do; and what a missing safeguard lets by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exploration.__main__ import whole
from tests.exploration.life import Life
from tests.exploration.places import Event, Explorer
from tests.simulation import weakenings
from tests.simulation.erp_sage_300 import Sage300
from tests.simulation.worlds import ERPS

ROOT = Path(__file__).parents[2]
ONE_IN = int(os.environ.get("ONE_IN", "400"))
"""Of all single events, one in so many is lived through: others on another day."""


def lived(erp, *events: str) -> tuple[list[str], Explorer]:
    explorer = Explorer(script=tuple(map(Event.read, events)))
    life = Life(erp, explorer)
    life.prepare()
    return life.live(), explorer


@pytest.mark.parametrize("erp", ERPS, ids=lambda erp: erp.system)
def test_a_life_in_which_nothing_happens_is_good(erp):
    found, explorer = lived(erp)
    assert found == []
    assert explorer.happened == ()
    assert explorer.counts["wire"] > 10
    assert explorer.counts["crash"] > 50
    assert explorer.counts["late"] > 0, "the posting is a place at which a server may act late"


def test_a_posting_carried_out_late_is_not_doubled_unless_nobody_looks():
    late = "late=0.0@1"
    found, explorer = lived(Sage300, late)
    assert [str(one) for one in explorer.happened] == [late]
    assert found == []
    with weakenings.no_settle_time():
        found, _ = lived(Sage300, late)
    assert any("DOUBLED" in text for text in found), found


def test_a_life_is_the_same_each_time():
    found = [lived(Sage300, "wire=timeout after@9", "crash=@120")[1] for _ in range(2)]
    assert found[0].happened == found[1].happened
    assert found[0].counts == found[1].counts
    assert len(found[0].happened) == 2


@pytest.mark.parametrize("erp", ERPS, ids=lambda erp: erp.system)
def test_a_rotating_few_of_all_single_events_break_no_rule(erp, tmp_path):
    asked = ["--erp", erp.system, "--one-in", str(ONE_IN), "--out", str(tmp_path)]
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers" / "connector")))
    done = subprocess.run(
        [sys.executable, "-m", "tests.exploration", *asked],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    told = [json.loads(line) for one in tmp_path.iterdir() for line in one.read_text().splitlines()]
    assert sum(len(one["events"]) == 1 for one in told) >= 3, "events were lived through"


def test_a_part_that_was_cut_short_is_begun_again(tmp_path):
    out = tmp_path / "part"
    assert not whole(out, 1)
    out.write_text('{"events": [], "breaches": [], "places": {}, "cut": true, "one_in": 1}\n')
    assert not whole(out, 1)
    out.write_text('{"events": [], "breaches": [], "places": {}, "cut": false, "one_in": 1}\n')
    assert whole(out, 1)
    assert not whole(out, 7)
