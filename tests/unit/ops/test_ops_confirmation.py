"""Whatever changes or destroys something asks first; where nobody can be asked, it refuses without `--yes`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command

from infra.ops import options
from infra.ops.main import app
from ml_connector.engine import endpoints

READING = {
    "ping",
    "tenants",
    "runs",
    "documents",
    "held",
    "audit",
    "mappings list",
    "mappings export",
    "dlq list",
    "dlq show",
    "endpoint list",
}
"""These change nothing that a person would miss: `ping` takes new secrets on, as the next minute would."""
RUNNING = {"local run", "local serve", "sandbox", "demo"}
"""These are the product at work, or make something new in a folder that they find empty."""
OLD = "2026-01-10T08:00:00.000000+00:00"


def mapped(office: Any) -> None:
    office.run("mappings", "set", "acme", "account", "6100", "400000")


def dead(office: Any) -> None:
    office.chunk("invoices", key="k1", state="failed", cause="exhausted")


def guarded(office: Any) -> None:
    office.chunk("vendors", {"retired": ["1"]}, id="9", op="retire", state="waiting", guarded="Many.", due_at=OLD)


def attempted(office: Any) -> None:
    chunk = office.chunk("invoices", key="k1", state="waiting", due_at=OLD)
    office.attempt(chunk)
    office.ledger("invoices").finish(chunk, office.ledger("invoices").chunk("k1")[1])


def left(office: Any) -> None:
    from tests.unit.ops.conftest import SAP_B1

    office.row("invoices", "k1", outcome="delivered", target="1", code="1")
    endpoints.note(office.workspace.pairs("acme")[0])
    office.write("acme", "sap_b1", SAP_B1 | {"service_layer_url": "https://other.example.com/b1s/v2"})


CHANGING: dict[str, tuple[Callable[[Any], None], str, str]] = {
    "purge": (attempted, "acme --before 2026-03-01", ""),
    "replay": (attempted, "acme invoices k1", ""),
    "resolve": (dead, "acme invoices k1 --post", ""),
    "confirm-deactivation": (guarded, "acme vendors", ""),
    "dlq redrive": (dead, "", ""),
    "mappings set": (mapped, "acme account 6100 400001", ""),
    "mappings remove": (mapped, "acme account 6100", ""),
    "mappings import": (mapped, "acme", "kind,code,target\naccount,6200,400001\n"),
    "endpoint keep-apart": (left, "acme sap_b1", ""),
}
"""What has to be there first, the words of the command, and what it reads."""
ELSEWHERE = {"endpoint move"}
"""Refuses before it asks here, where no vendor answers: see `tests/e2e/local/test_local_endpoint.py`."""


def commands(group: Any, *named: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *named, name)
        else:
            yield " ".join((*named, name)), command


def rows(office: Any) -> Any:
    found = office.workspace.runtime.store._connection.execute(
        "SELECT * FROM rows WHERE pk NOT LIKE 'e#%' ORDER BY pk, sk"
    )
    audits = office.folder / ".state" / "audit"
    return found.fetchall(), {p: p.read_bytes() for p in audits.rglob("*") if p.is_file()}


@pytest.mark.parametrize(("name", "command"), list(commands(get_command(app))), ids=lambda one: str(one)[:20])
def test_every_command_asks_before_it_changes_anything(office: Any, name: str, command: Any) -> None:
    asks = any("--yes" in option.opts for option in command.params)
    if name in READING | RUNNING:
        assert not asks
        return
    assert asks, f"{name} is new: does it change anything? It takes --yes then, and asks with `options.confirm`."
    if name in ELSEWHERE:
        return
    prepare, words, stdin = CHANGING[name]
    prepare(office)
    before = rows(office)
    refused = office.run(*name.split(), *words.split(), stdin=stdin, yes=False, code=2)
    assert "Nothing was changed, since there is no terminal to ask on" in refused.stderr
    assert "--yes" in refused.stderr
    assert rows(office) == before
    office.run(*name.split(), *words.split(), "--yes", stdin=stdin)


class Terminal:
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_no_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options.sys, "stdin", Terminal())
    monkeypatch.setattr(options.typer, "confirm", lambda question, err: False)
    with pytest.raises(options.typer.Exit):
        options.confirm("Really?", yes=False)


@pytest.mark.parametrize("before", ["2999-01-01", "2999-01-01T00:00Z"])
def test_a_purge_refuses_a_date_to_come_whatever_is_said(office: Any, before: str) -> None:
    attempted(office)
    was = rows(office)
    said = office.run("purge", "acme", "--before", before, "--force", code=2).stderr
    assert "is in the future" in said
    assert rows(office) == was


@pytest.mark.parametrize("words", [(), ("--before", "89d"), ("--before", "1h")])
def test_a_purge_leaves_the_last_90_days_unless_forced(office: Any, words: tuple[str, ...]) -> None:
    attempted(office)
    was = rows(office)
    assert "attempts of the last 90 days" in office.run("purge", "acme", *words, code=2).stderr
    assert rows(office) == was
    office.run("purge", "acme", "--before", "90d")
    office.run("purge", "acme", *words, "--force")
