"""One tenant's part in the demonstration: what is written for it, what people do, and what must be there in the end."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ml_connector.engine.ledger.mappings import Mapping
from ml_connector.engine.schedule.wake_up import release
from ml_connector.engine.tenant_integration import TenantIntegration

from ..sandbox.basware import control
from ..sandbox.basware.seed import Expectation
from .demo_books import Books
from .stack_run import LocalStack

UNMAPPED = "6999"
NOTIFIED = "RE-NOTIFIED"
TOLERANCE = Decimal("0.05")


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
            self.equal(words, count, len(self.books.world.ap.imported.get(name, {})))

    def check_invoices(self) -> None:
        """Compare each invoice with its fate, on both sides, and look for what was posted twice."""
        for fate in self.books.world.fates.values():
            self._check_fate(fate)
        booked = [number for number, _ in self.books.booked()]
        doubled = {n for n in booked if booked.count(n) > 1}
        if doubled:
            self.wrong(f"posted twice: {', '.join(sorted(doubled))}")
        for text in self.books.unposted():
            self.wrong(text)

    def _check_fate(self, fate: Expectation) -> None:
        document = self.books.world.ap.documents[fate.invoice_id]
        wanted = {"post": {"Transferred", "Paid"}, "reject": {"TransferFailed"}, "not ours": {"WaitingForTransfer"}}
        kind = fate.fate.split(":")[0]
        if document.status not in wanted.get(kind, {"WaitingForTransfer", "TransferInProgress", "Transferred"}):
            text = f"{fate.invoice_number} should {fate.fate} ({fate.why})"
            self.wrong(f"{text}, but Basware shows {document.status}")
        if kind == "post":
            self._check_total(document.record)

    def _check_total(self, record: dict[str, Any]) -> None:
        totals = [total for number, total in self.books.booked() if number == record["invoiceNumber"]]
        if len(totals) != 1 or abs(totals[0] - abs(record["grossSum"])) > TOLERANCE:
            self.wrong(f"{record['invoiceNumber']} of {record['grossSum']} stands in the ERP as {totals}")

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
        self.equal("invoices released by the mapping", 1, count)

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
        self.equal(f"postings of {mapped.invoice_number} after the mapping", 1, numbers.count(mapped.invoice_number))
        self.equal("postings of the notified invoice", 1, numbers.count(NOTIFIED))
        for text in self.books.unposted():
            self.wrong(text)
        if self.paid is not None:
            self._check_payment(*self.paid)

    def _check_payment(self, payee: str, amount: Decimal) -> None:
        found = [d for d in self.books.world.ap.documents.values() if d.record["invoiceNumber"] == payee]
        total = found[0].payment.get("paidTotal")
        if total is None or abs(Decimal(total) - amount) > TOLERANCE:
            self.wrong(f"{payee} was paid with {amount}, but Basware shows {total}")

    def equal(self, what: str, wanted: object, found: object) -> None:
        """Note what is not as it should be."""
        if wanted != found:
            self.wrong(f"{what}: {wanted} expected, {found} found")

    def wrong(self, text: str) -> None:
        """Note a fault."""
        self.faults.append(f"{self.books.tenant} ({self.books.title}): {text}")
