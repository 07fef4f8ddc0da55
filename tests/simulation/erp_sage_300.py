"""Sage 300 in the simulation: small books, the people who work in them, its dialect on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from infra.sandbox import sage_300
from infra.sandbox.basware.seed_invoices import OrderRow
from infra.sandbox.sage_300 import back_office
from infra.sandbox.sage_300.errors import Refusal
from infra.sandbox.sage_300.seed_masters import account, add_codes, add_finance
from tests.simulation.sides import Erp, OrderState, Posted, summed

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.worlds import Office, Paper

SUPPLIERS, ACCOUNTS, CENTERS, ORDERS, ITEMS = 6, 6, 3, 3, 2
USER, BATCHES = "WEBAPI", "APInvoiceBatches"
CENTER = "000002"


class Sage300(Erp):
    system, integration = "sage_300", "sage_300-basware"
    login = ""  # there are no sessions: each request carries the password, and is a login
    posts = ("/APInvoiceBatches",)
    tax_codes = ("V0", "V1", "V2")
    user, proofs = USER, 1
    one_tax, currency, refusals = True, "EUR", (Refusal,)
    one_number = True
    lists = ("APVendors", "GLAccounts", "GLSegmentCodes")
    unnamed = ((201, ""), (204, ""), (200, "{}"))

    def __init__(self, name: str, number: int, dice: Random, clock: Any, sleep: Any) -> None:
        super().__init__(name, number, dice, clock, sleep)
        self.world = world = sage_300.World(clock=clock, rng=dice, sleep=sleep, company=f"S{number}LTD", page_size=5)
        self.app = sage_300.create_app(world)
        self.closed_periods = world.closed_periods
        world.duplicates = dice.choice(("insert", "posting"))
        self.posting = dice.random() < 0.4
        world.metadata = Random(repr(dice.getstate())).random() < 0.7  # a draw that moves no other
        self.set_password(f"HIDDEN-PASSWORD-{name.upper()}-0")
        add_finance(world, world.today())
        add_codes(world)
        self._ledger()
        for n in range(SUPPLIERS):
            self.enter_supplier(f"V{number}{n:03d}")
            day = (clock() - timedelta(days=dice.randrange(3, 400))).date().isoformat()
            world.tables["APVendors"][f"V{number}{n:03d}"]["DateLastMaintained"] = day
        world.items |= {f"A1-{n}": f"Lamp {n}" for n in range(ITEMS)}
        for n in range(ORDERS):
            self.enter_order(f"V{number}{n:03d}", dice)

    def _ledger(self) -> None:
        for n in range(ACCOUNTS):
            for m in range(CENTERS):
                row = account(f"{400000 + n}", f"CC{100 + m}", Description=f"{self.name} account {n}")
                self.world.put("GLAccounts", row)
        for code in ("1300", "2020"):
            self.world.put("GLAccounts", account(code, AccountType="BalanceSheet", Description=f"{self.name} {code}"))
        for m in range(CENTERS):
            row = {"SegmentNumber": CENTER, "SegmentCodeKey": f"CC{100 + m}", "Description": f"{self.name} centre {m}"}
            self.world.put("GLSegmentCodes", row)

    # ── settings and credentials ────────────────────────────────────────────────────────────────────────────

    def settings(self, dice: Random) -> dict[str, Any]:
        return {
            "api_url": f"https://sage.{self.name}.test/Sage300WebApi/v1.0/-",
            "company": self.world.company,
            "user": USER,
            "timezone": "America/Vancouver",
            "cost_center_segment": "2",
            "post_batches": self.posting,
        }

    def moved(self, plain: dict[str, Any], dice: Random) -> dict[str, Any]:
        return {**plain, "api_url": plain["api_url"].replace("sage.", "erp.")}

    def set_password(self, password: str) -> None:
        self.password = password.upper()
        self.world.users.add(USER, self.password)

    def nearly_unlock(self) -> None:
        self.world.users.known[USER].failures = min(self.world.users.known[USER].failures, 4)

    def expire(self) -> None:
        """Nothing: there are no sessions."""

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────────

    def number_in(self, request: httpx.Request) -> str | None:
        if request.method != "POST" or not request.url.path.endswith(self.posts):
            return None
        return str(json.loads(request.read())["Invoices"][0]["DocumentNumber"])

    def credentials(self, request: httpx.Request) -> bytes:
        return request.headers.get("authorization", "").encode()

    def proves(self, request: httpx.Request) -> bool:
        return request.url.params.get("$top") == "1" and request.url.params.get("$select") == "VendorNumber"

    def envelope(self) -> str:
        return '{"error":{"code":"UnknownError","message":{"lang":"en-US","value":"An error has occurred."}}}'

    def spoilt(self, kind: str, request: httpx.Request, response: httpx.Response, before: bytes) -> bytes | None:
        if request.method != "GET" or b"nextLink" not in response.content:
            return None
        body = response.json()
        link = next(name for name in body if name.endswith("nextLink"))
        if kind == "empty page":
            body["value"] = []
        elif kind == "page loop":
            body[link] = f"{request.url.copy_with(query=None)}?$skip={request.url.params.get('$skip', '0')}"
        elif kind == "wrong total":
            body["@odata.count"] = 3
        elif b'"value"' in before:
            body["value"] = json.loads(before)["value"]
        return json.dumps(body).encode()

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────

    def suppliers(self) -> list[str]:
        return sorted(self.world.tables["APVendors"])

    def accounts(self) -> list[str]:
        return [f"{400000 + n}" for n in range(ACCOUNTS)]

    def centers(self) -> list[str]:
        return [f"CC{100 + n}" for n in range(CENTERS)]

    def live_documents(self) -> Iterator[Posted]:
        for batch in self.world.rows(BATCHES):
            for one in batch["Invoices"] if batch["BatchStatus"] != "Deleted" else ():
                yield Posted(
                    batch,
                    str(batch["BatchNumber"]),
                    abs(one["DocumentTotalIncludingTax"]),
                    one["VendorNumber"],
                    summed((line["GLAccount"], line["DistributedAmount"]) for line in one["InvoiceDetails"]),
                    None,
                    f"{batch['BatchNumber']}:{one['EntryNumber']}",
                    one["DocumentNumber"],
                    str(one["DocumentDate"])[:10],
                    one["DocumentType"] == "CreditNote",
                )

    def cancel(self, posted: Posted) -> bool:
        """Delete a batch that is not posted yet, and that nobody else's entry is in."""
        if len(posted.id["Invoices"]) != 1:
            return False
        try:
            back_office.delete_batch(self.world, posted.id["BatchNumber"])
        except Refusal:
            return False
        return True

    def masters(self) -> dict[str, dict[str, str]]:
        codes = self.world.rows("GLSegmentCodes")
        return {
            "vendors": {r["VendorNumber"]: r["VendorName"] for r in self.world.rows("APVendors")},
            "accounts": {r["AccountSegmentCode1"]: r["Description"] for r in reversed(self.world.rows("GLAccounts"))},
            "cost_centers": {r["SegmentCodeKey"]: r["Description"] for r in codes},
        }

    def orders(self) -> list[OrderState]:
        return [
            OrderState(
                row["PurchaseOrderNumber"],
                row["PurchaseOrderNumber"],
                row["Completed"] == "Yes",
                {str(line["LineNumber"]): line["QuantityReceived"] for line in row["PurchaseOrderLines"]},
            )
            for row in self.world.rows("POPurchaseOrders")
        ]

    def strangers(self) -> list[str]:
        entries = [one for batch in self.world.rows(BATCHES) for one in batch["Invoices"]]
        return [e["DocumentNumber"] for e in entries if not e["DocumentNumber"].casefold().startswith(self.name)]

    # ── its people ──────────────────────────────────────────────────────────────────────────────────────────

    def enter_supplier(self, code: str) -> None:
        row = {
            "VendorNumber": code,
            "ShortName": code[:10],
            "GroupCode": "INV",
            "AccountSet": "TRADE",
            "Status": "Active",
            "VendorName": f"{self.name} supplier {code}",
            "OnHold": "NotOnHold",
            "CurrencyCode": "EUR",
            "Terms": "N30",
            "TaxGroup": "V2",
            "TaxClassCode1": 1,
            "RateType": "SP",
            "BankCode": "CCB",
            "PaymentCode": "CHECK",
            "DistributionType": "GLAccount",
        }
        self.world.upsert("APVendors", row)

    def enter_order(self, supplier: str, rng: Random) -> None:
        lines = [
            {
                "ItemNumber": f"A1-{n}",
                "Location": "1",
                "UnitOfMeasure": "Ea.",
                "QuantityOrdered": rng.randrange(1, 50),
                "UnitCost": Decimal(rng.randrange(100, 9_000)) / 100,
                "ExpenseAccount": f"{400000 + n}CC{100 + n}",
            }
            for n in range(ITEMS)
        ]
        back_office.change(self.world, "POPurchaseOrders", {"Vendor": supplier, "PurchaseOrderLines": lines})

    def order_rows(self, office: Office) -> list[OrderRow]:
        used = office.orders_used
        lines = [o for o in sage_300.order_lines(self.world) if o.open and o.order_key not in used]
        if not lines:
            return []
        key = office.dice.choice(sorted({line.order_key for line in lines}))
        used.add(key)
        return [
            OrderRow(o.order_number, o.line_number, o.extended, "V2", o.natural, o.cost_centre, o.vendor)
            for o in lines
            if o.order_key == key
        ]

    def by_hand(self, office: Office, paper: Paper, dated: str = "", spelt: str = "") -> str:
        """Enter an invoice in a batch of one's own."""
        record = office.ap.documents[paper.key].record
        if record["grossSum"] < 0 or any(row.get("orderNumber") for row in record["codingRows"]):
            return ""
        rate = {"V0": 0, "V1": 7, "V2": 19}
        details = [
            {
                "GLAccount": f"{row['accountCode']}{row.get('costCenterCode') or 'CC100'}",
                "DistributedAmount": row["netTotal"],
                "DistributionDescription": "by hand",
            }
            for row in record["codingRows"]
        ]
        code = record["codingRows"][0]["taxCode"]
        if len({row["taxCode"] for row in record["codingRows"]}) > 1 or code not in rate:
            return ""
        entry = {
            "VendorNumber": office.partner(paper.supplier),
            "DocumentNumber": spelt or paper.number,
            "DocumentType": "Invoice",
            "TaxGroup": code,
            "InvoiceDetails": details,
            "DocumentDate": dated or (record.get("invoiceDate") or self.world.today().isoformat())[:10],
            "DocumentTotalIncludingTax": record["grossSum"],
        }
        try:
            batch = sage_300.batches.create(self.world, {"Description": "by hand", "Invoices": [entry]})
        except Refusal:
            return ""
        return f"{batch['BatchNumber']}:1"

    def reopen(self, month: str) -> None:
        super().reopen(month)
        for batch in list(self.world.rows("APInvoiceBatches")):
            if batch["Description"].startswith("Error batch") and batch["BatchStatus"] == "Open":
                back_office.post(self.world, batch["BatchNumber"])


