"""SYSPRO in the simulation: small books, the people who work in them and take its session, its dialect on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx

from infra.sandbox import syspro
from infra.sandbox.basware.model import Row
from infra.sandbox.basware.seed_invoices import OrderRow
from infra.sandbox.fixtures_syspro import TAX
from infra.sandbox.syspro import back_office
from infra.sandbox.syspro.errors import Refusal
from infra.sandbox.syspro.ledger import cents
from infra.sandbox.syspro.seed import ODATA_PASSWORD, ODATA_USER, OPERATOR
from infra.sandbox.syspro.seed_masters import add_account, add_finance
from ml_connector.systems.kit import worded
from ml_connector.systems.kit.sections import with_center
from tests.simulation.sides import EDITED, Erp, OrderState, Posted, summed

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.worlds import Office, Paper

SUPPLIERS, ACCOUNTS, CENTERS, ORDERS = 6, 4, 3, 3
REST = "/SYSPROWCFService/Rest"
PSEUDO = {"FORCED", "RETAINED"}
TERMS = ("30", "14", "60")
COLUMNS = {"term": "TermsCode", "vat": "TaxRegnNum"}
"""Columns of what both sides may change of a supplier."""
LETTERS = {letter: code for code, letter in TAX.items()}
HOSTS = ("syspro", "erp")
"""Names of its server: the first, and the one it gets when it moves."""
ABROAD, RATE, CENT = "USD", Decimal(2), Decimal("0.01")
"""The currency of a foreign supplier; each cent of it is a whole number of the company's own."""
LATE = "LATE"
"""The operator in whose session a request is carried out that the server had accepted before."""


