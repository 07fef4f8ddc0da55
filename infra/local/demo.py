"""The demonstration: simulated vendors, the real template on this machine, a tenant for each ERP, proof at the end.

Act one moves everything. In act two people act: an account is mapped, an invoice is approved in Basware (which
notifies us), and an ERP pays one. Each act ends with its figures; the report has both acts together.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ml_connector.engine.ledger.control_totals import FlowTotals, totals
from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.tenant_integration import TenantIntegration

from ..ops.sandbox import DEFAULT
from ..ops.summary import figures
from ..sandbox import basware
from ..sandbox.basware import control
from ..sandbox.basware.deliver import delivering
from ..sandbox.basware.seed import Expectation
from ..sandbox.server import serving
from .demo_books import Books
from .report import Outcome
from .simulated_vendors import ERPS
from .stack_run import LocalStack, deployed

UNMAPPED = "6999"
NOTIFIED = "RE-NOTIFIED"
PATIENCE = 900.0
TOLERANCE = Decimal("0.05")
Tell = Callable[[str], None]
TOGETHER = (
    "The report adds both acts up: what act one delivered and act two read again without a change is counted a second "
    "time, as unchanged."
)
BY_HAND = (
    "These vendors ended with the demo. To try the commands named here: `source .venv/bin/activate`, start "
    "the same ones with `ml-connector sandbox`, and with `--system sage_300`, `syspro` or `sage_x3`, each in a "
    f"terminal of its own, then `ml-connector local run --secrets {DEFAULT}`; the same documents wait there."
)


@dataclass
class Part:
    """One tenant's part of the play: its books, its stage, and what was found wrong with it."""

    books: Books
    stack: LocalStack
    faults: list[str] = field(default_factory=list)
    paid: tuple[str, Decimal] | None = None

    # ── act one ─────────────────────────────────────────────────────────────────────────────────────────────

    def onboard(self, erp_url: str, ap_url: str) -> None:
        """Write the tenant's two secrets."""
        tenant = self.books.tenant
        ap = {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "companies": ["1000"],
            "source_system": self.books.source_system,
            "base_url": ap_url,
            "webhook_secret": secrets.token_urlsafe(24),
            "webhook_url": self.stack.webhook_url(tenant),
            **self.books.platform(),
        }
        self.stack.put_secret(tenant, self.books.system, json.dumps(self.books.secret(erp_url)))
        self.stack.put_secret(tenant, "basware", json.dumps(ap))

    def check_masters(self) -> None:
        """Compare what the platform imported with what the ERP had."""
        for words, (name, count) in self.books.wanted.items():
            self._equal(words, count, len(self.books.world.ap.imported.get(name, {})))

    def check_invoices(self) -> None:
        """Compare each invoice with its fate, on both sides, and look for what was posted twice."""
        for fate in self.books.world.fates.values():
            self._check_fate(fate)
        booked = [number for number, _ in self.books.booked()]
        doubled = {n for n in booked if booked.count(n) > 1}
        if doubled:
            self._wrong(f"posted twice: {', '.join(sorted(doubled))}")
        for text in self.books.unposted():
            self._wrong(text)

    def _check_fate(self, fate: Expectation) -> None:
        document = self.books.world.ap.documents[fate.invoice_id]
        wanted = {"post": {"Transferred", "Paid"}, "reject": {"TransferFailed"}, "not ours": {"WaitingForTransfer"}}
        kind = fate.fate.split(":")[0]
        if document.status not in wanted.get(kind, {"WaitingForTransfer", "TransferInProgress", "Transferred"}):
            text = f"{fate.invoice_number} should {fate.fate} ({fate.why})"
            self._wrong(f"{text}, but Basware shows {document.status}")
        if kind == "post":
            self._check_total(document.record)

    def _check_total(self, record: dict[str, Any]) -> None:
        totals = [total for number, total in self.books.booked() if number == record["invoiceNumber"]]
        if len(totals) != 1 or abs(totals[0] - abs(record["grossSum"])) > TOLERANCE:
            self._wrong(f"{record['invoiceNumber']} of {record['grossSum']} stands in the ERP as {totals}")

    # ── act two ─────────────────────────────────────────────────────────────────────────────────────────────

    def people_act(self) -> Iterator[str]:
        """Map the account that is missing, pay an invoice where that is part of it, approve another one; tell each."""
        self._map_account()
        waits = self._mapped().invoice_number
        yield f"the account {UNMAPPED}, for which {waits} waits, is mapped to {self.books.target}"
        self.paid = self.books.pay_one()
        if self.paid is not None:
            yield f"{self.paid[0]} is paid in {self.books.title}, with {self.paid[1]:.2f} {self.books.currency}"
        self._approve_one()
        yield f"{NOTIFIED} is approved in Basware, which notifies the webhook"

    def _mapped(self) -> Expectation:
        return next(f for f in self.books.world.fates.values() if f.fate == f"hold:account:{UNMAPPED}")

    def _pair(self) -> TenantIntegration:
        return next(t for t in self.stack.tenants if t.name == self.books.tenant).pairs[0]

    def _map_account(self) -> None:
        """Do what `ml-connector mappings set TENANT account 6999 400005` does."""
        pair, target = self._pair(), self.books.target
        pair.mappings.set(Mapping(integration=pair.integration.name, kind="account", code=UNMAPPED, target=target))
        count = release(pair.runtime, pair.ledger("invoices"), f"account:{UNMAPPED}")
        self._equal("invoices released by the mapping", 1, count)

    def _approve_one(self) -> None:
        world = self.books.world
        good = next(
            d.record
            for name, d in world.ap.documents.items()
            if world.fates[name].fate == "post" and not any(r.get("orderNumber") for r in d.record["codingRows"])
        )
        fresh = {
            **good,
            "invoiceId": secrets.token_hex(16),
            "invoiceNumber": NOTIFIED,
            "processingStatus": "WaitingForTransfer",
        }
        with world.ap.lock:
            control.put_document(world.ap, fresh)

    def check_act_two(self) -> None:
        """Look for what people did: the mapped, the notified and the paid invoice."""
        numbers = [number for number, _ in self.books.booked()]
        mapped = self._mapped()
        self._equal(f"postings of {mapped.invoice_number} after the mapping", 1, numbers.count(mapped.invoice_number))
        self._equal("postings of the notified invoice", 1, numbers.count(NOTIFIED))
        for text in self.books.unposted():
            self._wrong(text)
        if self.paid is not None:
            self._check_payment(*self.paid)

    def _check_payment(self, payee: str, amount: Decimal) -> None:
        found = [d for d in self.books.world.ap.documents.values() if d.record["invoiceNumber"] == payee]
        total = found[0].payment.get("paidTotal")
        if total is None or abs(Decimal(total) - amount) > TOLERANCE:
            self._wrong(f"{payee} was paid with {amount}, but Basware shows {total}")

    def _equal(self, what: str, wanted: int, found: int) -> None:
        if wanted != found:
            self._wrong(f"{what}: {wanted} expected, {found} found")

    def _wrong(self, text: str) -> None:
        self.faults.append(f"{self.books.tenant} ({self.books.title}): {text}")


