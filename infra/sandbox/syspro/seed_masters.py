"""Master data of the seeded company: suppliers with addresses, ledger codes, terms, taxes, currencies."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from .ap_posting import PAYABLES, TAX_ACCOUNT
from .tables import Record
from .world import World

SUPPLIERS, ACCOUNTS, CENTERS = 300, 120, 20
SEPARATOR = "-"
"""Between the sections of a ledger code: the account, then the cost center."""
ODD_CODES = ("0000001200", " 00001", "O'BRIEN", "A/B 7")
"""Supplier codes that are padded, led by a space, or must be escaped with care."""
OTHER_COMPANY = "B"
"""Another company of the server, whose accounts lie in the same GenMaster."""
_ODD_NAMES = (
    "O'Brien & Søns <Ireland> Ltd",
    'Müller "Stahl" GmbH & Co. KG',
    "Société Générale d'Équipement; Lyon, Paris / Nice",
    "€uro Parts – 100% Übermaß",
    "Instituto de Máquinas, Ferramentas e Componentes Lt",
)
_FIRST = ("Pacific", "Northern", "Summit", "Harbour", "Prairie", "Island", "Cascade", "Maple", "Granite", "Coastal")
_SECOND = ("Metals", "Logistics", "Paper", "Chemicals", "Electric", "Tools", "Packaging", "Print", "Build", "Software")
_TERMS = {"30": (30, 0, 0), "14": (14, 0, 0), "60": (60, 0, 0), "2N": (30, 10, 2)}
_PLAIN = (
    (TAX_ACCOUNT, "Input tax", "A"),
    (PAYABLES, "Accounts payable", "L"),
    ("1300", "Inventory", "A"),
    ("1000", "Bank", "A"),
    ("3000", "Share capital", "C"),
    ("4000", "Sales", "R"),
    ("9000", "Headcount", "S"),
    ("1900", "Directors' loans", "A"),
    ("6950", "Projects", "E"),
)
PROTECTED, ANALYSED = "1900", "6950"
"""An account that only its password opens, and one that demands analysis."""


def add_masters(world: World, rng: Random, today: date) -> None:
    """Fill every table of master data."""
    add_finance(world)
    add_ledger(world)
    for number in range(SUPPLIERS):
        add_supplier(world, f"V{10000 + number}", number, rng, today)
    for number, code in enumerate(ODD_CODES, SUPPLIERS):
        add_supplier(world, code, number, rng, today)
        world.get("ApSupplier", code).update(OnHold="N", Currency=world.local_currency, GrnMatchReqd="N")  # type: ignore[union-attr]


def add_finance(world: World) -> None:
    """Set terms, taxes, currencies and branches; small worlds use it too."""
    world.terms |= {code: (due, days, Decimal(percent)) for code, (due, days, percent) in _TERMS.items()}
    world.tax_rates |= {"A": Decimal(19), "B": Decimal(7), "Z": Decimal(0)}
    world.rates |= {"USD": Decimal("0.9215"), "CAD": Decimal("0.6731")}
    world.branches |= {"10", "20"}


def add_ledger(world: World) -> None:
    """Put the accounts of both companies, and the codes that are none."""
    for number in range(ACCOUNTS):
        text = f"Expense {number + 1}" if number % 7 else f"Büro & Gerät {number + 1}"
        for center in range(CENTERS):
            add_account(world, f"{400000 + number}{SEPARATOR}CC{100 + center}", text)
    for code, text, kind in _PLAIN:
        add_account(world, code, text, kind)
    for code in ("FORCED", "RETAINED"):
        add_account(world, code, code.capitalize(), "")
    for code in ("400001-CC101", "700000-CC900"):
        add_account(world, code, "Of another company", company=OTHER_COMPANY)
    world.protected[PROTECTED] = "opensesame"
    world.analysed.add(ANALYSED)


def add_account(world: World, code: str, text: str, kind: str = "E", company: str = "") -> Record:
    """Put one ledger code of a company into GenMaster, wherever that lies."""
    row = {"Company": company or world.company, "GlCode": code, "Description": text, "AccountType": kind}
    return world.put("GenMaster", row | {"GlGroup": code[:2], "ReportIndex2": ""})


def add_supplier(world: World, code: str, number: int, rng: Random, today: date) -> Record:
    """Put one supplier with its address; what it is like follows from its number."""
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {number + 1} Ltd."
    if number % 25 == 3 or number >= SUPPLIERS:
        name = _ODD_NAMES[number // 25 % len(_ODD_NAMES)]
    ec = number % 20 == 11
    row: Record = {
        "Supplier": code,
        "SupplierName": name,
        "SupShortName": name[:20],
        "SupplierType": "L",
        "SupplierClass": "TRADE",
        "Branch": "10",
        "Telephone": f"604555{number:04d}",
        "Contact": "Accounts",
        "Currency": world.local_currency,
        "Email": f"ap{number}@vendor.example" if number % 6 else "",
        "TermsCode": list(_TERMS)[number % 4],
        "GrnMatchReqd": "Y" if number % 10 == 3 else "N",
        "Nationality": "FRA" if ec else "DEU",
        "TaxRegnNum": f"DE{rng.randrange(10**8, 10**9)}" if number % 4 else "",
        "OnHold": "Y" if number % 25 == 7 else "N",
        "BankBranch": f"{rng.randrange(10**5, 10**6)}",
        "BankAccount": f"{rng.randrange(10**9, 10**10)}",
        "PayByEft": "Y",
        "DefTaxCode": "ABZ"[number % 3],
        "LanguageCode": "EN",
        "PurchOrdAllowed": "Y",
        "DateSuppAdded": (today - timedelta(days=rng.randrange(30, 2000))).isoformat(),
    }
    if number % 10 == 7:
        row["Currency"] = "USD"
    if ec:
        world.foreign_tax.add(code)
    address = {"SupAddr1": f"{number + 1} Main Street" if number % 3 else f"Königstraße {number + 1}"}
    address |= {"SupAddr2": rng.choice(("Vancouver", "Köln", "Montréal", "Seattle", "Zürich")), "SupAddr4": "DE"}
    world.put("ApSupplierAddr", {"Supplier": code, "SupPostalCode": f"{rng.randrange(10000, 99999)}"} | address)
    return world.put("ApSupplier", row)