class Syspro(Erp):
    system, integration = "syspro", "syspro-basware"
    login, posts = "/Logon", ("/Transaction/Post",)
    user = OPERATOR
    tax_codes = ("V0", "V1", "V2")
    refusals, one_number = (Refusal,), True
    lists = ("ApSupplier", "GenMaster")
    suppliers_flow, takes_back = "suppliers", False

    def __init__(self, name: str, number: int, dice: Random, clock: Any, sleep: Any) -> None:
        super().__init__(name, number, dice, clock, sleep)
        self.world = world = syspro.World(clock=clock, rng=dice, sleep=sleep, company=f"S{number}")
        self.app = syspro.create_app(world)
        for host in HOSTS:  # each container is a process of its own: none waits in another's call
            worded._busy[f"https://{host}.{name}.test{REST}|{OPERATOR}".lower()] = nullcontext()  # type: ignore[assignment]
        self.closed_periods = world.closed_periods
        syspro.add_users(world, "hidden-first")
        world.sessions.operators[LATE] = "nobody-knows"
        self.set_password(f"hidden-password-{name}-0")
        world.sessions.demands_spaces = dice.random() < 0.5
        world.status_of_items = dice.choice(("always", "refused", "never"))
        world.journal_in_answer, world.binary_collation = dice.random() < 0.5, dice.random() < 0.7
        world.wrapping, world.digits = dice.choice(("raw", "raw", "json", "string")), dice.choice((5, 6))
        world.error_case = dice.choice(("lower", "own"))
        world.page_limit = 5
        add_finance(world)
        for n in range(ACCOUNTS):
            for m in range(CENTERS):
                add_account(world, f"{400000 + n}-CC{100 + m}", f"{name} account {n} {m}")
        for code in ("1540", "2010"):
            add_account(world, code, f"{name} {code}", "A")
        for n in range(SUPPLIERS):
            self.enter_supplier(f"V{number}{n:03d}")
        for n in range(ORDERS):
            self.enter_order(f"V{number}{n:03d}", dice)
        odd = Random(repr(dice.getstate()))
        if odd.random() < 0.3:
            back_office.respell_currency(world, "EUR", "$")
        if odd.random() < 0.5:
            world.rates[ABROAD] = RATE
            world.get("ApSupplier", self.suppliers()[-1])["Currency"] = ABROAD  # type: ignore[index]

    # ── settings and credentials ────────────────────────────────────────────────────────────────────────────

    def settings(self, dice: Random) -> dict[str, Any]:
        host = f"https://{HOSTS[0]}.{self.name}.test"
        plain = {
            "enet_url": f"{host}{REST}", "operator": OPERATOR, "company_id": self.world.company,
            "timezone": "Europe/Berlin", "cost_centers": {"from": "ledger_code", "section": 2},
        }  # fmt: skip
        if dice.random() < 0.4:
            return plain | {"read_via": "enet"}
        odata = {"odata_url": f"{host}/SYSPRO8Odata/SYSPROOData", "odata_user": ODATA_USER}
        return plain | odata | {"odata_password": ODATA_PASSWORD}

    def with_password(self, plain: dict[str, Any], password: str) -> dict[str, Any]:
        return {**plain, "operator_password": password}

    def moved(self, plain: dict[str, Any], dice: Random) -> dict[str, Any]:
        urls = {name: plain[name].replace("syspro.", "erp.") for name in ("enet_url", "odata_url") if name in plain}
        return {**plain, **urls}

    def set_password(self, password: str) -> None:
        self.password = password
        self.world.sessions.operators[OPERATOR] = password

    def expire(self) -> None:
        self.world.sessions.end()

    def live(self) -> set[str]:
        return {name.strip() for name in self.world.sessions.open}

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────────

    def is_post(self, request: httpx.Request) -> bool:
        tried = "<ValidateOnly>Y" in request.url.params.get("XmlParameters", "")
        return request.url.path.endswith(self.posts) and not tried

    def changes(self, request: httpx.Request) -> bool:
        return self.is_post(request)

    def content(self, request: httpx.Request) -> str:
        return request.url.params.get("XmlIn", "")

    def number_in(self, request: httpx.Request) -> str | None:
        found = re.search(r"<Invoice>([^<]*)</Invoice>", self.content(request)) if self.is_post(request) else None
        return found[1] if found else None

    def tells(self, exchange: dict[str, Any], number: str) -> bool:
        return f"<Invoice>{number.upper()}<" in unquote(exchange["url"])

    def credentials(self, request: httpx.Request) -> bytes:
        return request.url.query

    def refuses(self, response: httpx.Response) -> bool:
        return b"ERROR: Invalid" in response.content

    def again(self, request: httpx.Request) -> httpx.Request:
        """The session that a request came with may have ended by now, which is nothing to what was accepted then."""
        asked = {"Operator": LATE, "OperatorPassword": "nobody-knows", "CompanyId": self.world.company}
        logon = request.url.copy_with(path=request.url.path.replace("/Transaction/Post", "/Logon"), query=None)
        answer = httpx.WSGITransport(app=self.app).handle_request(
            httpx.Request("GET", logon.copy_merge_params(asked | {"CompanyPassword": ""}))
        )
        session = answer.read().decode().strip().strip('"')
        session = re.sub(r"<[^>]*>", "", session).strip()
        return httpx.Request("GET", request.url.copy_set_param("UserId", f"{session}  "), headers=request.headers)

    def envelope(self) -> str:
        return "ERROR: e.net exception raised: 100032"

    def spoilt(self, kind: str, request: httpx.Request, response: httpx.Response, before: bytes) -> bytes | None:
        """A page has no link and no count, so that an empty one is the end of its list: only another can come twice."""
        again = kind == "repeated page" and b'"value"' in before and b'"value"' in response.content
        return before if again and json.loads(response.content)["value"] else None

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────

    def suppliers(self) -> list[str]:
        return sorted(self.world.tables["ApSupplier"])

    def accounts(self) -> list[str]:
        return [f"{400000 + n}-CC100" for n in range(ACCOUNTS)]

    def centers(self) -> list[str]:
        return [f"CC{100 + n}" for n in range(CENTERS)]

    def coded(self, account: str, center: str) -> str:
        return with_center(account, 2, center) if center else account

    def mapped(self) -> list[tuple[str, str, str]]:
        money = [("currency", "EUR", self.world.local_currency)] if self.world.local_currency != "EUR" else []
        return [*money, *(("term", code, code) for code in TERMS)]

    def worded(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give an invoice the tax codes that SYSPRO has."""
        for part in (record, *record["codingRows"]):
            if part.get("taxCode") in TAX:
                part["taxCode"] = TAX[part["taxCode"]]
        rows = record["codingRows"]
        taxed = len(rows) > 1 and not record.get("orderNumbers") and all(row["taxSum"] > 0 for row in rows)
        if taxed and Random(record["invoiceId"]).random() < 0.3:  # the supplier rounds another way
            rows[0]["taxSum"] += CENT
            rows[0]["grossTotal"] += CENT
            record["taxSum1"] += CENT
            record["grossSum"] += CENT
        return record

    def currency_of(self, record: dict[str, Any]) -> str:
        """Nothing can be posted to a supplier but in the supplier's own."""
        supplier = self.world.get("ApSupplier", record["supplierCode"])
        return ABROAD if supplier and supplier["Currency"] == ABROAD else "EUR"

    def coding(self, rows: list[dict[str, Any]]) -> Iterator[tuple[str, Decimal]]:
        """SYSPRO works out the tax of several rows anew, and puts a cent that is over on the first."""
        worked = sum((cents(row["netTotal"] * row["taxPercent"] / 100) for row in rows), Decimal(0))
        over = sum((row["taxSum"] for row in rows), Decimal(0)) - worked if len(rows) > 1 else Decimal(0)
        for account, net in super().coding(rows):
            yield account, net + over
            over = Decimal(0)

    def live_documents(self) -> Iterator[Posted]:
        """List invoices by the journals that they made: a credit note may be booked twice on one number."""
        made: dict[str, dict[int, list[tuple[str, Decimal]]]] = {}
        for one in self.world.rows("GenJournalDetail"):
            made.setdefault(one["SubModTransDesc"], {}).setdefault(one["Journal"], [])
            if one["GlCode"] not in {"1540", "2010"}:
                made[one["SubModTransDesc"]][one["Journal"]].append((one["GlCode"], one["EntryValue"]))
        for row in self.world.rows("ApInvoice"):
            rate = RATE if self.currency_of({"supplierCode": row["Supplier"]}) == ABROAD else 1
            for journal, booked in made[f"{row['Supplier']} {row['Invoice']}"].items():
                entries = [(code, value / rate) for code, value in booked]
                yield Posted(
                    row, str(journal), abs(row["OrigInvValue"]), row["Supplier"], summed(entries), None,
                    f"{row['Supplier']}~{row['Invoice']}", row["Invoice"], str(row["InvoiceDate"])[:10],
                    row["OrigInvValue"] < 0,
                )  # fmt: skip

    def cancel(self, posted: Posted) -> bool:
        """Nothing documents how what was taken back shows, so it counts as what stands."""
        return False

    def masters(self) -> dict[str, dict[str, str]]:
        ledger = {row["GlCode"]: row["Description"] for row in self.world.rows("GenMaster")}
        ledger = {code: name for code, name in ledger.items() if code not in PSEUDO}
        return {
            "suppliers": {row["Supplier"]: row["SupplierName"] for row in self.world.rows("ApSupplier")},
            "accounts": ledger,
            "cost_centers": {code.partition("-")[2]: code.partition("-")[2] for code in ledger if "-" in code},
        }

    def shared(self) -> dict[tuple[str, str], str]:
        return {
            (row["Supplier"], name): str(row[column] or "").strip()
            for row in self.world.rows("ApSupplier")
            for name, column in COLUMNS.items()
        }

    def orders(self) -> list[OrderState]:
        found = []
        for row in self.world.rows("PorMasterHdr"):
            lines = back_office.lines_of(self.world, row["PurchaseOrder"])
            received = {str(line["Line"]): line["MReceivedQty"] for line in lines}
            found.append(OrderState(row["PurchaseOrder"], row["PurchaseOrder"], row["OrderStatus"] == "9", received))
        return found

    def strangers(self) -> list[str]:
        numbers = [row["Invoice"] for row in self.world.rows("ApInvoice")]
        return [number for number in numbers if not number.casefold().startswith(self.name)]

    # ── its people ──────────────────────────────────────────────────────────────────────────────────────────

    def enter_supplier(self, code: str) -> None:
        row = {"Supplier": code, "SupplierName": f"{self.name} supplier {code}", "Currency": self.world.local_currency}
        row |= {"TermsCode": "30", "DefTaxCode": "A", "GrnMatchReqd": "N", "OnHold": "N"}
        self.world.put("ApSupplier", row | {"Branch": min(self.world.branches)})

    def enter_order(self, supplier: str, rng: Random) -> None:
        lines = [
            {"MStockCode": f"A1-{n}", "MOrderQty": Decimal(rng.randrange(1, 50)), "MTaxCode": "A",
             "MPrice": Decimal(rng.randrange(100, 9_000)) / 100, "MGlCode": f"{400000 + n}-CC{100 + n}"}
            for n in range(2)
        ]  # fmt: skip
        back_office.order(self.world, supplier, lines)

    def order_rows(self, office: Office) -> list[OrderRow]:
        used = office.orders_used
        lines = [o for o in syspro.order_lines(self.world) if o.open and o.order_number not in used]
        if not lines:
            return []
        key = office.dice.choice(sorted({line.order_number for line in lines}))
        used.add(key)
        return [
            OrderRow(
                o.order_number,
                o.line_number,
                o.extended,
                LETTERS[o.tax_code],
                f"{o.account}-{o.cost_center}",
                o.cost_center,
                o.supplier,
            )
            for o in lines
            if o.order_number == key
        ]

    def by_hand(self, office: Office, paper: Paper, dated: str = "", spelt: str = "") -> str:
        record = office.ap.documents[paper.key].record
        rows = record["codingRows"]
        if record["grossSum"] < 0 or len({row["taxCode"] for row in rows}) > 1 or rows[0]["taxCode"] not in LETTERS:
            return ""
        supplier, number = office.partner(paper.supplier), (spelt or paper.number).upper()
        lines = [(self.coded(row["accountCode"], row.get("costCenterCode") or ""), row["netTotal"]) for row in rows]
        day = dated or (record.get("invoiceDate") or self.world.clock().isoformat())[:10]
        tax = sum((row["taxSum"] for row in rows), Decimal(0))
        try:
            back_office.enter_invoice(
                self.world, supplier, number, lines, tax=tax, tax_code=rows[0]["taxCode"], dated=day
            )
        except Refusal:
            return ""
        return f"{supplier}~{number}"


def _world(office: Office) -> syspro.World:
    assert isinstance(office.erp, Syspro)
    return office.erp.world


def rename_supplier(history: History, office: Office) -> None:
    """A supplier changes: no date of it moves."""
    office.edits += 1
    history.machine.fault(EDITED)
    code = office.dice.choice(office.erp.suppliers())
    back_office.change(
        _world(office), "ApSupplier", {"Supplier": code, "SupplierName": f"{office.name} renamed {office.edits}"}
    )


def rename_account(history: History, office: Office) -> None:
    """A ledger code gets another text."""
    office.edits += 1
    office.dice.choice(_world(office).rows("GenMaster"))["Description"] = f"{office.name} text {office.edits} renamed"


def new_order(history: History, office: Office) -> None:
    assert isinstance(office.erp, Syspro)
    office.erp.enter_order(office.dice.choice(office.erp.suppliers()), office.dice)


def receive_goods(history: History, office: Office) -> None:
    world = _world(office)
    lines = [o for o in syspro.order_lines(world) if o.open]
    if lines:
        one = office.dice.choice(lines)
        row = back_office.lines_of(world, one.order_number)[int(one.line_number) - 1]
        left = row["MOrderQty"] - row["MReceivedQty"]
        if left > 0:
            back_office.receive(world, one.order_number, {int(one.line_number): max(Decimal(1), left // 2)})


def _another(office: Office, code: str) -> tuple[str, str]:
    """Draw which field of a supplier people change, and to what."""
    office.edits += 1
    if office.dice.random() < 0.5:
        return "term", office.dice.choice(TERMS)
    return "vat", f"{code}-{office.edits}"


def change_terms(history: History, office: Office) -> None:
    """Somebody changes a supplier's terms or tax number in SYSPRO."""
    code = office.dice.choice(office.erp.suppliers())
    name, value = _another(office, code)
    back_office.change(_world(office), "ApSupplier", {"Supplier": code, COLUMNS[name]: value})
    office.shared[code, name] = ("erp", value)
    history.machine.fault(EDITED)


def enrich(history: History, office: Office) -> None:
    """Somebody changes them in Basware."""
    vendors = office.ap.entities.get("vendors", {})
    if not vendors:
        return
    key = office.dice.choice(sorted(vendors))
    record = dict(vendors[key].record)
    name, value = _another(office, record["vendorCode"])
    if value == (record.get("paymentTerms") or {}).get("paymentTermCode"):
        return  # it says so already: nobody can see that somebody agreed with it once more
    ids = [{"id": value, "schemeId": "VAT"}]
    record |= {"paymentTerms": {"paymentTermCode": value}} if name == "term" else {"identifiers": ids}
    vendors[key] = Row(record, office.ap.now(), "p2p")
    office.shared[record["vendorCode"], name] = ("platform", value)


def take_session(history: History, office: Office) -> None:
    """A person logs on as the connector's operator, which ends its session, and works for a while."""
    back_office.log_on(_world(office), OPERATOR)
    history.machine.fault("world: session taken by a person")


def unlicensed(history: History, office: Office) -> None:
    """The licence of AP invoices runs out, until somebody renews it."""
    world = _world(office)
    world.unlicensed.add("APSTIN")
    history.machine.fault("world: not licensed")
    seconds = office.dice.uniform(0.5, 8) * 3600
    history.meanwhile(seconds, "licensed again", lambda: world.unlicensed.discard("APSTIN"))


Syspro.acts = (
    rename_supplier, rename_supplier, rename_account, new_order, receive_goods, receive_goods, take_session, unlicensed,
    change_terms, enrich, enrich,
)  # fmt: skip