@dataclass
class Demo:
    """The play: one part for each ERP, on one stack."""

    stack: LocalStack
    parts: list[Part]
    tell: Tell
    _since: str = ""

    def play(self, addresses: list[tuple[str, str]]) -> Outcome:
        """Play both acts; gives the figures of all that moved."""
        self._since = self.stack.started
        names = " and ".join(part.books.tenant for part in self.parts)
        self.tell(f"Onboarding the tenants {names}: two secrets are written for each, nothing else.")
        for part, (erp_url, ap_url) in zip(self.parts, addresses, strict=True):
            part.onboard(erp_url, ap_url)
        self.stack.enroll()
        self.tell("\nAct one: master data, orders and invoices move for the first time.")
        done = self._run()
        for part in self.parts:
            part.check_masters()
            part.check_invoices()
        self.tell("\nAct two: people act, then everything is read once more.")
        self._since = self.stack.now()
        for part in self.parts:
            for done_by_hand in part.people_act():
                self.tell(f"  {part.books.tenant}: {done_by_hand}")
        done = self._run() and done
        for part in self.parts:
            part.check_act_two()
        outcome = self.stack.outcome(cut=not done)
        outcome.where, outcome.notes = f"--secrets {DEFAULT}", (TOGETHER, BY_HAND)
        return outcome

    def _run(self) -> bool:
        """Play an act to its end, and tell its figures."""
        self.stack.start_flows()
        done = self.stack.until_idle(PATIENCE, self._progress)
        for line in figures(self.stack.outcome(cut=not done, since=self._since)):
            self.tell(line)
        return done

    def _progress(self, stack: LocalStack) -> None:
        """Tell how much of what was read in this act is done with."""
        by_tenant: dict[str, list[FlowTotals]] = {}
        for (tenant, _, _), sheet in stack.sheets(self._since).items():
            by_tenant.setdefault(tenant, []).append(sheet)
        sums = {tenant: totals(sheets) for tenant, sheets in by_tenant.items()}
        done = {tenant: sum(s[place] for place in ("delivered", "unchanged", "rejected")) for tenant, s in sums.items()}
        self.tell("\r" + ", ".join(f"{tenant}: {done[tenant]} of {s['read']} done" for tenant, s in sums.items()))


def play(tell: Tell) -> tuple[Outcome, list[str]]:
    """Set the stage, play, and clear it away; gives the figures and what was found wrong."""
    with ExitStack() as stack:
        shelf: list[Books] = [kind() for kind in ERPS.values()]
        addresses = []
        for books in shelf:
            erp_url = stack.enter_context(serving(books.app))
            ap_url = stack.enter_context(serving(basware.create_app(books.world.ap)))
            stack.enter_context(delivering(books.world.ap))
            tell(f"{books.title} is simulated at {erp_url}, its Basware at {ap_url}.")
            addresses.append((erp_url, ap_url))
        folder = stack.enter_context(_scratch())
        tell("Starting the local stack and deploying template.yaml.")
        local = stack.enter_context(deployed(folder))
        demo = Demo(local, [Part(books, local) for books in shelf], tell)
        return demo.play(addresses), [fault for part in demo.parts for fault in part.faults]


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ml-connector-demo-") as name:
        yield Path(name)
