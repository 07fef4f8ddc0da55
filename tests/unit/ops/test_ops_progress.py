"""What a run says while it is under way: nothing while all is well, and else what is waited for."""

from __future__ import annotations

import queue
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.progress import Progress


class Run:
    """A runner whose figures, news and waits a test sets; `passes` lets seconds go by."""

    def __init__(self, *, live: bool = False) -> None:
        self.at, self.read, self.waits = datetime(2026, 3, 2, tzinfo=UTC), 0, list[str]()
        self.news: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.runtime = SimpleNamespace(clock=SimpleNamespace(now=lambda: self.at))
        self.said = ""
        self.progress = Progress(self._say, live=live)

    def _say(self, text: str) -> None:
        self.said += text

    def sheets(self) -> dict[str, Any]:
        return {"vendors": SimpleNamespace(counts={"read": self.read, "delivered": self.read})}

    def awaited(self) -> list[str]:
        return self.waits

    def passes(self, seconds: int, *, reading: bool = False) -> list[str]:
        """Let time go by, a tenth of a second at a time; gives the lines said in it."""
        self.said = ""
        for _ in range(seconds * 10):
            self.at += timedelta(seconds=0.1)
            self.read += reading
            self.progress(self)  # type: ignore[arg-type]
        return self.said.splitlines()


def test_a_run_that_moves_says_nothing_where_no_terminal_shows_it() -> None:
    run = Run()
    run.waits = ["SAP Business One to answer (acme vendors)"]
    assert run.passes(30, reading=True) == []


def test_what_is_waited_for_is_said_within_seconds_and_then_less_and_less_often() -> None:
    run = Run()
    run.waits = ["SAP Business One to answer (acme vendors)"]
    said = run.passes(60)
    assert said[0] in {f"waiting for SAP Business One to answer (acme vendors), for {n} s now" for n in (4, 5)}
    assert 3 <= len(said) <= 5
    run.waits = []
    assert run.passes(60) == []


def test_many_waits_are_one_line() -> None:
    run = Run()
    run.waits = [f"SAP Business One to answer (t{n} vendors)" for n in range(9)]
    assert run.passes(6)[0].count("SAP Business One") == 3
    assert " and 6 more, for" in run.said


def test_what_is_tried_again_is_said_at_once_with_the_time_on_the_wall() -> None:
    run = Run()
    run.news.put("acme vendors: SAP is away. Work waits until 2026-03-02T09:00:00+00:00. It is tried again in 2 s.")
    (said,) = run.passes(1)
    assert said.startswith("acme vendors: SAP is away. Work waits until 2026-03-02 ")
    assert "T09:00" not in said


def test_on_a_terminal_one_line_is_replaced_and_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    run = Run(live=True)
    run.waits = ["SAP Business One to answer (acme vendors)"]
    run.passes(9)
    lines = run.said.split("\r\x1b[K")[1:]
    assert lines[0] == "0 read"
    assert lines[-1].startswith("0 read; waiting for SAP Business One")
    assert all(len(line) < 50 and "\n" not in line for line in lines)
    run.news.put("acme vendors: SAP is away.")
    run.passes(1)
    assert "\r\x1b[Kacme vendors: SAP is away.\n" in run.said
