"""What the simulation must know of a vendor: how it is called, how its pages are spoilt, what stands in its books.

`Side` is any of the two systems of a tenant, `Erp` the one with the books. One file for each ERP
(`erp_sap_b1.py`, its people in `clerks_sap_b1.py`); whatever else an integration needs is the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from infra.sandbox.basware import World as BaswareWorld
from infra.sandbox.basware import create_app
from infra.sandbox.basware.seed_invoices import OrderRow
from ml_connector.integrations import INTEGRATIONS

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.worlds import Office, Paper

Act = Callable[["History", "Office"], None]


EDITED = "world: a supplier edited in the ERP"
"""By a person; while a write of ours there is in doubt it looks as if that had done more than it should."""


class Side:
    """One system of one tenant, on the wire."""

    system: str
    login: str
    """How the path of a login ends."""
    proofs = 0
    """How many more requests of a process prove a refusal, where there are no sessions."""
    posts: tuple[str, ...]
    """How the paths of calls end that must not take effect twice."""
    upserts: tuple[str, ...] = ()
    """How the paths of calls end that may take effect again, but not late."""
    app: Any
    unnamed: tuple[tuple[int, str], ...] = ()
    """Successes that name no document: status and body."""

    def nothing(self, page: bytes) -> str:
        """Write a page of a list as it is where nothing can be seen."""
        body = {name: value for name, value in json.loads(page).items() if not name.endswith("nextLink")}
        return json.dumps(body | {"value": []} | {n: 0 for n in body if n.endswith("count")})

    def live(self) -> set[str]:
        """Give the tokens or sessions there are now."""
        return set()

    def leads_on(self, page: bytes) -> bool:
        """Tell whether there is another page behind one."""
        return b"nextLink" in page

    def is_post(self, request: httpx.Request) -> bool:
        """Tell whether a request posts a document."""
        return request.method == "POST" and request.url.path.endswith(self.posts)

    def changes(self, request: httpx.Request) -> bool:
        """Tell whether a request changes anything there."""
        return request.method != "GET"

    def content(self, request: httpx.Request) -> str:
        """Give what a request brings."""
        return request.read().decode("utf-8", "replace")

    def number_in(self, request: httpx.Request) -> str | None:
        """Tell which document a post carries."""
        return None

    def tells(self, exchange: dict[str, Any], number: str) -> bool:
        """Tell whether a recorded exchange is the post of a document."""
        return exchange["method"] == "POST" and f'"{number}"' in exchange["request_body"]

    def refuses(self, response: httpx.Response) -> bool:
        """Tell whether a login was refused."""
        return response.status_code == 401

    def again(self, request: httpx.Request) -> httpx.Request:
        """Make what a server carries out later of a request that it had accepted."""
        return httpx.Request(request.method, request.url, headers=request.headers, content=request.read())

    def credentials(self, request: httpx.Request) -> bytes:
        """Give what a login shows: the same bytes for the same secret."""
        raise NotImplementedError

    def proves(self, request: httpx.Request) -> bool:
        """Tell whether this request looks into a refusal: where its answer is spoilt, that stays open."""
        return False

    def asked(self, request: httpx.Request) -> None:
        """Look at a request before it is answered."""

    def small_pages(self, request: httpx.Request) -> None:
        """Ask for small pages, so that a small world has several."""

    def envelope(self) -> str:
        """Write an error as it comes with a 200."""
        raise NotImplementedError

    def spoilt(self, kind: str, request: httpx.Request, response: httpx.Response, before: bytes) -> bytes | None:
        """Spoil a page of a list that has a next one; None where this is none. `before`: the page before it."""
        return None

    def expire(self) -> None:
        """End all sessions."""
        raise NotImplementedError


class BaswareSide(Side):
    """The platform."""

    system = "basware"
    login = "/v1/tokens"
    posts = ("/transferResponses", "/paymentResponses")
    upserts = ("/vendors", "/accounts", "/costCenters", "/matchingOrders", "/matchingOrderLines",
        "/purchaseRequisitions")  # fmt: skip

    def __init__(self, world: BaswareWorld) -> None:
        self.world, self.app = world, create_app(world)

    def credentials(self, request: httpx.Request) -> bytes:
        return request.headers.get("authorization", "").encode()

    def small_pages(self, request: httpx.Request) -> None:
        if request.method == "GET" and "pageSize=100" in request.url.query.decode():
            request.url = request.url.copy_set_param("pageSize", "3")

    def envelope(self) -> str:
        entry = {"externalCode": None, "type": "TECHNICAL", "code": "UNEXPECTED_ERROR", "message": "x", "info": None}
        return json.dumps({"requestId": "x", "hasErrors": True, "errors": [entry]})

    def spoilt(self, kind: str, request: httpx.Request, response: httpx.Response, before: bytes) -> bytes | None:
        if response.status_code != 200 or "x-amz-meta-continuationtoken" not in response.headers:
            return None
        if kind == "repeated page":
            return before or None
        if kind == "empty page":
            return json.dumps({name: [] for name in response.json()}).encode()
        return None

    def live(self) -> set[str]:
        return set(self.world.tokens)

    def leads_on(self, page: bytes) -> bool:
        return False  # its people are busy enough

    def expire(self) -> None:
        self.world.tokens.clear()


@dataclass
class Posted:
    """A live document in the books, in document currency; `total` and the amounts of `lines` without sign.

    `lines`: net amounts by account and cost center in one. `key` names the document, `reference` is the supplier's
    number, `dated` the supplier's date; `credit`: it is a credit note.
    """

    id: Any
    number: str
    total: Decimal
    supplier: str
    lines: dict[str, Decimal]
    paid: Decimal | None = None
    key: str = ""
    reference: str = ""
    dated: str = ""
    credit: bool = False


def summed(lines: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Add up amounts by account: an ERP may split a line among receipts."""
    sums: dict[str, Decimal] = {}
    for account, amount in lines:
        sums[account] = sums.get(account, Decimal(0)) + abs(amount)
    return sums


