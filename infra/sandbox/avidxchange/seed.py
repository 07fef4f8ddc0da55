"""A seeded customer: two companies, codes, vendors, and the invoices and payments of other people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from random import Random

from ..kit.seeding import seed_once
from . import back_office, masters, paying
from .model import GL_GROUP, Company, Invoice
from .world import World

CLIENT, SECRET = "sandbox-client", "sandbox-secret"
HEADER_TOKENS = {"X-Company-Token": "sandbox-company", "X-User-Token": "sandbox-user"}
USER, PASSWORD, GATEWAY_KEY = "mlconn", "sandbox-only", "sandbox-gateway"
COMPANIES = (Company("101", "Sandbox Manufacturing"), Company("102", "Sandbox Distribution "))
VENDORS, ACCOUNTS, INVOICES = 40, 60, 36
DEPARTMENTS = ("NY_B", "NY_A", "TX")
ODD_VENDORS = ("0000001200", "O'BRIEN & CO", "V30000 ")
"""Vendor codes that are padded, must be escaped, or end in a space: each of them counts as it stands."""


def add_users(world: World, client: str = CLIENT, secret: str = SECRET, password: str = PASSWORD) -> None:
    """Let a client log in in each of the three ways; small worlds use it too."""
    logins = world.logins
    logins.clients[client] = secret
    logins.header_tokens |= HEADER_TOKENS
    logins.users[USER] = password
    logins.gateway_keys.add(GATEWAY_KEY)


def add_companies(world: World) -> None:
    """Enter both companies."""
    world.companies += COMPANIES


def add_vendor(world: World, code: str, name: str = "") -> None:
    """Enter a vendor."""
    masters.put(world, "vendors", {"externalVendorCode": code, "name": name or f"Vendor {code}", "active": True})


def add_code(world: World, value: str, group: str = GL_GROUP, text: str = "") -> None:
    """Enter an accounting code."""
    row = {"group": group, "value": value, "description": text or f"{group} {value}", "active": True}
    masters.put(world, "accounting-codes", row)


def small_world(clock: Callable[[], datetime] | None = None, rng: Random | None = None) -> World:
    """A customer with the two companies and every login, and nothing else: an ERP brings the rest."""
    world = World() if clock is None else World(clock)
    if rng is not None:
        world.rng = world.logins.rng = rng
    add_users(world)
    add_companies(world)
    return world


def seeded_world(seed: int = 1, clock: Callable[[], datetime] | None = None) -> World:
    """A customer with records; the same seed and the same day give the same ones. All of it is of earlier days."""
    world = small_world(clock, Random(seed))

    def build() -> None:
        present, today = world.clock, world.today()

        def ago(days: int) -> None:
            at = datetime.combine(today - timedelta(days=days), time(12), UTC)
            world.clock = lambda: at

        ago(90)
        _add_masters(world)
        _add_documents(world, Random(f"AvidXchange/{seed}"), ago)
        world.clock = present

    seed_once(world, ("AvidXchange", seed, world.today()), build)
    world.logins.rng = world.rng
    return world


def _add_masters(world: World) -> None:
    for number in range(ACCOUNTS):
        add_code(world, str(6000 + number), text=f"Expense {number + 1}")
    for department in DEPARTMENTS:
        add_code(world, department, "Department")
    for number in range(VENDORS):
        add_vendor(world, f"V{20000 + number}", f"Vendor {number + 1} Inc.")
    for code in ODD_VENDORS:
        add_vendor(world, code)


def _add_documents(world: World, rng: Random, ago: Callable[[int], None]) -> None:
    """Let people capture invoices, and approve, reject and pay some of them."""
    made = []
    for number in range(INVOICES):
        ago(60 - number)
        vendor = f"V{20000 + number % 12}"
        lines = [(str(6000 + rng.randrange(ACCOUNTS)), Decimal(rng.randrange(100, 500_000)) / 100) for _ in range(1, 4)]
        company = COMPANIES[number % 2].id
        made.append(back_office.capture(world, vendor, f"CAP-{1000 + number}", lines, company=company))
    for number, invoice in enumerate(made):
        ago(24 - number // 3)
        if number % 6 == 5:
            back_office.reject(world, invoice.id)
        elif number % 6 != 4:
            back_office.approve(world, invoice.id)
        if number % 8 == 7:
            back_office.close_all(world)
    back_office.close_all(world)
    ago(10)
    _add_payments(world, [one for one in made if one.state == "approved"], ago)
    paying.pay_other(world, "V20020", [("OTHER-1", Decimal("75.00"))], state="Cleared")


def _add_payments(world: World, invoices: list[Invoice], ago: Callable[[int], None]) -> None:
    """Pay some of them, in every way in which a payment may end or not end."""
    ends = (paying.clear, paying.issue, paying.void, paying.give_back, paying.fail, paying.advance)
    for number, invoice in enumerate(invoices[:12]):
        method = ("Check", "Direct", "Virtual Credit Card")[number % 3]
        discount = {0: Decimal("1.00")} if number % 4 == 3 else None
        ago(10)
        payment = paying.pay(world, [invoice.id], method=method, discounts=discount)
        ago(3)
        ends[number % len(ends)](world, payment.id)
