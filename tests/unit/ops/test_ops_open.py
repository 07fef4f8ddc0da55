"""Whatever is not completed stands in a list, with its state: `held`, the report, the page, the terminal."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.page import page
from infra.local.report import Outcome, report
from infra.ops import chunk_state, summary
from ml_connector.engine.ledger.control_totals import FlowTotals
from ml_connector.engine.replay import keys_of
from tests.unit.ops.conftest import NEW, OLD

LATER = "2999-01-01T00:00:00.000000+00:00"
STATES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "doubt": ("invoices", "in doubt", {"state": "waiting", "step": "unknown", "first_try": OLD}),
    "killed": ("invoices", "in doubt", {"state": "sending", "step": "sent", "first_try": OLD}),
    "twice": ("invoices", "in doubt", {"state": "posted", "step": "posted", "recheck": True, "first_try": OLD}),
    "away": ("invoices", "retrying", {"state": "waiting", "cause": "away", "reason": "It is away.", "first_try": OLD}),
    "answered": ("invoices", "awaiting Basware", {"state": "posted", "step": "answered", "first_try": OLD}),
    "held": ("invoices", "on hold", {"state": "waiting", "waiting_for": "account:1", "reason": "x", "first_try": OLD}),
    "doubt-held": ("invoices", "on hold", {"state": "waiting", "step": "unknown", "waiting_for": "period:2026-01"}),
    "new": ("invoices", "queued", {"state": "open"}),
    "payment": ("payments", "in doubt", {"state": "waiting", "step": "unknown"}),
    "vendor": ("vendors", "awaiting Basware", {"state": "posted", "tokens": ["t"], "first_try": OLD}),
    "vendor-doubt": ("vendors", "in doubt", {"state": "waiting", "doubt": LATER, "first_try": OLD}),
    "vendor-late": ("vendors", "retrying", {"state": "waiting", "doubt": OLD, "first_try": OLD}),
}


def put(office: Any, name: str) -> None:
    flow, _, fields = STATES[name]
    more = (
        {"key": name, "number": f"N-{name}", "amount": "119", "currency": "EUR"} if flow != "vendors" else {"id": name}
    )
    body = {"records": [{"key": f"{name}-1"}, {"key": f"{name}-2"}]} if flow == "vendors" else None
    office.chunk(flow, body, count=2 if body else 1, **more, **fields)


@pytest.fixture
def busy(office: Any) -> Any:
    for name in STATES:
        put(office, name)
    office.chunk("invoices", key="dead", state="failed", cause="exhausted", reason="x")
    office.chunk("purchase_orders", key="n", id="notice~n", op="notice", state="open")
    office.done("invoices", key="ended", outcome="delivered", delivered=1)
    return office


def test_held_lists_everything_that_is_not_completed_with_its_state(busy: Any) -> None:
    rows = busy.run("held", "--json")
    assert {row["key"].removesuffix("-1"): row["state"] for row in rows} == {n: s for n, (_, s, _) in STATES.items()}
    assert all(row["since"] and row["next_retry"] == NEW and row["reason"] for row in rows)
    text = busy.run("held").stdout
    assert "N-doubt" in text and "in doubt" in text and "awaiting Basware" in text
    assert "dead" not in {row["key"] for row in rows}


def outcome(office: Any) -> Outcome:
    sheets = {}
    for flow in ("vendors", "purchase_orders", "invoices", "payments"):
        stream = office.workspace.stream("acme", flow)
        sheet = sheets["acme", "sap_b1-basware", flow] = FlowTotals(stream.flow)
        for chunk in (*stream.ledger.unfinished(), *stream.ledger.finished()):
            sheet.add_chunk(chunk, keys_of(stream.ledger, chunk))
        sheet.open = list(chunk_state.open_lines(stream.ledger, stream.flow, frozenset(sheet.listed)))
    return Outcome([], sheets, 1.0, where="--secrets s")


def test_the_report_has_each_open_record_in_exactly_one_list(busy: Any) -> None:
    made = report(outcome(busy))
    lists = {name: [line["key"] for line in made[name]] for name in ("held", "rejected", "failed", "open")}
    assert lists["held"] == ["doubt-held", "held"] and lists["failed"] == ["dead"]
    open_ones = {name for name, (_, state, _) in STATES.items() if state != "on hold"}
    assert {key.removesuffix("-1").removesuffix("-2") for key in lists["open"]} == open_ones
    pending = sum(flow["pending"] for flow in made["tenants"]["acme"]["sap_b1-basware"].values())
    assert pending == len(lists["open"]), "what is pending is in the list, record by record"
    (line,) = [line for line in made["open"] if line["key"] == "doubt"]
    assert line == {
        "tenant": "acme",
        "integration": "sap_b1-basware",
        "flow": "invoices",
        "key": "doubt",
        "number": "N-doubt",
        "state": "in doubt",
        "since": OLD,
        "next_retry": NEW,
        "amount": "119.00",
        "currency": "EUR",
        "reason": "It was sent, and no response came. It is looked up before anything is sent again.",
    }
    assert set(made["held"][0]) == {
        "tenant",
        "integration",
        "flow",
        "key",
        "number",
        "amount",
        "currency",
        "reason",
        "waiting_for",
    }, "the form of the others is as it was"


def test_page_and_terminal_show_them(busy: Any, capsys: pytest.CaptureFixture[str]) -> None:
    every = outcome(busy)
    text = page(report(every), every)
    assert "Not completed yet (13)" in text
    assert "N-doubt" in text and "in doubt since" in text and "next retry" in text
    summary.conclude(every, None)
    said = capsys.readouterr().out
    assert "open  invoices N-doubt (119.00 EUR): in doubt since" in said
    assert "N-new" not in said, "what a run has not come to is in the figures"


def test_behind_a_system_that_is_away_what_waits_for_masters_is_open(office: Any) -> None:
    office.chunk("invoices", key="k1", state="waiting", waiting_for="prerequisite:vendors", reason="x", first_try=OLD)
    stream = office.workspace.stream("acme", "invoices")
    sheet = FlowTotals(stream.flow)
    sheet.error = "SAP Business One is away."
    for chunk in stream.ledger.unfinished():
        sheet.add_chunk(chunk)
    assert sheet.held == []
    (line,) = chunk_state.open_lines(stream.ledger, stream.flow, frozenset(sheet.listed))
    assert (line["key"], line["state"]) == ("k1", "on hold")


def test_a_very_large_load_has_a_line_for_each_chunk(office: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_state, "MOST", 2)
    for n in range(3):
        office.chunk("vendors", {"records": [{"key": f"{n}a"}, {"key": f"{n}b"}]}, id=str(n), count=2, state="open")
    stream = office.workspace.stream("acme", "vendors")
    lines = list(chunk_state.open_lines(stream.ledger, stream.flow, frozenset()))
    assert [(line["key"], line.get("records")) for line in lines] == [
        ("0a", None),
        ("0b", None),
        ("1", 2),
        ("2", 2),
    ]


def test_nothing_open_is_an_empty_list(office: Any) -> None:
    assert office.run("held", "--json") == []
    assert report(outcome(office))["open"] == []


def test_what_stops_a_flow_is_said_once_and_not_for_each_record(
    office: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    office.chunk("invoices", key="k1", state="waiting", cause="login", reason="Login refused. Work waits until X.")
    every = outcome(office)
    every.sheets["acme", "sap_b1-basware", "invoices"].error = "Login refused."
    summary.conclude(every, None)
    assert capsys.readouterr().out.count("Login refused") == 1
    assert page(report(every), every).count("Login refused") == 1
    assert report(every)["open"][0]["reason"].startswith("Login refused"), "the data says it all"
