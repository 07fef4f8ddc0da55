"""Commands that a text suggests work as pasted: they carry the options of the place, the tenant, and quotes."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.ops.advice import pasteable, wall_time
from ml_connector.connection import Check

OLD = "2026-01-10T08:00:00.000000+00:00"
MISSING = "Account 6100 is not mapped. To fix: `ml-connector mappings set acme account 6100 SAP-ACCOUNT`"


def commands(text: str) -> list[list[str]]:
    return [shlex.split(part) for part in text.split("`")[1::2] if part.startswith("ml-connector ")]


def hold(office: Any, waiting_for: str, reason: str) -> None:
    office.chunk(
        "invoices", key="k1", number="INV-1", state="waiting", first_try=OLD, waiting_for=waiting_for, reason=reason
    )


@pytest.mark.parametrize("words", [["held"], ["held", "--json"], ["audit", "acme", "invoices", "k1"]], ids=" ".join)
def test_the_command_in_a_held_reason_carries_the_folder(office: Any, words: list[str]) -> None:
    hold(office, "account:6100", MISSING)
    said = office.run(*words)
    text = said[0]["reason"] if isinstance(said, list) else said.stdout
    (command,) = commands(" ".join(text.split()))
    assert command[1:] == ["mappings", "set", "acme", "account", "6100", "SAP-ACCOUNT", "--secrets", str(office.folder)]


def test_the_suggested_command_mends_what_waits(office: Any) -> None:
    hold(office, "account:6100", MISSING)
    (command,) = commands(office.run("held", "--json")[0]["reason"])
    words = [w.replace("SAP-ACCOUNT", "400000") for w in command[1:-2]]
    assert "1 record on hold will be retried in the next run" in office.run(*words).stdout


def test_a_folder_with_a_blank_is_quoted_and_the_state_is_named(tmp_path: Path) -> None:
    where = "--secrets 'my secrets' --state s"
    assert (
        pasteable("Look: `ml-connector held`.", where) == "Look: `ml-connector held --secrets 'my secrets' --state s`."
    )


def test_what_a_vendors_folder_does_not_know_is_filled_in() -> None:
    text = "Map the tax code with `ml-connector mappings set TENANT tax CODE TARGET`."
    found = pasteable(text, "--stack live", tenant="acme", waiting_for="tax:V1")
    assert found == "Map the tax code with `ml-connector mappings set acme tax V1 TARGET --stack live`."


def test_a_code_with_a_blank_or_a_bracket_is_quoted() -> None:
    command = "ml-connector mappings set acme account"
    text = f"`{command} A (old) TARGET` or `{command} CODE A (old)`"
    one, other = commands(pasteable(text, "", tenant="acme", waiting_for="account:A (old)"))
    assert one == ["ml-connector", "mappings", "set", "acme", "account", "A (old)", "TARGET"]
    assert other == ["ml-connector", "mappings", "set", "acme", "account", "CODE", "A (old)"]


def test_a_command_that_has_its_place_or_takes_none_is_left_alone() -> None:
    for text in ("`ml-connector held --secrets x`", "`ml-connector demo`", "`held`", "`ml-connector --version`"):
        assert pasteable(text, "--stack live") == text
    assert pasteable("`ml-connector local run`", "--stack live") == "`ml-connector local run`"
    assert pasteable("`ml-connector local run`", "--secrets x") == "`ml-connector local run --secrets x`"


def test_advice_in_an_error_carries_the_folder_and_no_other_commands(office: Any) -> None:
    stderr = office.run("audit", "acme", "invoices", "nope", code=1).stderr
    assert f"`ml-connector documents --secrets {office.folder}`" in stderr
    assert pasteable("`ml-connector held`") == "`ml-connector held`"


def test_a_canary_names_the_next_command_with_its_place(office: Any) -> None:
    for key in ("k1", "k2"):
        office.chunk("invoices", key=key, state="failed", cause="exhausted", death=1)
    said = office.run("dlq", "redrive", "--cause", "exhausted", "--canary").stdout
    assert commands(said)[0][-2:] == ["--secrets", str(office.folder)]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine stands in Berlin."""
    with monkeypatch.context() as here:
        here.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def test_an_audit_completes_what_attempts_and_notes_said_and_json_what_the_rows_say(office: Any) -> None:
    chunk = office.chunk(
        "invoices",
        key="k1",
        number="INV-1",
        state="waiting",
        waiting_for="account:6100",
        reason=MISSING,
        notes=["Look: `ml-connector replay acme invoices k1`."],
    )
    office.attempt(chunk, state="waiting", reason=MISSING)
    office.ledger("invoices").save(chunk, office.ledger("invoices").chunk("k1")[1])
    office.row("invoices", "k1", outcome="rejected", reason=MISSING)
    found = commands(office.run("audit", "acme", "invoices", "k1").stdout)
    assert len(found) == 4  # of the record, the chunk, its note and its attempt
    assert all(command[-2:] == ["--secrets", str(office.folder)] for command in found)
    history = office.run("audit", "acme", "invoices", "k1", "--json")
    for row in (history["record"], history["chunks"][0]):
        assert commands(row["reason"])[0][-2:] == ["--secrets", str(office.folder)]
    assert history["chunks"][0]["attempt_list"][0]["said"]["reason"] == MISSING  # as its hash covers it


def test_ping_completes_the_commands_in_its_checks(office: Any, server: Any) -> None:
    server.answers["sap_b1"] = lambda _w: iter([Check("login", False, "Unlock it, then `ml-connector ping acme`.")])
    (command,) = commands(office.run("ping", "acme", "sap_b1", code=1).stdout)
    assert command[-2:] == ["--secrets", str(office.folder)]


def test_until_when_work_waits_is_said_as_a_clock_on_the_wall_shows_it(berlin: None) -> None:
    text = "SAP is away. Work waits until 2026-07-05T09:30:00.123456+00:00."
    assert pasteable(text, "") == "SAP is away. Work waits until 2026-07-05 11:30:00 CEST."
    assert wall_time("2026-07-05T09:30:00Z", datetime(2026, 7, 4, 23, 30, tzinfo=UTC)) == "11:30:00 CEST"
    quoted = "lastUpdated '2026-07-05T09:30:00Z' is in the future."
    assert pasteable(quoted, "") == quoted  # a vendor's own words are left as they are
