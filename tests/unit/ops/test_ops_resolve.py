"""resolve: a person's decision is written on the held document, with its name; nothing else can be decided over."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ml_connector.errors import Unreachable
from ml_connector.flow import Found

LATER = "2999-01-01T00:00:00.000000+00:00"
HELD = {"key": "k1", "number": "Miete-7", "state": "waiting", "waiting_for": "conflict:k1", "due_at": LATER}


def said(result: Any) -> str:
    return " ".join((result.stdout + result.stderr).split())


def decision(office: Any, key: str = "k1") -> Any:
    chunk, _ = office.ledger("invoices").chunk(key)
    return chunk.decision


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Both systems, asked from the command line: documents of the ERP by number, or an error."""
    from ml_connector.engine.tenant_integration import TenantIntegration

    there: dict[str, Any] = {"50800": Found("18:1", "50800")}

    def numbered(number: str, _trace: Any) -> list[Found]:
        found = there.get(number)
        if isinstance(found, Exception):
            raise found
        return [found] if found else []

    trace = SimpleNamespace(partner="V1", kind="invoice", currency="EUR", amount=Decimal("119.00"))
    target = SimpleNamespace(title="SAP Business One", numbered=numbered, trace=lambda *_: trace)
    source = SimpleNamespace(fetch=lambda _key: SimpleNamespace(record=object()))
    monkeypatch.setattr(TenantIntegration, "document_target", lambda *_: target)
    monkeypatch.setattr(TenantIntegration, "document_source", lambda *_: source)
    return there


def test_a_match_is_written_down_with_the_name_of_who_decided(office: Any, asked: Any) -> None:
    office.chunk("invoices", **HELD)
    done = office.run("resolve", "acme", "invoices", "k1", "--match", " 50800 ", "--by", "ada", "--json")
    assert (done["done"], done["number"], done["by"], done["key"]) == ("match", "50800", "ada", "k1")
    made = decision(office)
    assert (made.what, made.number, made.by, made.applied) == ("match", "50800", "ada", False)
    chunk, _ = office.ledger("invoices").chunk("k1")
    assert chunk.due_at <= office.now and "Decided by ada" in chunk.notes[-1]


@pytest.mark.parametrize("key", ["miete-7", "MIETE\u20117", "k1", "Miete-7"])
def test_the_number_of_the_invoice_will_do_in_any_letters(office: Any, asked: Any, key: str) -> None:
    office.chunk("invoices", **HELD)
    office.run("resolve", "acme", "invoices", key, "--post", "--by", "ada")
    assert decision(office).what == "post"


@pytest.mark.parametrize("waits", ["lookup:k1", "approval:k1", "conflict:other"])
def test_every_hold_that_asks_a_person_can_be_decided_over(office: Any, waits: str) -> None:
    office.chunk("invoices", **{**HELD, "waiting_for": waits})
    office.run("resolve", "acme", "invoices", "k1", "--post")
    assert decision(office).what == "post"


def test_one_that_failed_for_good_goes_on_with_the_decision(office: Any) -> None:
    office.chunk("invoices", key="k1", state="failed", step="unknown", cause="exhausted", failures=30, death=1)
    office.run("resolve", "acme", "invoices", "k1", "--post")
    chunk, _ = office.ledger("invoices").chunk("k1")
    assert (chunk.state, chunk.step, chunk.failures, chunk.decision.what) == ("waiting", "unknown", 0, "post")


def test_a_number_that_is_not_there_changes_nothing(office: Any, asked: Any) -> None:
    office.chunk("invoices", **HELD)
    result = office.run("resolve", "acme", "invoices", "k1", "--match", "999", code=1)
    assert "SAP Business One has no document 999 of supplier V1" in said(result) and decision(office) is None


def test_a_document_in_another_currency_changes_nothing(office: Any, asked: Any) -> None:
    asked["50900"] = Found("18:2", "50900", Decimal("119.00"), "USD")
    office.chunk("invoices", **HELD)
    result = office.run("resolve", "acme", "invoices", "k1", "--match", "50900", code=1)
    assert "50900 is in another currency (119.00 USD) than Miete-7 (119.00 EUR)" in said(result)
    assert decision(office) is None


def test_what_cannot_be_asked_from_here_is_left_to_the_next_attempt(office: Any, asked: Any) -> None:
    asked["50800"] = Unreachable("No way there.")
    office.chunk("invoices", **HELD)
    result = office.run("resolve", "acme", "invoices", "k1", "--match", "50800")
    assert "No way there." in said(result) and decision(office).number == "50800"


@pytest.mark.parametrize(
    "fields",
    [
        {"waiting_for": "account:6100"},
        {"waiting_for": None},
        {"state": "sending", "waiting_for": None},
        {"step": "answered", "waiting_for": "lookup:k1"},
        {"step": "refusing"},
    ],
)
def test_what_waits_for_something_else_is_left(office: Any, fields: dict[str, Any]) -> None:
    office.chunk("invoices", **{**HELD, **fields})
    result = office.run("resolve", "acme", "invoices", "k1", "--post", code=1)
    assert "Nothing was changed: invoice" in said(result) and "does not wait for a decision" in said(result)
    assert decision(office) is None


def test_what_is_completed_is_left(office: Any) -> None:
    office.done("invoices", key="k1", number="INV-1", outcome="delivered")
    office.row("invoices", "k1", outcome="delivered", target="18:77", code="4711")
    text = said(office.run("resolve", "acme", "invoices", "k1", "--post", code=1))
    assert "is not held" in text
    assert f"`ml-connector audit acme invoices k1 --secrets {office.folder}`" in text


@pytest.mark.parametrize("options", [(), ("--post", "--match", "1"), ("--match", ""), ("--match", " ")])
def test_it_must_be_said_which(office: Any, options: tuple[str, ...]) -> None:
    office.chunk("invoices", **HELD)
    result = office.run("resolve", "acme", "invoices", "k1", *options, code=2)
    assert "--match ERP-NUMBER" in said(result) and decision(office) is None


def test_without_a_terminal_and_without_yes_nothing_is_decided(office: Any) -> None:
    office.chunk("invoices", **HELD)
    office.run("resolve", "acme", "invoices", "k1", "--post", code=2, yes=False)
    assert decision(office) is None


def test_an_unknown_tenant_or_flow_is_wrong_use(office: Any) -> None:
    office.run("resolve", "nobody", "invoices", "k1", "--post", code=2)
    office.run("resolve", "acme", "nothing", "k1", "--post", code=2)
    office.run("resolve", "acme", "invoices", "k1", "--post", code=1)