def _world(office: Office) -> sage_300.World:
    assert isinstance(office.erp, Sage300)
    return office.erp.world


def rename_vendor(history: History, office: Office) -> None:
    """A vendor changes; at times its stamp lies days back."""
    world = _world(office)
    office.edits += 1
    row = world.tables["APVendors"][office.dice.choice(office.erp.suppliers())]
    before = row["DateLastMaintained"]
    values = {"VendorNumber": row["VendorNumber"], "VendorName": f"{office.name} renamed {office.edits}"}
    world.upsert("APVendors", values)
    if office.dice.random() < 0.2 and not history.short:
        row["DateLastMaintained"] = before
        history.machine.fault("world: back-dated edit")


def rename_code(history: History, office: Office) -> None:
    """An account or a cost center gets another text."""
    office.edits += 1
    rows = _world(office).rows(office.dice.choice(("GLAccounts", "GLSegmentCodes")))
    office.dice.choice(rows)["Description"] = f"{office.name} text {office.edits} renamed"


def bulk_stamp(history: History, office: Office) -> None:
    for code in office.erp.suppliers():
        _world(office).upsert("APVendors", {"VendorNumber": code})
    history.machine.fault("world: bulk stamp")


def burst(history: History, office: Office) -> None:
    for _ in range(7):
        office.edits += 1
        office.erp.enter_supplier(f"B{office.name[:3].upper()}{office.edits:03d}")
    history.machine.fault("world: burst with one stamp")


def new_order(history: History, office: Office) -> None:
    assert isinstance(office.erp, Sage300)
    office.erp.enter_order(office.dice.choice(office.erp.suppliers()), office.dice)


def receive_goods(history: History, office: Office) -> None:
    world = _world(office)
    rows = [row for row in world.rows("POPurchaseOrders") if row["Completed"] == "No"]
    if rows:
        order = office.dice.choice(rows)
        line = next((one for one in order["PurchaseOrderLines"] if one["QuantityOutstanding"] > 0), None)
        if line is not None:
            part = max(Decimal(1), line["QuantityOutstanding"] // 2)
            back_office.receive(world, order["PurchaseOrderSequenceKey"], {line["LineNumber"]: part})


Sage300.acts = (rename_vendor, rename_vendor, rename_code, rename_code, bulk_stamp, burst, new_order, receive_goods)
