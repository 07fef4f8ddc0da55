"""Both sandboxes behind real sockets, a folder of secrets, and the command line as a process of its own.

`stage` is a customer's whole company, with everything that may be wrong. `small` has no fault of its own: 5 suppliers,
8 accounts, 3 cost centers, no order and no invoice; a test adds what it is about.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from infra.sandbox import basware, sap_b1
from infra.sandbox.basware.control import put_document
from infra.sandbox.basware.model import Document
from infra.sandbox.basware.seed_invoices import Coding, Maker
from infra.sandbox.fixtures import PASSWORD, seeded_systems
from infra.sandbox.sap_b1 import back_office
from infra.sandbox.server import serving
from tests import program

FLOWS = ("vendors", "accounts", "cost_centers", "purchase_orders", "invoices", "payments")
PLACES = ("delivered", "unchanged", "held", "rejected", "failed", "pending")
READS = {"POST Login", "POST /v1/tokens", "POST CompanyService_GetAdminInfo"}
Report = dict[str, Any]


@dataclass
class Stage:
    """The two vendors and one tenant's folder."""

    folder: Path
    erp: Any
    ap: Any
    erp_url: str
    ap_url: str
    fates: dict[str, Any] = field(default_factory=dict)
    tenant: str = "acme"
    maker: Maker = field(default_factory=lambda: Maker(Random(5), ("1000",), datetime.now(UTC).date()))

    # ── secrets and commands ────────────────────────────────────────────────────────────────────────────────

    def write(self, system: str, tenant: str | None = None, **changes: Any) -> Path:
        """Write a secret; a field set to None is left out."""
        made = {k: v for k, v in (self.defaults(system) | changes).items() if v is not None}
        path = self.folder / (tenant or self.tenant) / f"{system}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(made))
        return path

    def defaults(self, system: str) -> dict[str, Any]:
        if system == "sap_b1":
            return {
                "service_layer_url": f"{self.erp_url}/b1s/v2",
                "company_db": "SBODEMO",
                "user_name": "manager",
                "password": PASSWORD,
                "timezone": "Europe/Berlin",
            }
        if system == "basware":
            return {
                "region": "EU",
                "client_id": "sandbox-client",
                "client_secret": "sandbox-secret",
                "companies": ["1000"],
                "source_system": "SAPB1",
                "base_url": self.ap_url,
            }
        return {}

    def cli(self, *args: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return program.run(*args, timeout=timeout)

    def ops(self, *args: str) -> str:
        """Run a command of the operator against this folder, without questions; it must succeed."""
        changes = {"set", "remove", "import", "replay", "confirm-deactivation", "redrive", "purge"} & set(args[:2])
        args = (*args, "--yes") if changes and "--yes" not in args else args
        ran = self.cli(*args, "--secrets", str(self.folder))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def run(self, *more: str) -> tuple[int, Report]:
        """Run `local run`; gives the exit code and the report."""
        out = self.folder.parent / "out.json"
        out.unlink(missing_ok=True)
        ran = self.cli("local", "run", "--secrets", str(self.folder), "--report", str(out), *more)
        assert "Traceback" not in ran.stderr, ran.stderr
        return ran.returncode, json.loads(out.read_text()) if out.exists() else {"stderr": ran.stderr}

    def ran(self, *more: str) -> Report:
        """Run `local run`, which must end well and balance; gives the report."""
        code, report = self.run(*more)
        assert code == 0, report
        assert report["reconciled"], report
        assert_sums(report)
        return report

    def flows(self, report: Report) -> dict[str, Any]:
        return dict(report["tenants"][self.tenant]["sap_b1-basware"])

    @contextmanager
    def left_running(self) -> Iterator[tuple[program.Program, str]]:
        """Start `local serve` on a free port; gives the process and the address of its webhook."""
        with program.Program("local", "serve", "--secrets", str(self.folder), "--port", "0") as process:
            line = process.stdout.readline()
            assert "http://127.0.0.1:" in line, line or process.communicate()
            yield process, line.split()[-1].removesuffix("TENANT")

    # ── what people at the customer do ──────────────────────────────────────────────────────────────────────

    def invoice(
        self,
        *nets: str | Decimal,
        supplier: str = "V10001",
        account: str = "400001",
        center: str = "CC100",
        tax: str = "V0",
        rows: list[Coding] | None = None,
        **changes: Any,
    ) -> str:
        """Offer an invoice for transfer in Basware, one coding row for each net amount; gives its id."""
        codings = rows or [Coding(account, center, Decimal(net), tax) for net in nets or ("100.00",)]
        record = self.maker.invoice(codings, supplier=supplier) | {"currencyCode": "EUR"} | changes
        with self.ap.lock:
            put_document(self.ap, record)
        return str(record["invoiceId"])

    def order(self, *lines: dict[str, Any], supplier: str = "V10001", **header: Any) -> dict[str, Any]:
        """Enter a purchase order in SAP, dated a month ago; by default one line of ten pieces at 25.00."""
        plain = {
            "ItemCode": "I1000",
            "ItemDescription": "Bolt",
            "Quantity": Decimal(10),
            "UnitPrice": Decimal(25),
            "VatGroup": "V0",
            "AccountCode": "400002",
            "CostingCode": "CC101",
        }
        day = (datetime.now(UTC).date() - timedelta(days=30)).isoformat()
        body = {"CardCode": supplier, "DocType": "dDocument_Items", "DocDate": day, **header}
        with self.erp.lock:
            return back_office.change(
                self.erp, "PurchaseOrders", body | {"DocumentLines": [plain | x for x in lines or ({},)]}
            )

    def change_invoice(self, key: str, **changes: Any) -> None:
        """Change an invoice in Basware as its user does; None removes a field."""
        answer = httpx.post(f"{self.ap_url}/_sandbox/documents/{key}?strict=0", json=changes)
        assert answer.status_code == 200, answer.text

    # ── what came of it ─────────────────────────────────────────────────────────────────────────────────────

    def document(self, key: str) -> Document:
        """Give an invoice as Basware holds it, with every verdict that is due."""
        with self.ap.lock:
            self.ap.settle()
            return self.ap.documents[key]

    def posted(self, key: str, entity: str = "PurchaseInvoices") -> list[dict[str, Any]]:
        """List what SAP has booked for an invoice of Basware."""
        number = self.ap.documents[key].record["invoiceNumber"]
        return [row for row in self.erp.rows(entity) if row.get("NumAtCard") == number]

    def imported(self, entity: str) -> dict[str, dict[str, Any]]:
        """List what Basware's target system holds, by external code."""
        with self.ap.lock:
            self.ap.settle()
            return dict(self.ap.imported.get(entity, {}))

    def vendor(self, code: str) -> dict[str, Any]:
        return next(v for v in self.imported("vendors").values() if v["vendorCode"] == code)

    def writes(self) -> dict[str, int]:
        """Count what was written to either vendor; logins and questions are not."""
        calls = {**self.erp.calls, **self.ap.calls}
        return {k: n for k, n in calls.items() if not k.startswith("GET") and k not in READS}

    def booked(self) -> list[tuple[str, str]]:
        """List (supplier, number) of what stands in the ERP's books."""
        rows = [*self.erp.rows("PurchaseInvoices"), *self.erp.rows("PurchaseCreditNotes")]
        return sorted((r["CardCode"], r["NumAtCard"]) for r in rows if r.get("NumAtCard"))


def assert_sums(report: Report) -> None:
    """Check in every flow that what was read is what became of it, to the row and the cent."""
    for integrations in report["tenants"].values():
        for flows in integrations.values():
            for name, row in flows.items():
                assert row["read"] == sum(row[p] for p in PLACES), (name, row)
                for currency, sums in row.get("amounts", {}).items():
                    assert Decimal(sums["read"]) == sum(Decimal(sums[p]) for p in PLACES), (name, currency, sums)


def prune(erp: Any) -> None:
    """Leave a small company in which everything is in order."""
    kept = {
        "BusinessPartners": {f"V{10000 + n}" for n in range(5)},
        "ChartOfAccounts": {f"{400000 + n}" for n in range(8)} | {"160000", "180000"},
        "ProfitCenters": {"CC100", "CC101", "CC102"},
    }
    for name, keys in kept.items():
        erp.tables[name] = {key: row for key, row in erp.tables[name].items() if key in keys}
    for name in ("PurchaseOrders", "PurchaseDeliveryNotes", "PurchaseReturns"):
        erp.tables[name].clear()
    for partner in erp.tables["BusinessPartners"].values():
        partner |= {"Valid": "tYES", "Frozen": "tNO", "Currency": "EUR", "VatGroup": "V0"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = seeded_systems()
    erp, ap = made.erp, made.ap
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(sap_b1.create_app(erp)))
        ap_url = stack.enter_context(serving(basware.create_app(ap)))
        ready = Stage(tmp_path / "secrets", erp, ap, erp_url, ap_url, made.fates)
        ready.write("sap_b1")
        ready.write("basware")
        yield ready


@contextmanager
def small_stage(folder: Path, tenant: str = "acme") -> Iterator[Stage]:
    """Serve a small company of one tenant, with vendors of its own."""
    erp = sap_b1.seeded_world(1, password=PASSWORD)
    prune(erp)
    ap = basware.World(rng=Random(2), verdict_delay=0.05)
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(sap_b1.create_app(erp)))
        ap_url = stack.enter_context(serving(basware.create_app(ap)))
        ready = Stage(folder, erp, ap, erp_url, ap_url, tenant=tenant)
        ready.write("sap_b1")
        ready.write("basware")
        yield ready


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Stage]:
    with small_stage(tmp_path / "secrets") as ready:
        yield ready


@pytest.fixture
def another(small: Stage) -> Iterator[Stage]:
    """A second tenant in the folder of the first, with vendors of its own."""
    with small_stage(small.folder, "beta") as ready:
        yield ready


@pytest.fixture(scope="module")
def small_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stage]]:
    """Make small stages for a whole module; each name is a tenant with vendors of its own, in one folder."""
    shared = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        yield lambda tenant, folder=shared: stack.enter_context(small_stage(folder / "secrets", tenant))
