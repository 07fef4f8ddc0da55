"""SAP Business One in the simulation: small books, the people who work in them, its dialect on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from infra.sandbox import sap_b1
from infra.sandbox.basware.seed_invoices import OrderRow
from infra.sandbox.sap_b1 import back_office, changes
from infra.sandbox.sap_b1.errors import Refusal
from infra.sandbox.sap_b1.seed_masters import _finance
from tests.simulation.sides import Erp, OrderState, Posted, summed

if TYPE_CHECKING:
    from tests.simulation.worlds import Office, Paper

SUPPLIERS, ACCOUNTS, CENTERS, ORDERS = 6, 6, 3, 3
LINGERS = timedelta(minutes=15)
"""For so long a worker may go on with the secret it has: it is kept five minutes, and a worker may stand still."""
SETS = ("PurchaseInvoices", "PurchaseCreditNotes")


class SapB1(Erp):
    system, integration = "sap_b1", "sap_b1-basware"
    login, posts = "/Login", ("/PurchaseInvoices", "/PurchaseCreditNotes")
    user = "manager"
    tax_codes = ("V0", "V1", "V2")
    pays, refusals, approves = True, (Refusal,), True
    lists = ("BusinessPartners", "ChartOfAccounts", "ProfitCenters")
    unnamed = (
        (201, ""),
        (204, ""),
        (200, "{}"),
        (404, '{"error":{"code":"-2028","message":"No matching records found (ODBC -2028)"}}'),
    )

    def __init__(self, name: str, number: int, dice: Random, clock: Any, sleep: Any) -> None:
        super().__init__(name, number, dice, clock, sleep)
        self.world = world = sap_b1.World(clock=clock, rng=dice, sleep=sleep, company=f"DB_{name.upper()}")
        self.app = sap_b1.create_app(world)
        self.closed_periods = world.closed_periods
        world.sessions.company = world.company
        self.moved_at = clock()
        self.password = f"hidden-password-{name}-0"
        world.sessions.accounts["manager"] = self.password
        world.stamp_base_documents = True
        world.approval_reply = "-2028" if number % 2 else "empty"
        world.user_fields = {"PurchaseInvoices": ["U_ExtId"], "PurchaseCreditNotes": ["U_ExtId"]}
        _finance(world)
        self._ledger()
        for n in range(SUPPLIERS):
            self.enter_supplier(f"V{number}{n:03d}")
            day = (clock() - timedelta(days=dice.randrange(3, 400))).date().isoformat()
            world.tables["BusinessPartners"][f"V{number}{n:03d}"] |= {"UpdateDate": day, "CreateDate": day}
        world.items = {"I1000", "I1001"}
        for n in range(ORDERS):
            self.enter_order(f"V{number}{n:03d}", dice, service=n == ORDERS - 1)

    def _ledger(self) -> None:
        world, name = self.world, self.name
        flags = dict.fromkeys(("LockManualTransaction", "BlockManualPosting", "Protected", "FrozenFor"), "tNO")
        for n in range(ACCOUNTS):
            code = f"{400000 + n}"
            key = code if n < ACCOUNTS - 1 else f"_SYS{n:011d}"
            row = {"Code": key, "FormatCode": code, "Name": f"{name} account {n}", "ActiveAccount": "tYES"}
            world.put("ChartOfAccounts", row | flags | {"AccountType": "at_Expenses", "AccountLevel": 5})
        for code in ("157600", "180000"):
            row = {"Code": code, "FormatCode": code, "Name": f"{name} {code}", "ActiveAccount": "tYES"}
            world.put("ChartOfAccounts", row | flags | {"AccountType": "at_Other", "CashAccount": "tYES"})
        row = {"DimensionCode": 1, "DimensionName": "D1", "DimensionDescription": "C", "IsActive": "tYES"}
        world.put("Dimensions", row)
        for n in range(CENTERS):
            row = {"CenterCode": f"CC{100 + n}", "CenterName": f"{name} centre {n}", "GroupCode": "Z"}
            world.put("ProfitCenters", row | {"InWhichDimension": 1, "EffectiveFrom": "2010-01-01", "Active": "tYES"})

    # ── settings and credentials ────────────────────────────────────────────────────────────────────────────

    def settings(self, dice: Random) -> dict[str, Any]:
        return {
            "service_layer_url": f"https://sap.{self.name}.test/b1s/{dice.choice(('v1', 'v2'))}",
            "company_db": self.world.company,
            "user_name": "manager",
            "timezone": "Europe/Berlin",
            **({"external_id_field": "U_ExtId"} if dice.random() < 0.4 else {}),
        }

    def moved(self, plain: dict[str, Any], dice: Random) -> dict[str, Any]:
        """Give the server another name, or the company one: then the old company is there still, and nobody's."""
        if dice.random() < 0.5:
            return {**plain, "service_layer_url": plain["service_layer_url"].replace("sap.", "erp.")}
        sessions = self.world.sessions
        sessions.copies.add(sessions.company)
        sessions.company, self.moved_at = f"{sessions.company}X", self.world.clock()
        return {**plain, "company_db": sessions.company}

    def asked(self, request: httpx.Request) -> None:
        """Note who asks a company that was left: a while after that, nobody may."""
        session = self.world.sessions.open.get(request.headers.get("Cookie", "").partition("B1SESSION=")[2][:36])
        now = self.world.clock()
        if session is None or session.company == self.world.sessions.company or now - self.moved_at < LINGERS:
            return
        self.strayed.append(f"{request.method} {request.url.path} went to {session.company} at {now}")

    def set_password(self, password: str) -> None:
        self.password = password
        self.world.sessions.accounts["manager"] = password
        self.world.expire_sessions()

    def nearly_unlock(self) -> None:
        self.world.sessions.consecutive["manager"] = min(self.world.sessions.consecutive["manager"], 4)

    def expire(self) -> None:
        self.world.expire_sessions()

    def live(self) -> set[str]:
        return set(self.world.sessions.open)

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────────

    def number_in(self, request: httpx.Request) -> str | None:
        if request.method != "POST" or not request.url.path.endswith(self.posts):
            return None
        return str(json.loads(request.read()).get("NumAtCard"))

    def credentials(self, request: httpx.Request) -> bytes:
        return request.read()

    def small_pages(self, request: httpx.Request) -> None:
        if request.headers.get("Prefer"):
            request.headers["Prefer"] = "odata.maxpagesize=5"

    def envelope(self) -> str:
        return '{"error":{"code":"-5002","message":"Internal error (-5002) occurred"}}'

    def spoilt(self, kind: str, request: httpx.Request, response: httpx.Response, before: bytes) -> bytes | None:
        if request.method != "GET" or b"nextLink" not in response.content:
            return None
        body = response.json()
        link = next(name for name in body if name.endswith("nextLink"))
        if kind == "empty page":
            body["value"] = []
        elif kind == "page loop":
            body[link] = f"{request.url.path.rpartition('/')[2]}?$skip={request.url.params.get('$skip', '0')}"
        elif kind == "wrong total":
            return None  # it tells none
        elif b'"value"' in before:
            body["value"] = json.loads(before)["value"]
        return json.dumps(body).encode()

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────

    def suppliers(self) -> list[str]:
        return sorted(self.world.tables["BusinessPartners"])

    def accounts(self) -> list[str]:
        return [f"{400000 + n}" for n in range(ACCOUNTS)]

    def account_key(self, code: str) -> str:
        return next(r["Code"] for r in self.world.tables["ChartOfAccounts"].values() if r["FormatCode"] == code)

    def centers(self) -> list[str]:
        return [f"CC{100 + n}" for n in range(CENTERS)]

    def live_documents(self) -> Iterator[Posted]:
        for name in SETS:
            for row in self.world.rows(name):
                if row["CancelStatus"] == "csNo":
                    yield self._posted(name, row)

    def _posted(self, name: str, row: Any) -> Posted:
        foreign = row["DocCurrency"] != "EUR"
        total, paid = ("DocTotalFc", "PaidToDateFC") if foreign else ("DocTotal", "PaidToDate")
        lines = self._lines(row["DocumentLines"], "RowTotalFC" if foreign else "LineTotal")
        return Posted(
            row,
            str(row["DocNum"]),
            abs(row[total]),
            row["CardCode"],
            lines,
            row[paid],
            f"{name}({row['DocEntry']})",
            str(row.get("NumAtCard")),
            str(row["TaxDate"])[:10],
            name == SETS[1],
        )

    def drafts(self, paper: Paper) -> list[Any]:
        return [
            row
            for row in self.world.rows("Drafts")
            if row.get("NumAtCard") in paper.numbers and row["AuthorizationStatus"] == "dasPending"
        ]

    def keyed_otherwise(self, plain: dict[str, Any]) -> dict[str, Any]:
        other = {name: value for name, value in plain.items() if name != "external_id_field"}
        return other if "external_id_field" in plain else {**plain, "external_id_field": "U_ExtId"}

    def need_approval(self, supplier: str) -> None:
        self.world.approval_for.add(supplier)

    def need_none(self) -> None:
        self.world.approval_for.clear()

    def decide(self, draft: Any, way: str) -> bool:
        entry = draft["DocEntry"]
        try:
            if way == "delete":
                changes.delete(self.world, "Drafts", entry)
            else:
                (back_office.approve if way == "approve" else back_office.reject)(self.world, entry)
        except Refusal:
            return False
        return True

    def cancel(self, posted: Posted) -> bool:
        name = posted.key.partition("(")[0]
        try:
            changes.act(self.world, name, posted.id["DocEntry"], "Cancel")
        except Refusal:
            return False
        return True

    def _lines(self, lines: list[Any], amount: str) -> dict[str, Decimal]:
        codes = {row["Code"]: row["FormatCode"] for row in self.world.tables["ChartOfAccounts"].values()}
        return summed((f"{codes.get(one['AccountCode'])}{one.get('CostingCode') or ''}", one[amount]) for one in lines)

    def masters(self) -> dict[str, dict[str, str]]:
        tables = self.world.tables
        return {
            "vendors": {k: r["CardName"] for k, r in tables["BusinessPartners"].items()},
            "accounts": {r["FormatCode"]: r["Name"] for r in tables["ChartOfAccounts"].values()},
            "cost_centers": {k: r["CenterName"] for k, r in tables["ProfitCenters"].items()},
        }

    def orders(self) -> list[OrderState]:
        found = []
        for row in self.world.rows("PurchaseOrders"):
            received = {str(line["LineNum"]): Decimal(0) for line in row["DocumentLines"]}
            for note in self.world.rows("PurchaseDeliveryNotes"):
                for line in note["DocumentLines"]:
                    if line["BaseEntry"] == row["DocEntry"]:
                        received[str(line["BaseLine"])] += line["Quantity"]
            closed = row["DocumentStatus"] != "bost_Open"
            found.append(OrderState(str(row["DocEntry"]), str(row["DocNum"]), closed, received))
        return found

    def strangers(self) -> list[str]:
        rows = [(row["DocNum"], str(row.get("NumAtCard"))) for name in SETS for row in self.world.rows(name)]
        return [f"{entry}: {number}" for entry, number in rows if not number.casefold().startswith(self.name)]

    # ── its people ──────────────────────────────────────────────────────────────────────────────────────────

    def enter_supplier(self, code: str) -> None:
        self.world.upsert(
            "BusinessPartners",
            {
                "CardCode": code,
                "CardName": f"{self.name} supplier {code}",
                "CardType": "cSupplier",
                "Currency": "##",
                "Valid": "tYES",
                "Frozen": "tNO",
                "PayTermsGrpCode": 1,
                "VatGroup": "V2",
                "VatLiable": "vLiable",
                "BPAddresses": [],
                "BPBankAccounts": [],
                "ContactEmployees": [],
            },
        )

    def enter_order(self, supplier: str, rng: Random, *, service: bool = False) -> None:
        lines = []
        for n in range(2):
            line: dict[str, Any] = {"VatGroup": "V2", "AccountCode": f"{400000 + n}", "CostingCode": f"CC{100 + n}"}
            if service:
                line |= {"ItemDescription": f"Service {n}", "LineTotal": Decimal(rng.randrange(500, 90_000)) / 100}
            else:
                price = Decimal(rng.randrange(100, 9_000)) / 100
                line |= {"ItemCode": f"I{1000 + n}", "ItemDescription": f"Item {n}", "WarehouseCode": "01"}
                line |= {"Quantity": Decimal(rng.randrange(1, 50)), "UnitPrice": price}
            lines.append(line)
        kind = "dDocument_Service" if service else "dDocument_Items"
        back_office.change(
            self.world, "PurchaseOrders", {"CardCode": supplier, "DocType": kind, "DocumentLines": lines}
        )

    def order_rows(self, office: Office) -> list[OrderRow]:
        used = office.orders_used
        lines = [o for o in sap_b1.order_lines(self.world) if o.open and not o.received and o.doc_entry not in used]
        if not lines:
            return []
        entry = office.dice.choice(sorted({line.doc_entry for line in lines}))
        used.add(entry)
        return [
            OrderRow(o.order_number, o.line_num, o.line_total, o.vat_group, o.account, o.cost_centre, o.card_code)
            for o in lines
            if o.doc_entry == entry
        ]

    def by_hand(self, office: Office, paper: Paper, dated: str = "", spelt: str = "") -> str:
        record = office.ap.documents[paper.key].record
        if record["grossSum"] < 0 or any(row.get("orderNumber") for row in record["codingRows"]):
            return ""
        keys = {row["FormatCode"]: row["Code"] for row in self.world.tables["ChartOfAccounts"].values()}
        if any(row["accountCode"] not in keys for row in record["codingRows"]):
            return ""
        amount = "LineTotal" if record["currencyCode"] == "EUR" else "RowTotalFC"
        lines = [
            {
                "ItemDescription": "by hand",
                amount: row["netTotal"],
                "VatGroup": row["taxCode"],
                "AccountCode": keys[row["accountCode"]],
            }
            for row in record["codingRows"]
        ]
        body = {
            "CardCode": office.partner(paper.supplier),
            "NumAtCard": spelt or paper.number,
            "DocType": "dDocument_Service",
            "TaxDate": dated or (record.get("invoiceDate") or self.world.today())[:10],
            "DocCurrency": record["currencyCode"],
            "DocumentLines": lines,
        }
        try:
            entry = back_office.change(self.world, "PurchaseInvoices", body)["DocEntry"]
        except Refusal:
            return ""  # its supplier is not there yet
        return f"PurchaseInvoices({entry})"
