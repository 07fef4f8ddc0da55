"""Sage X3 in the simulation: a small folder, the people who work in it, and its dialects on the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from infra.sandbox import sage_x3
from infra.sandbox.basware.seed_invoices import OrderRow
from infra.sandbox.fixtures_sage_x3 import TAX
from infra.sandbox.sage_x3 import back_office
from infra.sandbox.sage_x3.entries import PLAIN, YES
from infra.sandbox.sage_x3.errors import Absent, Refusal, Wrong
from infra.sandbox.sage_x3.seed import POOL, USER
from infra.sandbox.sage_x3.seed_masters import add_account, add_center, add_finance
from ml_connector.systems.kit.xml import below, parsed, text_of
from tests.simulation.clerks_sage_x3 import ACTS
from tests.simulation.logins_sage_x3 import drawn
from tests.simulation.sides import Erp, OrderState, Posted, summed

if TYPE_CHECKING:
    from tests.simulation.worlds import Office, Paper

SUPPLIERS, ACCOUNTS, CENTERS, ORDERS = 6, 4, 3, 3
PAYABLE, TAXES = "401100", "445660"
CODES = {letter: code for code, letter in TAX.items()}
DONE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><runResponse><runReturn><messages/>'
    "<resultXml/><status>1</status></runReturn></runResponse></e:Body></e:Envelope>"
)


class SageX3(Erp):
    """Read by api1 or GraphQL, written by either or by imports, as the seed draws."""

    system, integration = "sage_x3", "sage_x3-basware"
    login = ""  # there are no sessions: each request carries the password, and is a login
    proofs, posts = 1, ("/GACCENTRY", "/CAdxWebServiceXmlCC", "/api")
    user = USER
    tax_codes = ("V0", "V1", "V2")
    currency, refusals = "EUR", (Wrong, Refusal, Absent)
    lists = ("BPSUPPLIER", "GACCOUNT")
    suppliers_flow, centers_flow = "suppliers", "dimensions"
    acts = ACTS

    def __init__(self, name: str, number: int, dice: Random, clock: Any, sleep: Any) -> None:
        super().__init__(name, number, dice, clock, sleep)
        self.world = world = sage_x3.World(clock=clock, rng=dice, sleep=sleep)
        self.app = sage_x3.create_app(world)
        self.closed_periods = world.closed_periods
        sage_x3.add_users(world)
        self.api = dice.choice(("api1", "api1", "graphql"))
        self.write_via = dice.choice(("api1", "soap", "soap", "graphql"))
        graphql_only = self.api == "graphql" and self.write_via != "api1"
        self.way = drawn(dice, world, name, graphql_only=graphql_only)
        self.requisitions = dice.random() < 0.5
        self.own = f"hidden-password-{name}-0"  # what imports log in with, where the rest logs in otherwise
        self.entry_type = "PITMP" if self.api == "graphql" else dice.choice(("PIINV", "PITMP"))
        world.operations.add("x3Finance.journalEntry")
        world.page_limit, world.first = 5, 5
        world.next_link, world.next_count = dice.choice(("absolute", "relative")), dice.random() < 0.5
        world.refusal_status, world.absent_status = dice.choice((200, 201, 400)), dice.choice((200, 404))
        world.import_status = dice.choice(
            (0, 1)
        )  # of a refusal that no log tells a person must decide: always told here
        world.multi_ref, world.closed_period = dice.random() < 0.3, "refuse"
        world.strict_source_document = False
        if self.write_via == "soap" and dice.random() < 0.2:
            world.not_entered.add("REFINT")
        self.unnamed = ((200, DONE),) if self.write_via == "soap" else ((201, ""), (200, ""), (204, ""))
        if self.write_via == "graphql":
            self.unnamed = ((200, "{}"), (200, ""))
        add_finance(world)
        for n in range(ACCOUNTS):
            add_account(world, f"{600000 + n}", f"{name} account {n}")
        for code, control in ((PAYABLE, "401"), (TAXES, ""), ("658000", "")):
            add_account(world, code, f"{name} {code}", control=control)
        world.put("GDIE", {"DIE": "CCT", "DES": "Cost center", "DESSHO": "CCT"})
        for n in range(CENTERS):
            add_center(world, "CCT", f"CC{100 + n}", f"{name} center {n}")
        for n in range(SUPPLIERS):
            self.enter_supplier(f"V{number}{n:03d}")
        for n in range(ORDERS):
            self.enter_order(f"V{number}{n:03d}", dice)

    # ── settings and credentials ────────────────────────────────────────────────────────────────────────────

    def settings(self, dice: Random) -> dict[str, Any]:
        host = f"https://x3.{self.name}.test"  # of the server itself
        journal = {"entry_type": self.entry_type, "journal": "ACH", "site": self.world.site, "payable_account": PAYABLE}
        plain: dict[str, Any] = {
            "url": self.way.url, "folder": self.world.folder, "company": self.world.company, "timezone": "UTC",
            "cost_center_dimension": "CCT", "api": self.api, "write_via": self.write_via,
            "journal": {**journal, "tax_account": TAXES}, "auth": self.way.settings(),
        }  # fmt: skip
        if dice.random() < 0.4:
            plain["journal"] = {**plain["journal"], "rounding_account": "658000"}
        if self.write_via == "api1":
            plain["classes"] = {"journal": {"representation": "ZGACCENTRY"}}
        if self.write_via == "soap":
            plain["soap"] = {"url": host, "pool_alias": POOL, "templates": {"journal": "GACCENTRY"}}
            if self.way.kind != "basic":
                plain["soap"]["auth"] = {"user": USER, "password": self.own}
        return plain

    @property
    def password(self) -> str:  # type: ignore[override]
        """What of the credentials is secret."""
        return self.way.password

    @property
    def pairs(self) -> bool:  # type: ignore[override]
        return self.way.pairs

    def with_password(self, plain: dict[str, Any], password: str) -> dict[str, Any]:
        return {**plain, "auth": self.way.with_password(plain["auth"], password)}

    def moved(self, plain: dict[str, Any], dice: Random) -> dict[str, Any]:
        there = {**plain, "url": plain["url"].replace("//x3.", "//erp.").replace("//api.", "//api.eu.")}
        if "soap" in plain:
            there["soap"] = {**plain["soap"], "url": plain["soap"]["url"].replace("//x3.", "//erp.")}
        return there

    def set_password(self, password: str) -> None:
        self.way.set_password(password)

    def expire(self) -> None:
        """Nothing: there are no sessions."""

    # ── the wire ────────────────────────────────────────────────────────────────────────────────────────────

    def _given(self, request: httpx.Request) -> str:
        """Give the document that a request writes; empty where it writes none."""
        content, path = request.read(), request.url.path
        if request.method != "POST" or path.endswith("/token"):
            return ""
        if path.endswith("/GACCENTRY"):
            return content.decode()
        if path.endswith("/api"):
            return content.decode() if b"mutation ($data" in content else ""
        given = next((text_of(one) for _, one in below(parsed(content.decode()), "inputXml")), "")
        return given if "|END" in given else ""

    def is_post(self, request: httpx.Request) -> bool:
        return bool(self._given(request))

    def changes(self, request: httpx.Request) -> bool:
        return self.is_post(request)

    def content(self, request: httpx.Request) -> str:
        return self._given(request)

    def number_in(self, request: httpx.Request) -> str | None:
        given = self._given(request)
        if not given:
            return None
        if request.url.path.endswith("CAdxWebServiceXmlCC"):
            return str(json.loads(given)["GRP1"]["I_FILE"]).partition("|")[0].split(";")[14]
        body = json.loads(given)
        return str(body["BPRVCR"] if "BPRVCR" in body else body["variables"]["data"]["sourceDocument"])

    def tells(self, exchange: dict[str, Any], number: str) -> bool:
        body = exchange["request_body"]
        return (
            exchange["method"] == "POST" and (f'"{number}"' in body or f";{number};" in body) and "query(" not in body
        )

    def credentials(self, request: httpx.Request) -> bytes:
        return self.way.shown(request).encode()

    def proves(self, request: httpx.Request) -> bool:
        return (
            b"%24query&count=1" in request.url.query
            or b"__typename" in request.read()
            or request.url.path.endswith("/token")
        )

    def nothing(self, page: bytes) -> str:
        body = json.loads(page)
        if "$resources" not in body:
            return page.decode()
        return json.dumps({**body, "$resources": [], "$links": {}})

    def leads_on(self, page: bytes) -> bool:
        return b'"$next"' in page

    def envelope(self) -> str:
        return '{"$diagnoses":[{"$severity":"error","$message":"An unexpected error has occurred"}]}'

    def spoilt(self, kind: str, request: httpx.Request, response: httpx.Response, before: bytes) -> bytes | None:
        if b'"$next"' not in response.content:
            return None
        body = response.json()
        if kind == "empty page":
            body["$resources"] = []
        elif kind == "page loop":
            body["$links"]["$next"] = {"$url": str(request.url)}
        elif kind == "repeated page" and b'"$resources"' in before:
            body["$resources"] = json.loads(before)["$resources"]
        else:
            return None
        return json.dumps(body).encode()

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────

    def suppliers(self) -> list[str]:
        return sorted(row["BPSNUM"] for row in self.world.rows("BPSUPPLIER"))

    def accounts(self) -> list[str]:
        return [f"{600000 + n}" for n in range(ACCOUNTS)]

    def centers(self) -> list[str]:
        return [f"CC{100 + n}" for n in range(CENTERS)]

    def worded(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give an invoice the tax codes that X3 has."""
        for part in (record, *record["codingRows"]):
            if part.get("taxCode") in TAX:
                part["taxCode"] = TAX[part["taxCode"]]
        return record

    def live_documents(self) -> Iterator[Posted]:
        for row in self.world.rows("GACCENTRY"):
            if row["RVS"] != PLAIN or not row["BPRVCR"]:
                continue
            lines = [line for line in self.world.lines("GACCENTRYD", "GACCENTRY", row) if line["LEDTYP"] == 1]
            theirs = [line for line in lines if line["BPR"]]
            total = -sum((line["SNS"] * line["AMTCUR"] for line in theirs), Decimal(0))
            coded = [
                (self.coded(line["ACC"], self._center(line)), line["AMTCUR"])
                for line in lines
                if not line["BPR"] and line["ACC"] not in {TAXES, "658000"}
            ]
            yield Posted(
                row, row["NUM"], abs(total), theirs[0]["BPR"], summed(coded), None, f"{row['TYP']}~{row['NUM']}",
                row["BPRVCR"], str(row["BPRDATVCR"])[:10], total < 0,
            )  # fmt: skip

    def _center(self, line: dict[str, Any]) -> str:
        shares = self.world.lines("GACCENTRYA", "GACCENTRYD", line)
        return next((code for one in shares for code in one["CCE"]), "")

    def cancel(self, posted: Posted) -> bool:
        row = posted.id
        try:
            if self.world.entry_types[row["TYP"]] == 1:
                back_office.delete_entry(self.world, row["TYP"], row["NUM"])
            elif self.api == "graphql":
                return False  # no node shows what was reversed
            else:
                back_office.reverse(self.world, row["TYP"], row["NUM"])
        except Wrong:
            return False
        return True

    def masters(self) -> dict[str, dict[str, str]]:
        return {
            "suppliers": {row["BPSNUM"]: row["BPSNAM"] for row in self.world.rows("BPSUPPLIER")},
            "accounts": {row["ACC"]: row["DES"] for row in self.world.rows("GACCOUNT")},
            "dimensions": {row["CCE"]: row["DES"] for row in self.world.rows("CACCE")},
        }

    def orders(self) -> list[OrderState]:
        found: dict[str, OrderState] = {}
        for row in self.world.rows("PORDER"):
            lines = self.world.lines("PORDERQ", "PORDER", row)
            received = {str(line["POPLIN"]): line["RCPQTYPUU"] for line in lines}
            found[row["POHNUM"]] = OrderState(row["POHNUM"], row["POHNUM"], row["CLEFLG"] == YES, received)
        return list(found.values())

    def strangers(self) -> list[str]:
        numbers = [row["BPRVCR"] for row in self.world.rows("GACCENTRY") if row["BPRVCR"]]
        return [number for number in numbers if not number.casefold().startswith(self.name)]

    # ── its people ──────────────────────────────────────────────────────────────────────────────────────────

    def enter_supplier(self, code: str) -> None:
        row = {"BPSNUM": code, "BPSNAM": f"{self.name} supplier {code}", "CUR": "EUR", "PTE": "FRCH30", "ENAFLG": YES}
        partner = {"BPRNUM": code, "BPRNAM": row["BPSNAM"], "CUR": "EUR", "BPSFLG": YES, "ENAFLG": YES}
        back_office.change(self.world, "BPARTNER", partner)
        back_office.change(self.world, "BPSUPPLIER", row)

    def enter_order(self, supplier: str, rng: Random) -> None:
        lines = [
            {
                "ITMREF": f"A1-{n}",
                "QTYUOM": Decimal(rng.randrange(1, 50)),
                "NETPRI": Decimal(rng.randrange(100, 9_000)) / 100,
                "VAT": "FRNOR",
            }
            for n in range(2)
        ]
        back_office.order(self.world, supplier, lines, center=f"CC{100 + rng.randrange(CENTERS)}")

    def order_rows(self, office: Office) -> list[OrderRow]:
        used = office.orders_used
        lines = [o for o in sage_x3.order_lines(self.world) if o.open and o.order_number not in used]
        if not lines:
            return []
        key = office.dice.choice(sorted({line.order_number for line in lines}))
        used.add(key)
        return [
            OrderRow(
                o.order_number,
                str(o.line_number),
                o.amount,
                CODES[o.tax_code],
                f"{600000 + place % ACCOUNTS}",
                o.cost_center,
                o.supplier,
            )
            for place, o in enumerate(lines)
            if o.order_number == key
        ]

    def by_hand(self, office: Office, paper: Paper, dated: str = "", spelt: str = "") -> str:
        record = office.ap.documents[paper.key].record
        sign = -1 if record["grossSum"] < 0 else 1
        day = (dated or (record.get("invoiceDate") or self.world.clock().isoformat()))[:10]
        lines = [
            {
                "ACC": row["accountCode"],
                "SNS": sign,
                "AMTCUR": abs(row["netTotal"]),
                "CCE": row.get("costCenterCode") or "",
            }
            for row in record["codingRows"]
        ]
        tax = sum((row["taxSum"] for row in record["codingRows"]), Decimal(0))
        if tax:
            lines.append({"ACC": TAXES, "SNS": 1 if tax > 0 else -1, "AMTCUR": abs(tax)})
        total = sum((line["SNS"] * line["AMTCUR"] for line in lines), Decimal(0))
        lines.append(
            {"ACC": PAYABLE, "SNS": -1 if total > 0 else 1, "AMTCUR": abs(total), "BPR": office.partner(paper.supplier)}
        )
        try:
            entry = back_office.enter(
                self.world, self.entry_type, lines, BPRVCR=spelt or paper.number, BPRDATVCR=date.fromisoformat(day)
            )
        except (Wrong, Absent, ValueError):  # also of a date that is none
            return ""
        return f"{entry['TYP']}~{entry['NUM']}"
