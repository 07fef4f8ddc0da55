"""What holds for the invoices of every ERP, shown with one that takes and refuses as it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from ml_connector.errors import Held, NotUnderstood, OutcomeUnknown, Rejected, Transient
from ml_connector.flow import Found, Prepared
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.kit.drafts import Draft
from ml_connector.systems.kit.faults import Dialect, Fault, patterns, spoken_of
from ml_connector.systems.kit.invoices import Created, InvoiceTarget, next_month

NO = {word: Fault(400, word, word) for word in ("period", "words", "duplicate", "tax", "odd")}
DIALECT: Dialect[Fault] = Dialect(
    "The ERP",
    kind=lambda fault, _: None if fault.code in {"odd", ""} else fault.code,
    elsewhere=lambda *_: None,
    fix=lambda kind, *_: {"period": "Open {month}.", "tax": "Map it."}.get(kind),
)


class Codes:
    """Every code is the same on both sides, in capitals."""

    def erp(self, kind: str, code: str) -> str:
        return code.upper()


@dataclass
class Erp:
    """An ERP that answers each posting with the next of `answers`, and shows `there`."""

    answers: list[Created | Fault]
    there: list[Found] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    away: bool = False
    title, dialect, number_limit, key_limit, refuses_duplicates, mark = "The ERP", DIALECT, 10, 36, False, "mark "
    shown_nowhere = "nowhere"

    def lookup(self, invoice: Invoice, supplier: str, own: str) -> dict[str, str]:
        return {"kind": "1", "own": own}

    def compose(self, draft: Draft) -> dict[str, Any]:
        return {"tax": draft.code("tax", "v1"), "day": draft.posted_on, "text": draft.cut("x" * 9, 5, "The text")}

    def find(self, lookup: Mapping[str, str]) -> Iterable[Found]:
        if self.away:
            raise Transient("It is away.")
        return [*self.there, *self.there]

    def create(self, prepared: Prepared) -> Created | Fault:
        self.sent.append(dict(prepared.body))
        return self.answers.pop(0)

    def amended(self, fault: Fault, prepared: Prepared) -> Prepared | None:
        if fault.code != "words":
            return None
        return replace(prepared, body={**prepared.body, "words": "other"}, notes=(*prepared.notes, "Other words."))

    def moved(self, prepared: Prepared, day: date) -> dict[str, Any]:
        return {**prepared.body, "day": day}

    def read(self, found: Found) -> Found | None:
        return None


def target(*answers: Created | Fault, moves: bool = False, **fields: Any) -> tuple[InvoiceTarget[Fault], Erp]:
    erp = Erp(list(answers), **fields)
    options = SimpleNamespace(closed_period="next_open" if moves else "hold")
    context: Any = SimpleNamespace(options=options, outward=lambda *parts, limit: f"{parts[-1]}-{'0' * 16}")
    return InvoiceTarget(erp, SimpleNamespace(), context), erp  # type: ignore[arg-type]


def invoice(**fields: Any) -> Invoice:
    plain = {"key": "i", "number": "R1", "company": "C", "supplier": "s", "currency": "eur", "gross": Decimal(119)}
    return Invoice(**{**plain, "rows": (CodingRow(key="1"),), "accounting_date": date(2026, 11, 30), **fields})


def test_an_invoice_is_sent_once_and_known_by_its_key() -> None:
    one, erp = target(Created("7", "70"))
    prepared = one.prepare(invoice(), Codes())
    assert prepared.notes == ("The text was cut at 5 characters.",) and prepared.lookup["tax=V1"] == "v1"
    assert (prepared.partner, prepared.currency, prepared.lookup["own"]) == ("S", "EUR", f"mark i-{'0' * 16}")
    trace = one.trace(invoice(), Codes())
    assert trace.natural == prepared.natural and trace.lookup.items() < prepared.lookup.items()
    found = one.send(prepared)
    assert (found.id, found.number, found.notes, found.posted_on) == ("7", "70", (), date(2026, 11, 30))
    assert len(erp.sent) == 1


def test_a_number_that_is_too_long_is_refused_and_never_cut() -> None:
    with pytest.raises(Rejected, match="never cut"):
        target()[0].prepare(invoice(number="R" * 11), Codes())


def test_other_words_and_a_later_month_are_tried_one_after_the_other() -> None:
    one, erp = target(NO["words"], NO["period"], NO["period"], Created("7", "70"), moves=True)
    found = one.send(one.prepare(invoice(), Codes()))
    assert [body["day"].isoformat() for body in erp.sent] == ["2026-11-30", "2026-11-30", "2026-12-01", "2027-01-01"]
    assert ["words" in body for body in erp.sent] == [False, True, True, True]
    moved = "Posting date moved from 2026-11-30 to 2027-01-01: period closed."
    assert found.notes == ("Other words.", moved) and found.posted_on == date(2027, 1, 1)


@pytest.mark.parametrize(("moves", "sent"), [(True, 4), (False, 1)])
def test_where_no_month_is_open_the_invoices_own_is_waited_for(moves: bool, sent: int) -> None:
    one, erp = target(*[NO["period"]] * 4, moves=moves)
    with pytest.raises(Held, match=r"Open 2026-11\.") as held:
        one.send(one.prepare(invoice(), Codes()))
    assert held.value.waiting_for == "period:2026-11" and len(erp.sent) == sent


def test_what_a_later_month_is_refused_for_counts() -> None:
    one, _ = target(NO["period"], NO["tax"], moves=True)
    with pytest.raises(Held) as held:
        one.send(one.prepare(invoice(), Codes()))
    assert held.value.waiting_for == "tax:v1"


def test_other_words_are_not_tried_for_ever() -> None:
    one, erp = target(*[NO["words"]] * 9)
    with pytest.raises(NotUnderstood):
        one.send(one.prepare(invoice(), Codes()))
    assert len(erp.sent) == 4


@pytest.mark.parametrize("away", [True, False])
def test_taken_without_a_number_is_taken_whatever_a_look_shows(away: bool) -> None:
    one, erp = target(Created(), away=away)
    with pytest.raises(OutcomeUnknown, match="took invoice R1") as caught:
        one.send(one.prepare(invoice(), Codes()))
    assert caught.value.taken and len(erp.sent) == 1


@pytest.mark.parametrize("state", ["posted", "draft"])
def test_taken_without_a_number_is_found_or_awaits_its_approval(state: Any) -> None:
    one, _ = target(Created(), there=[Found("7", "70", state=state)])
    prepared = one.prepare(invoice(), Codes())
    assert [found.id for found in one.look(prepared)] == ["7"]
    if state == "posted":
        assert one.send(prepared).id == "7"
        return
    with pytest.raises(Held) as held:
        one.send(prepared)
    assert held.value.waiting_for == "approval:i"


def test_a_duplicate_names_what_stands_there_and_the_unknown_is_held() -> None:
    one, _ = target(NO["duplicate"], NO["odd"], there=[Found("7", "70")])
    prepared = one.prepare(invoice(), Codes())
    with pytest.raises(Held, match="it has document 70") as held:
        one.send(prepared)
    assert held.value.waiting_for == "conflict:i"
    with pytest.raises(NotUnderstood):
        one.send(prepared)


def test_a_posting_that_does_not_show_is_looked_at_again() -> None:
    with pytest.raises(Transient, match="does not show document 70"):
        target()[0].read_back(Found("7", "70"))


@pytest.mark.parametrize(
    ("day", "following"),
    [("2026-01-31", "2026-02-01"), ("2026-12-01", "2027-01-01"), ("9999-12-31", "9999-12-31")],
)
def test_the_next_month(day: str, following: str) -> None:
    assert next_month(date.fromisoformat(day)).isoformat() == following


def test_a_row_that_cannot_be_read_is_no_absence() -> None:
    one, erp = target(Created("7", "70"))
    prepared = one.prepare(invoice(), Codes())

    def broken(*_: Any) -> Any:
        raise ValueError("Total '1,2,3' is not a number.")

    for name in ("find", "numbered", "read", "recent"):
        setattr(erp, name, broken)
    for ask in (
        lambda: one.look(prepared),
        lambda: one.numbered("1", prepared),
        lambda: one.read_back(Found("7", "70")),
    ):
        with pytest.raises(Transient, match="cannot be read"):
            ask()


def test_warnings_hold_an_invoice_and_never_refuse_it() -> None:
    one, _ = target(Fault(200, "", "Value too long, perhaps", warnings=True))
    with pytest.raises(Held, match="warned of invoice R1") as held:
        one.send(one.prepare(invoice(), Codes()))
    assert held.value.waiting_for == "lookup:i"


FIELDS, WORDS = {"taxcode": "tax"}, patterns(("duplicate", "already"), ("supplier", "supplier"))


@pytest.mark.parametrize(
    ("text", "fields", "kind"),
    [
        ("Invoice already posted", ("taxcode",), "duplicate"),
        ("The supplier", ("invoice", "taxcode"), "tax"),
        ("The supplier", (), "supplier"),
        ("No license for the supplier", (), None),
        ("Value too long", ("taxcode",), None),
        ("Hm", (), None),
    ],
)
def test_a_refusal_is_told_by_its_field_before_its_words(text: str, fields: tuple[str, ...], kind: str | None) -> None:
    assert spoken_of(Fault(200, "", text, fields=fields), FIELDS, WORDS, "The ERP") == kind
