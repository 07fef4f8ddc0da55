"""What documents and vendors say is shown on the terminal, in reports and in logs, and never obeyed there."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from infra.local import plain
from infra.local.page import escape
from infra.local.plain import PlainFormatter
from infra.ops import advice, table, terminal

OPS = Path(terminal.__file__).parent
ESC, CSI = "\x1b[2J\x1b]0;owned\x07", "\x9b2J"
BIDI = "\u202e00.001\u202c"
EVIL = f"Meyer{ESC}{CSI}\r\nreconciled after 1 s\x0b\x85\u2028{BIDI}\x7f\ud800"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printed(work: Any) -> str:
    app = typer.Typer()
    app.command()(work)
    return CliRunner().invoke(app, []).output


def harmless(text: str) -> bool:
    return not OBEYED.search(text) and not any(one.startswith("reconciled") for one in text.splitlines())


def test_a_line_stays_one_line_and_obeys_nothing() -> None:
    told = printed(lambda: terminal.line(f"held {EVIL}: why"))
    assert harmless(told) and told.count("\n") == 1 and "\\u001b[2J" in told and "\\u202e" in told


def test_a_message_of_several_lines_cannot_look_like_two() -> None:
    assert harmless(printed(lambda: terminal.lines(f"Nothing was written.\n{EVIL}")))


def test_a_listing_and_its_json_obey_nothing() -> None:
    rows = [{"key": EVIL, "reason": EVIL, "nested": [{"said": EVIL}]}]
    assert harmless(printed(lambda: table.show(rows, ("key", "reason", "nested"), as_json=False, empty="")))
    as_json = printed(lambda: table.show(rows, ("key",), as_json=True, empty=""))
    assert harmless(as_json) and json.loads(as_json) == [advice.row(row) for row in rows], "the same data"


def test_a_question_obeys_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(typer, "confirm", lambda question, **_: asked.append(question) or True)
    assert terminal.confirm(f"Retry {EVIL}?") and harmless(asked[0]) and "\n" not in asked[0]


def test_what_people_write_stays_as_it_is() -> None:
    text = "Müller & Söhne – 株式会社, السلام, 😀, naïve\tx"
    assert plain.line(text) == text and plain.plain(f"{text}\n") == f"{text}\n"


def test_a_log_can_be_shown() -> None:
    try:
        raise ValueError(EVIL)
    except ValueError as error:
        record = logging.LogRecord("n", 30, "p", 1, "said %s", (EVIL,), (ValueError, error, error.__traceback__))
    told = PlainFormatter("%(levelname)s %(message)s").format(record)
    assert not OBEYED.search(told) and told.splitlines()[0].startswith("WARNING said Meyer")
    assert "reconciled" in told.splitlines()[0]


def test_nothing_else_writes_to_the_terminal() -> None:
    direct = re.compile(r"typer\.(echo|confirm|secho)\(|(?<![\w.])print\(|sys\.std(out|err)\.write\(|Console\(")
    allowed = {"terminal.py": 99, "mappings.py": 1}  # an export into a pipe is data
    for path in OPS.glob("*.py"):
        found = direct.findall(path.read_text("utf-8"))
        assert len(found) <= allowed.get(path.name, 0), f"{path.name} writes to the terminal itself: use terminal.py"


def test_a_page_obeys_nothing() -> None:
    assert not OBEYED.search(escape(EVIL)) and escape("<b>\x1b</b>") == "&lt;b&gt;\\u001b&lt;/b&gt;"
