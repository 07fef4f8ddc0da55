"""A damaged, full, foreign or unreadable place is named in a sentence with what to do; no run's result is lost."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.local.report import unwritable
from infra.local.runner import Runner
from infra.local.state import open_state
from infra.ops import summary
from infra.ops.main import app
from ml_connector.embedded.blobs import FolderBlobs
from ml_connector.embedded.disk import told
from ml_connector.errors import ConnectorError, Misconfigured, Transient
from ml_connector.ports import Item

COMMANDS = (
    "ping",
    "tenants",
    "runs",
    "held",
    "documents",
    "dlq list",
    "mappings list acme",
    "audit acme invoices x",
    "replay acme invoices x --yes",
    "purge acme --force --yes",
    "local run",
    "local serve --port 0",
    "endpoint list acme",
    "mappings set acme tax 1 2",
)


def damaged(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 5000)


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")


def older(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.executescript("CREATE TABLE rows (pk TEXT, sk TEXT); PRAGMA user_version = 1;")


def newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")


def no_database(path: Path) -> None:
    path.write_text("hello")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def run(folder: Path, words: str) -> Any:
    return CliRunner().invoke(app, [*words.split(), "--secrets", str(folder)])


def closed(office: Any) -> Path:
    """Close the state; gives its file."""
    store, path = office.workspace.runtime.store, office.folder / ".state" / "state.sqlite"
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    for side in ("state.sqlite-wal", "state.sqlite-shm"):
        path.with_name(side).unlink(missing_ok=True)
    return Path(path)


@pytest.mark.parametrize("harm", [damaged, foreign, older, newer, no_database, a_folder])
def test_a_state_that_cannot_be_used_is_named_with_what_to_do(office: Any, harm: Any) -> None:
    path = closed(office)
    harm(path)
    for words in COMMANDS:
        result = run(office.folder, words)
        assert result.exit_code in {1, 2}, (words, result.output)
        assert isinstance(result.exception, SystemExit), words
        assert str(path) in result.stderr, words
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_a_state_folder_that_cannot_be_made_is_named(office: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for words in COMMANDS:
        result = run(office.folder, f"{words} --state {tmp_path}/file/state")
        assert result.exit_code == 2, (words, result.output)
        assert f"{tmp_path}/file/state" in result.stderr
        assert isinstance(result.exception, SystemExit)


def test_a_torn_file_says_so_wherever_it_is_read(office: Any) -> None:
    for n in range(300):
        office.row("vendors", f"V{n}", outcome="delivered", code=f"V{n}", reason="x" * 200)
    path = closed(office)
    kept = path.read_bytes()
    path.write_bytes(kept[:4096] + b"\xee" * (len(kept) - 4096))
    result = run(office.folder, "held")
    assert result.exit_code == 2
    assert "Restore the state folder from a backup" in result.stderr


def fill(store: Any) -> None:
    """Let the database have no further page, as on a full disk."""
    store._connection.execute(
        f"PRAGMA max_page_count = {store._connection.execute('PRAGMA page_count').fetchone()[0] + 1}"
    )
    with pytest.raises(Transient, match=r"the disk is full\. Make room"):
        for n in range(10_000):
            store.put(Item("x", str(n), {"text": "y" * 1000}))


def test_a_disk_that_fills_up_ends_the_run_with_a_report_that_says_so(office: Any, tmp_path: Path) -> None:
    for n in range(50):
        office.chunk("invoices", key=f"k{n}", state="waiting", waiting_for="account:6100", notes=["n" * 900])
    state = open_state(office.folder)
    runner = Runner(state)
    fill(state.runtime.store)
    runner.once(4)  # it tries again until then
    code = summary.conclude(runner.outcome(), tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert code == 1
    assert not report["reconciled"]
    errors = {flow["error"] for flow in report["tenants"]["acme"]["sap_b1-basware"].values()}
    assert any("the disk is full" in str(error) for error in errors), errors


def test_a_state_that_breaks_under_a_run_gives_a_report_all_the_same(office: Any) -> None:
    state = open_state(office.folder)
    runner = Runner(state)

    def gone(*_: Any, **__: Any) -> Any:
        raise Misconfigured("state.sqlite is damaged. Restore it.")

    for name in ("get", "put", "query", "due", "get_many", "put_many", "delete"):
        setattr(state.runtime.store, name, gone)
    runner.once(20)
    ended = runner.outcome()
    assert {sheet.error for sheet in ended.sheets.values()} == {"state.sqlite is damaged. Restore it."}


# ── reports and other files ──────────────────────────────────────────────────────────────────────────────────


def test_a_report_that_could_not_be_written_is_said_before_the_run(office: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for where, said in ((tmp_path, "is a folder; name a file in it"), (tmp_path / "file" / "x.json", "cannot be")):
        result = run(office.folder, f"local run --report {where}")
        assert result.exit_code == 2
        assert f"--report {where}" in result.stderr
        assert said in result.stderr
    assert unwritable(tmp_path / "new" / "folder" / "report.html") is None  # it is made
    assert unwritable(Path("/dev/stdout")) is None


def test_a_report_that_cannot_be_written_in_the_end_is_printed(
    office: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = Runner(open_state(office.folder)).outcome()
    (tmp_path / "report.json").mkdir()
    assert summary.conclude(ended, tmp_path / "report.json") == 1
    out, err = capsys.readouterr()
    assert f"! The report cannot be written to {tmp_path / 'report.json'}: Is a directory" in err
    assert json.loads(out[out.index("{\n") :])["tenants"]["acme"]


def test_an_export_into_a_missing_folder_is_said(office: Any, tmp_path: Path) -> None:
    for where in (tmp_path / "none" / "x.csv", tmp_path):
        result = run(office.folder, f"mappings export acme --file {where}")
        assert result.exit_code == 2
        assert f"{where} cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("number", "kind"), [(28, Transient), (122, Transient), (13, Misconfigured), (30, Misconfigured)]
)
def test_every_refusal_of_a_disk_is_one_of_ours(number: int, kind: type[ConnectorError], tmp_path: Path) -> None:
    with pytest.raises(kind, match=str(tmp_path)), told(tmp_path):
        raise OSError(number, os.strerror(number))


def test_an_audit_object_that_cannot_be_written_or_listed_is_said(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    blobs = FolderBlobs(tmp_path / "audit")
    with pytest.raises(Misconfigured, match="cannot be written"):
        blobs.put("audit/x", b"")
    assert list(blobs.keys("audit/")) == []