@dataclass
class OrderState:
    """An order as its ERP has it: what has been received by line number."""

    id: str
    number: str
    closed: bool
    received: dict[str, Decimal] = field(default_factory=dict)


class Erp(Side):
    """The ERP of a tenant: its books, its people, its credentials."""

    acts: tuple[Act, ...] = ()
    """What its people do meanwhile."""
    refusals: tuple[type[Exception], ...] = ()
    """How the ERP says no to its own people."""
    healed_daily: frozenset[Act] = frozenset()
    """Of these, what only the daily comparison makes good again."""
    integration: str
    name: str
    tax_codes: tuple[str, ...]
    one_tax = False
    """Whether a document has one tax code for all its rows."""
    currency = ""
    """The only currency of its suppliers, where they have one."""
    pays = False
    """Whether payments are told to the platform."""
    takes_back = True
    """Whether a document that was taken back shows as such: else one of a wrong kind or supplier stands for ever."""
    approves = False
    """Whether documents may wait as drafts for somebody's approval."""
    one_number = False
    """Whether it lets no second document in of a supplier and number, whoever enters it."""
    suppliers_flow = "vendors"
    """The flow of its suppliers."""
    centers_flow = "cost_centers"
    """The flow of its cost centers."""
    lists: tuple[str, ...] = ()
    """How the paths of its lists of masters end."""

    def __init__(self, name: str, number: int, dice: Random, clock: Any, sleep: Any) -> None:
        self.name = name
        self.strayed: list[str] = []
        self.others: set[str] = set()
        """Documents that clerks keyed in for invoices which never came through the platform."""

    @property
    def table(self) -> Any:
        """The integration."""
        return next(i for i in INTEGRATIONS if i.name == self.integration)

    # ── settings and credentials ────────────────────────────────────────────────────────────────────────────

    def settings(self, dice: Random) -> dict[str, Any]:
        """Make the secret's fields but for the password."""
        raise NotImplementedError

    def with_password(self, plain: dict[str, Any], password: str) -> dict[str, Any]:
        """Put the password into the secret."""
        return {**plain, "password": password}

    def moved(self, plain: dict[str, Any], dice: Random) -> dict[str, Any]:
        """Give the settings after the server or its company got another name: the same books, another identity."""
        raise NotImplementedError

    user: str
    password: str
    requisitions = False
    """Whether its orders become requisitions in the platform, which are created once."""
    pairs = False
    """Whether somebody has to pair again where its chain of refresh tokens is over."""
    closed_periods: set[str]
    """Months into which nobody can post, e.g. "2026-03"."""

    def set_password(self, password: str) -> None:
        raise NotImplementedError

    def nearly_unlock(self) -> None:
        """Let an administrator lift a lock that other wrong logins than ours may have caused."""

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────

    def suppliers(self) -> list[str]:
        raise NotImplementedError

    def accounts(self) -> list[str]:
        """List account codes as the platform knows them."""
        raise NotImplementedError

    def account_key(self, code: str) -> str:
        """Give the ERP's own key of an account."""
        return code

    def centers(self) -> list[str]:
        raise NotImplementedError

    def coded(self, account: str, center: str) -> str:
        """Name the account and cost center of a coding row as `Posted.lines` does."""
        return f"{account}{center}"

    def mapped(self) -> list[tuple[str, str, str]]:
        """List what people mapped before anything moved: kind, the platform's code, the ERP's."""
        return []

    def worded(self, record: dict[str, Any]) -> dict[str, Any]:
        """Say an approved invoice in codes that the ERP has."""
        return record

    def currency_of(self, record: dict[str, Any]) -> str:
        """Name the currency of an invoice that the platform gives."""
        return self.currency or str(record["currencyCode"])

    def coding(self, rows: list[dict[str, Any]]) -> Iterator[tuple[str, Decimal]]:
        """Say what an invoice's coding rows come to in the books: net amounts by `coded`."""
        for row in rows:
            yield self.coded(row["accountCode"], row.get("costCenterCode") or ""), row["netTotal"]

    def enter_supplier(self, code: str) -> None:
        raise NotImplementedError

    def order_rows(self, office: Office) -> list[OrderRow]:
        """Give the lines of one open order that nobody has invoiced, as an invoice draws on them; [] for none."""
        return []

    def live_documents(self) -> Iterator[Posted]:
        """List what stands in the books and is not cancelled."""
        raise NotImplementedError

    def keyed_otherwise(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Give the settings after a person changed whether documents carry our own key."""
        return plain

    def need_approval(self, supplier: str) -> None:
        """Let a supplier's documents need somebody's approval from now on."""

    def need_none(self) -> None:
        """Let nobody's documents need approval any more."""

    def decide(self, draft: Any, way: str) -> bool:
        """Approve, reject or delete a draft; false where the ERP does not let him."""
        return False

    def drafts(self, paper: Paper) -> list[Any]:
        """List what waits for somebody's approval with a number of a paper's."""
        return []

    def cancel(self, posted: Posted) -> bool:
        """Take a document back as a clerk does; False where the ERP does not let him."""
        raise NotImplementedError

    def posted(self, paper: Paper) -> list[Posted]:
        """List the live documents that are a paper's: of a number it had, and keyed in for no other invoice."""
        return [
            one
            for one in self.live_documents()
            if one.reference.casefold() in {number.casefold() for number in paper.numbers}
            and one.key not in self.others
            and (not paper.shared or one.dated in paper.dates)
        ]

    def shared(self) -> dict[tuple[str, str], str]:
        """Give payment term and tax number of each supplier, where people change them on both sides."""
        return {}

    def masters(self) -> dict[str, dict[str, str]]:
        """Give, by flow, code -> name as the platform must have it."""
        raise NotImplementedError

    def orders(self) -> list[OrderState]:
        return []

    def strangers(self) -> list[str]:
        """List document references that do not carry this tenant's name."""
        return []

    def by_hand(self, office: Office, paper: Paper, dated: str = "", spelt: str = "") -> str:
        """Book an invoice as a clerk does, without our key; gives the document's key, "" where the ERP refuses it.

        `dated` is the date of another invoice of the same supplier, number and amount; `spelt` the number as he types.
        """
        return ""

    def reopen(self, month: str) -> None:
        """Open a period again, and post what its closing kept from being posted."""
        self.closed_periods.discard(month)
