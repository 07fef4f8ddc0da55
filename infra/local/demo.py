"""The demonstration: two simulated vendors, the real template on this machine, one tenant, and proof at the end.

Act one moves everything. In act two people act: an account is mapped, an invoice is approved in Basware (which
notifies us), and the ERP pays one.
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

from infra.local.report import Outcome
from infra.local.stack_run import LocalStack, deployed
from infra.sandbox import basware, sap_b1
from infra.sandbox.basware import control
from infra.sandbox.basware.deliver import delivering
from infra.sandbox.basware.seed import Expectation
from infra.sandbox.sap_b1 import clerk
from infra.sandbox.scene import COMPANY, PASSWORD, USER, Scene, scene
from infra.sandbox.server import serving
from ml_connector.engine.maintain import release
from ml_connector.engine.mappings import Mapping
from ml_connector.engine.pair import Pair

TENANT = "acme"
UNMAPPED, TARGET = "6999", "400005"
PATIENCE = 600.0
Tell = Callable[[str], None]


@dataclass
class Demo:
    """The play: its scene, its stage, and what it found wrong."""

    world: Scene
    stack: LocalStack
    tell: Tell
    faults: list[str] = field(default_factory=list)
    open_orders: int = 0
    payee: str = ""
    paid: Decimal = Decimal(0)

    def play(self, erp_url: str, ap_url: str) -> Outcome:
        """Play both acts; gives the figures of all that moved."""
        self.tell("Onboarding the tenant acme: two secrets are written, nothing else.")
        self._onboard(erp_url, ap_url)
        orders = self.world.erp.rows("PurchaseOrders")
        self.open_orders = sum(r["DocumentStatus"] == "bost_Open" for r in orders)  # invoices will close some
        self.tell("Act one: master data, orders and invoices.")
        self.stack.start_flows()
        done = self.stack.until_idle(PATIENCE, self._progress)
        self._check_masters()
        self._check_invoices()
        self.tell("Act two: an account is mapped, an invoice is approved and notified, one is paid in the ERP.")
        self._people_act()
        self.stack.start_flows()
        done = self.stack.until_idle(PATIENCE, self._progress) and done
        self._check_act_two()
        return self.stack.outcome(cut=not done)

    def _progress(self, stack: LocalStack) -> None:
        sheets = stack.outcome(cut=False).sheets
        parts = [f"{flow} {s.counts['delivered']}/{s.counts['read']}" for (_, _, flow), s in sheets.items()]
        self.tell("\r" + "  ".join(parts))

    # ── act one ─────────────────────────────────────────────────────────────────────────────────────────────

    def _onboard(self, erp_url: str, ap_url: str) -> None:
        erp = {
            "service_layer_url": f"{erp_url}/b1s/v2", "company_db": COMPANY, "user_name": USER, "password": PASSWORD,
            "timezone": "Europe/Berlin", "rounding_account": "400110",
        }  # fmt: skip
        ap = {
            "region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret", "companies": ["1000"],
            "source_system": "SAPB1", "base_url": ap_url, "webhook_secret": secrets.token_urlsafe(24),
            "webhook_url": self.stack.webhook_url(TENANT),
        }  # fmt: skip
        self.stack.put_secret(TENANT, "sap_b1", json.dumps(erp))
        self.stack.put_secret(TENANT, "basware", json.dumps(ap))
        self.stack.enrol()

    def _check_masters(self) -> None:
        erp, imported = self.world.erp, self.world.ap.imported
        suppliers = [r for r in erp.rows("BusinessPartners") if r["CardType"] == "cSupplier"]
        accounts = [r for r in erp.rows("ChartOfAccounts") if r["ActiveAccount"] == "tYES"]
        self._equal("suppliers", len(suppliers), len(imported["vendors"]))
        self._equal("posting accounts", len(accounts), len(imported["accounts"]))
        self._equal("cost centres", len(erp.rows("ProfitCenters")), len(imported["costCenters"]))
        self._equal("orders that were open", self.open_orders, len(imported["matchingOrders"]))

    def _check_invoices(self) -> None:
        for fate in self.world.fates.values():
            self._check_fate(fate)
        booked = [number for number, _ in self._booked()]
        doubled = {n for n in booked if booked.count(n) > 1}
        if doubled:
            self.faults.append(f"posted twice: {', '.join(sorted(doubled))}")

    def _check_fate(self, fate: Expectation) -> None:
        status = self.world.ap.documents[fate.invoice_id].status
        wanted = {"post": {"Transferred", "Paid"}, "reject": {"TransferFailed"}, "not ours": {"WaitingForTransfer"}}
        kind = fate.fate.split(":")[0]
        if status not in wanted.get(kind, {"WaitingForTransfer", "TransferInProgress", "Transferred"}):
            self.faults.append(f"{fate.invoice_number} should {fate.fate} ({fate.why}), but Basware shows {status}")
        if kind == "post":
            self._check_total(self.world.ap.documents[fate.invoice_id].record)

    def _check_total(self, record: dict[str, Any]) -> None:
        totals = [total for number, total in self._booked() if number == record["invoiceNumber"]]
        if len(totals) != 1 or abs(totals[0] - abs(record["grossSum"])) > Decimal("0.05"):
            self.faults.append(f"{record['invoiceNumber']} of {record['grossSum']} stands in the ERP as {totals}")

    def _booked(self) -> Iterator[tuple[str, Decimal]]:
        for table in ("PurchaseInvoices", "PurchaseCreditNotes"):
            for row in self.world.erp.rows(table):
                foreign = row["DocCurrency"] != self.world.erp.local_currency
                yield row["NumAtCard"], row["DocTotalFc"] if foreign else row["DocTotal"]

    # ── act two ─────────────────────────────────────────────────────────────────────────────────────────────

    def _people_act(self) -> None:
        self._map_account()
        self._pay_one()
        self._approve_one()

    def _pair(self) -> Pair:
        return self.stack.tenants[0].pairs[0]

    def _map_account(self) -> None:
        """Do what `ml-connector mappings set acme account 6999 400005` does."""
        pair = self._pair()
        pair.mappings.set(Mapping(integration=pair.integration.name, kind="account", code=UNMAPPED, target=TARGET))
        count = release(pair.world, pair.ledger("invoices"), f"account:{UNMAPPED}")
        self._equal("invoices released by the mapping", 1, count)

    def _pay_one(self) -> None:
        invoice = next(
            r for r in self.world.erp.rows("PurchaseInvoices")
            if r["DocCurrency"] == self.world.erp.local_currency and r["DocTotal"] > 100
            and str(r["NumAtCard"]).startswith("RE-")
        )  # fmt: skip
        clerk.pay(self.world.erp, invoice["DocEntry"])
        self.payee, self.paid = invoice["NumAtCard"], invoice["DocTotal"]

    def _approve_one(self) -> None:
        good = next(
            d.record for name, d in self.world.ap.documents.items()
            if self.world.fates[name].fate == "post" and not any(r.get("orderNumber") for r in d.record["codingRows"])
        )  # fmt: skip
        fresh = {**good, "invoiceId": secrets.token_hex(16), "invoiceNumber": "RE-NOTIFIED",
                 "processingStatus": "WaitingForTransfer"}  # fmt: skip
        with self.world.ap.lock:
            control.put_document(self.world.ap, fresh)

    def _check_act_two(self) -> None:
        numbers = [number for number, _ in self._booked()]
        mapped = next(f for f in self.world.fates.values() if f.fate == f"hold:account:{UNMAPPED}")
        self._equal(f"postings of {mapped.invoice_number} after the mapping", 1, numbers.count(mapped.invoice_number))
        self._equal("postings of the notified invoice", 1, numbers.count("RE-NOTIFIED"))
        paid = [d for d in self.world.ap.documents.values() if d.record["invoiceNumber"] == self.payee]
        total = paid[0].payment.get("paidTotal")
        if total is None or abs(Decimal(total) - self.paid) > Decimal("0.05"):
            self.faults.append(f"{self.payee} was paid with {self.paid}, but Basware shows {total}")

    def _equal(self, what: str, wanted: int, found: int) -> None:
        if wanted != found:
            self.faults.append(f"{what}: {wanted} expected, {found} found")


def play(tell: Tell) -> tuple[Outcome, list[str]]:
    """Set the stage, play, and clear it away; gives the figures and what was found wrong."""
    with ExitStack() as stack:
        world = scene()
        erp_url = stack.enter_context(serving(sap_b1.create_app(world.erp)))
        ap_url = stack.enter_context(serving(basware.create_app(world.ap)))
        stack.enter_context(delivering(world.ap))
        tell(f"SAP Business One is simulated at {erp_url}, Basware at {ap_url}.")
        folder = stack.enter_context(_scratch())
        tell("Starting the local stack and deploying template.yaml.")
        demo = Demo(world, stack.enter_context(deployed(folder)), tell)
        return demo.play(erp_url, ap_url), demo.faults


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ml-connector-demo-") as name:
        yield Path(name)
