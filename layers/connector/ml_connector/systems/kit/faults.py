"""A refusal in an ERP's words, and what is done about a refused invoice.

A vendor says in its `Dialect` what its refusals are about; what follows from that is said here, for all of them. Known
faults of the document go back to its source; what a person can fix holds the invoice on the platform's own code;
troubles of the ERP's set-up say nothing of the document; and what nobody knows is held, never refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ml_connector.errors import ConnectorError, Held, OutcomeUnknown, Rejected
from ml_connector.flow import Found, Prepared
from ml_connector.systems.http import Reply
from ml_connector.systems.kit.absence import NO_SUCH_STATUS, unproven
from ml_connector.systems.kit.refusals import (
    culprit,
    is_fault_of_the_document,
    named,
    names_code,
    not_understood,
    setup_trouble,
    used_codes,
)

WORDS, LONGEST_CODE = 2_000, 50
"""Characters of a refusal's text and code that are kept."""
Patterns = Sequence[tuple[str, re.Pattern[str]]]
"""What a text is about, by the words in it; the first that is found decides."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal in the server's words. `code` is text, "" where the server named none.

    `worded`: the vendor's own server said it, and not a proxy in front. `page`: what came was HTML. `fields`: what it
    stands below, in lower case. `warnings`: nothing but warnings speaks against the document.
    """

    status: int
    code: str
    text: str
    worded: bool = True
    page: bool = False
    fields: tuple[str, ...] = ()
    warnings: bool = False

    @property
    def anybodys(self) -> bool:
        """Tell whether something in front may have said that something is not there."""
        return self.status in NO_SUCH_STATUS and not self.worded

    def __str__(self) -> str:
        code = f"code {self.code}, " if self.code else ""
        return f"{self.text or 'no text'} ({code}HTTP {self.status})"


F = TypeVar("F", bound=Fault)


def own_words(
    vendor: str, what: str, fault_in: Callable[[Reply], F | None], *, pages: bool = True
) -> Callable[[Reply], None]:
    """Make the judge of a call for `what`: no word that something is not there is taken from anybody else.

    `pages`: nor is a page under a good status; it is asked again.
    """

    def judge(reply: Reply) -> None:
        fault = fault_in(reply)
        if fault is not None and (fault.anybodys or (pages and fault.page and fault.status < 300)):
            raise unproven(vendor, what, fault)

    return judge


@dataclass(frozen=True, slots=True)
class Dialect(Generic[F]):
    """How one ERP words its refusals of an invoice; `title` is its name for people.

    `kind` tells what a refusal is about: a kind of code (`supplier`, `tax` …), `period`, `duplicate` or `setup`; None
    where it does not show. `elsewhere` finds the causes that no correction of the invoice would fix: a lock, a right,
    a gateway. `fix` says what a person does about a kind; None where no code of it is ever to blame. `document` is
    what an invoice becomes there, such as a batch.
    """

    title: str
    kind: Callable[[F, Prepared], str | None]
    elsewhere: Callable[[F, Prepared], ConnectorError | None]
    fix: Callable[[str, F, Prepared], str | None]
    document: str = "document"

    def judge(
        self, fault: F, prepared: Prepared, look: Callable[[Prepared], Sequence[Found]] = lambda _: ()
    ) -> ConnectorError:
        """Make the error that says what to do. `look` finds the document that stands in a duplicate's way."""
        elsewhere = self.elsewhere(fault, prepared)
        if elsewhere is not None:
            return elsewhere
        kind = self.kind(fault, prepared)
        if kind == "duplicate":
            return self._stands_already(fault, prepared, look(prepared))
        said = f"{self.title} {'warned of' if fault.warnings else 'refused'} {named(prepared)}: {fault}."
        fix = self.fix(kind, fault, prepared) if kind else None
        held = held_on(kind, fix, said, fault.text, prepared.lookup, month_of(prepared))
        if held is not None:
            return held
        if fault.warnings:
            return Held(f"lookup:{prepared.key}", f"{said} Remove its cause there, and it resumes automatically.")
        trouble = setup_trouble(self.title, named(prepared), fault, fault.text) if kind in {"setup", None} else None
        if trouble is None and is_fault_of_the_document(fault.text):
            return Rejected(said)
        return trouble or not_understood(self.title, prepared, fault)

    def _stands_already(self, fault: F, prepared: Prepared, there: Sequence[Found]) -> Held:
        name = f"; it has {self.document} {there[0].number}" if there else ""
        return Held(
            f"conflict:{prepared.key}",
            f"{self.title} itself lets no second document with number {prepared.reference} of supplier "
            f"{prepared.partner} in{name}: {fault}. If it is the same invoice, match it; if it is another one, correct "
            "its number, or cancel that document there.",
        )


