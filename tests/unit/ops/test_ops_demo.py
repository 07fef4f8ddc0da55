"""What the demonstration shows: figures that a person believes, each act by itself, and commands that can be tried."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.local import layer
from infra.local.demo import BY_HAND, TOGETHER
from infra.local.demo_books import Books, SageBooks, SapBooks, SysproBooks
from infra.local.page import page
from infra.local.report import Outcome, report
from infra.ops import demo, summary
from infra.sandbox import fixtures, fixtures_sage_300, fixtures_syspro
from ml_connector.engine.ledger.control_totals import FlowTotals


@pytest.mark.parametrize(
    ("kind", "scenery"), [(SapBooks, fixtures), (SageBooks, fixtures_sage_300), (SysproBooks, fixtures_syspro)]
)
def test_no_figure_is_larger_than_a_companys_and_the_documents_are_the_ones_that_tests_use(
    kind: type[Books], scenery: Any
) -> None:
    world = kind().world
    grosses = [abs(document.record["grossSum"]) for document in world.ap.documents.values()]
    assert max(grosses) < 100_000
    assert sum(grosses) < 2_000_000
    assert world.fates == scenery.seeded_systems().fates


def test_a_line_about_how_far_it_is_comes_now_and_then_where_no_terminal_replaces_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(demo.time, "monotonic", lambda: now)
    tell = demo.Teller()
    for _ in range(45):
        now += 1
        tell("\racme: 3 of 9 done")
    tell("Act two.")
    assert capsys.readouterr().out.splitlines() == ["  acme: 3 of 9 done", "  acme: 3 of 9 done", "Act two."]


@pytest.fixture
def outcome(office: Any) -> Outcome:
    stream = office.workspace.stream("acme", "invoices")
    sheet = FlowTotals(stream.flow)
    sheet.rejected = [{"key": "k1", "reason": "Map it with `ml-connector mappings set acme tax V1 TARGET`."}]
    place = ("acme", "sap_b1-basware", "invoices")
    return Outcome([], {place: sheet}, 1.0, where="--secrets sandbox-secrets", notes=(TOGETHER, BY_HAND))


def test_terminal_and_page_say_how_to_read_the_figures_and_how_to_try_the_commands(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    summary.conclude(outcome, None, tables=False)
    said = capsys.readouterr().out
    assert TOGETHER in said and BY_HAND in said
    assert "`ml-connector mappings set acme tax V1 TARGET --secrets sandbox-secrets`" in said
    assert "sap_b1-basware" not in said  # each act has shown its figures
    text = page(report(outcome), outcome)
    assert "<code>ml-connector mappings set acme tax V1 TARGET --secrets sandbox-secrets</code>" in text
    assert "counted a second time, as unchanged" in text
    assert "<code>ml-connector sandbox</code>" in text and "<code>--system syspro</code>" in text


def test_an_old_local_layer_is_built_anew_and_todays_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def noted(target: Path, *, local: bool) -> None:
        assert local
        built.append(target)

    monkeypatch.setattr(layer, "build", noted)
    layer.refresh(tmp_path / "layer")
    copy = tmp_path / "layer" / "python" / "ml_connector"
    shutil.copytree(layer.PACKAGE, copy)
    layer.refresh(tmp_path / "layer")
    assert built == [tmp_path / "layer"]
    (copy / "errors.py").write_text("# of yesterday\n")
    layer.refresh(tmp_path / "layer")
    assert len(built) == 2
