"""What the simulation must know of a vendor: how it is called, how its pages are spoilt, what stands in its books.

`Side` is any of the two systems of a tenant, `Erp` the one with the books. One file for each ERP
(`erp_sap_b1.py`); whatever else an integration needs is the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
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

    def live(self) -> set[str]:
        """Give the tokens or sessions there are now."""
        return set()

    def leads_on(self, page: bytes) -> bool:
        """Tell whether there is another page behind one."""
        return b"nextLink" in page

    def number_in(self, request: httpx.Request) -> str | None:
        """Tell which document a post carries."""
        return None

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
    upserts = ("/vendors", "/accounts", "/costCenters", "/matchingOrders", "/matchingOrderLines")

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

    `lines`: net amounts by account and cost centre in one.
    """

    id: Any
    number: str
    total: Decimal
    supplier: str
    lines: dict[str, Decimal]
    paid: Decimal | None = None


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

    def __init__(self, name: str, number: int, dice: Random, clock: Any, sleep: Any) -> None:
        self.name = name
        self.strayed: list[str] = []

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

    def enter_supplier(self, code: str) -> None:
        raise NotImplementedError

    def order_rows(self, office: Office) -> list[OrderRow]:
        """Give the lines of one open order that nobody has invoiced, as an invoice draws on them; [] for none."""
        return []

    def posted(self, paper: Paper) -> list[Posted]:
        """List the live documents with a paper's number."""
        raise NotImplementedError

    def masters(self) -> dict[str, dict[str, str]]:
        """Give, by flow, code -> name as the platform must have it."""
        raise NotImplementedError

    def orders(self) -> list[OrderState]:
        return []

    def strangers(self) -> list[str]:
        """List document references that do not carry this tenant's name."""
        return []

    def by_hand(self, office: Office, paper: Paper) -> bool:
        """Book an invoice as a clerk does, without our key; False where the ERP does not let him."""
        return False

    def reopen(self, month: str) -> None:
        """Open a period again, and post what its closing kept from being posted."""
        self.closed_periods.discard(month)