def held_on(
    kind: str | None, fix: str | None, said: str, text: str, lookup: Mapping[str, str], month: str
) -> Held | None:
    """Hold on the platform's code that a refusal is about, or on the month; None where it is about none.

    `said` begins the message, `fix` ends it; `{month}` in it is the month.
    """
    if kind is None or fix is None:
        return None
    code = month if kind == "period" else culprit(kind, text, lookup)
    return Held(f"{kind}:{code}", f"{said} {fix.replace('{month}', month)}") if code else None


def month_of(prepared: Prepared) -> str:
    """Give the month that an invoice is to be posted to: its own one, whichever were tried after it."""
    return prepared.lookup.get("month=") or (prepared.posted_on.isoformat()[:7] if prepared.posted_on else "")


def patterns(*words: tuple[str, str]) -> Patterns:
    """Make patterns of (kind, expression), whatever the letters' case."""
    return tuple((kind, re.compile(expression, re.IGNORECASE)) for kind, expression in words)


SPOKEN = patterns(
    ("duplicate", r"already (?:exists|on file|been (?:posted|used|registered))|duplicate"),
    ("period", r"posting (?:period|year)|(?:period|month) .{0,40}(?:closed|not open)|closed (?:period|month)"),
    ("order", r"\bgrns?\b|goods received"),
    ("account", r"\bgl (?:code|account)\b|account .{0,40}(?:not found|invalid|closed|password)"),
    ("tax", r"\btax\b"),
    ("supplier", r"\bsupplier\b"),
)
"""What English texts speak of, where a vendor's own are not known."""


def fixes(title: str) -> dict[str, str]:
    """Say what a person does about each kind, where nothing else is known of a vendor."""
    return {
        "period": f"Open the period of {{month}} in {title}, or correct the accounting date.",
        "supplier": f"Correct the supplier in {title}, or map it to another one.",
        "account": f"Open the account in {title}, to this user too and without a password, or map it to another one.",
        "cost_center": f"Enter the cost center in {title}, or map it to another one.",
        "tax": f"Correct the tax code in {title}, or map it: `ml-connector mappings set TENANT tax CODE TARGET`.",
        "order": f"Match the receipts of the order in {title}, or correct the order reference of the invoice.",
    }


def spoken_of(fault: Fault, by_field: Mapping[str, str], by_words: Patterns, vendor: str) -> str | None:
    """Tell what a refusal is about: a duplicate by its words, else by its field, else by its words.

    None where it is about the document itself or the ERP's set-up, or does not show.
    """
    if is_fault_of_the_document(fault.text):
        return None
    spoken = [kind for kind, pattern in by_words if pattern.search(fault.text)]
    fields = [by_field[name] for name in fault.fields if name in by_field]
    if "duplicate" in spoken:
        return "duplicate"
    if fields or setup_trouble(vendor, "", fault, fault.text):
        return fields[0] if fields else None
    return spoken[0] if spoken else None


def kinds_named(text: str, lookup: Mapping[str, str], names: Callable[[str, str], bool] = names_code) -> set[str]:
    """List the kinds of which a text names a code that the invoice uses; `names` tells whether it names one."""
    return {kind for kind, theirs, _ in used_codes(lookup) if theirs and names(text, theirs)}


def entered(reply: Reply, fault: F | None, vendor: str, what: str) -> Mapping[str, Any] | F:
    """Read what became of a new `what`: the record as it is told, {} where nothing is, or the refusal.

    Raises `OutcomeUnknown` where the answer leaves the effect in doubt: an error under a good status, or no record.
    """
    if fault is not None and fault.status < 300 and not fault.page:
        raise OutcomeUnknown(f"{vendor} reported a new {what} as created, and in the same response: {fault}.")
    if fault is not None and fault.status >= 300:
        return fault
    try:
        created = reply.json() if reply.body.strip() else {}
    except ValueError:
        created = None
    if not isinstance(created, dict):
        raise OutcomeUnknown(f"{vendor} answered a new {what} with something else than a record.", taken=reply.took)
    return created
