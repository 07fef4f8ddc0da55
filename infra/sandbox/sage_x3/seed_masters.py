"""Suppliers, accounts and dimensions of the seeded folder: enough of each, and some of every odd kind."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from .entries import NO, YES
from .tables import Record
from .world import World

SUPPLIERS, ACCOUNTS, CENTERS = 300, 120, 20
_FIRST = ("Acier", "Bois", "Chemie", "Delta", "Euro", "Forge", "Gaz", "Hydro", "Industrie", "Jura")
_SECOND = ("Transport", "Services", "Technik", "Supply", "Négoce", "Werke", "Partners", "Logistics")
_ODD_NAMES = ("Müller & Söhne GmbH", "L'Atelier d'Éloïse", 'Say "Hi" Ltd.', "Łódź Metal; Sp. z o.o.")
ODD_CODES = ("SUP/01", "O'HARA", "fr053", "FR053", "ÜBER-1")
"""Codes that an address, a filter or a folding would spoil; two of them differ in case alone."""
_PLAIN = (
    ("401100", "Suppliers", "401"),
    ("411100", "Customers", "411"),
    ("445660", "Deductible VAT", ""),
    ("445710", "Collected VAT", ""),
    ("408000", "Goods received not invoiced", ""),
    ("512000", "Bank", ""),
    ("658000", "Rounding differences", ""),
)
INACTIVE_ACCOUNT, INACTIVE_CENTER = "400119", "CC119"


def add_masters(world: World, rng: Random) -> None:
    """Fill every table of master data."""
    add_finance(world)
    add_ledger(world)
    for number in range(SUPPLIERS):
        add_supplier(world, f"V{10000 + number}", number, rng)
    for number, code in enumerate(ODD_CODES, SUPPLIERS):
        add_supplier(world, code, number, rng)
        world.change("BPSUPPLIER", world.find("BPSUPPLIER", code), {"ENAFLG": YES, "CUR": world.currency})


def add_finance(world: World) -> None:
    """Set terms, taxes and currencies; small worlds use it too."""
    world.terms |= {"FRCH30": 30, "FRVIR45": 45, "FRVIR60": 60, "FRCASH": 0}
    world.tax_rates |= {"FRNOR": Decimal(19), "FRRED": Decimal(7), "FREXO": Decimal(0)}
    world.rates |= {"USD": Decimal("0.9215"), "GBP": Decimal("1.1512")}


def add_ledger(world: World) -> None:
    """Put accounts of each chart, dimension types and their codes."""
    for chart in dict.fromkeys(world.ledgers.values()):
        for number in range(ACCOUNTS):
            text = f"Charges {number + 1}" if number % 7 else f"Matériel & outillage {number + 1}"
            add_account(world, f"{400000 + number}", text, chart=chart)
        for code, text, control in _PLAIN:
            add_account(world, code, text, control=control, chart=chart)
        world.change("GACCOUNT", world.find("GACCOUNT", chart, INACTIVE_ACCOUNT), {"ENAFLG": NO})
    for kind, text in (("CCT", "Cost center"), ("PRJ", "Project")):
        world.put("GDIE", {"DIE": kind, "DES": text, "DESSHO": kind})
    for number in range(CENTERS):
        add_center(world, "CCT", f"CC{100 + number}", f"Atelier {number + 1}")
    for number in range(6):
        add_center(world, "PRJ", f"P{number + 1:03d}", f"Chantier {number + 1}")
    world.change("CACCE", world.find("CACCE", "CCT", INACTIVE_CENTER), {"ENAFLG": NO})


def add_account(world: World, code: str, text: str, control: str = "", chart: str = "") -> Record:
    """Put an account; those that begin with 40 and are no control account demand a cost center."""
    if code.startswith("400"):
        world.mandatory[code] = ["CCT"]
    values: Record = {"COA": chart or next(iter(world.ledgers.values())), "ACC": code, "DES": text, "DESSHO": text[:20]}
    return world.put(
        "GACCOUNT", values | {"SAC": control, "SNS": 1, "ENAFLG": YES, "DIE": world.mandatory.get(code, [])}
    )


def add_center(world: World, kind: str, code: str, text: str) -> Record:
    """Put a code of a dimension."""
    values: Record = {"DIE": kind, "CCE": code, "DES": text, "DESSHO": text[:20], "DESTRA": text, "ENAFLG": YES}
    return world.put("CACCE", values | {"IPT": YES, "FRW": NO, "BUDTRK": NO})


def add_supplier(world: World, code: str, number: int, rng: Random) -> Record:
    """Put one supplier with its partner record; what it is like follows from its number."""
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {number + 1}"
    if number % 25 == 3 or number >= SUPPLIERS:
        name = _ODD_NAMES[number // 25 % len(_ODD_NAMES)]
    currency = "USD" if number % 10 == 7 else world.currency
    active = NO if number % 25 == 9 else YES
    tax = f"FR{rng.randrange(10**10, 10**11)}" if number % 4 else ""
    partner: Record = {"BPRNUM": code, "BPRNAM": name, "BPRSHO": name[:10], "CRY": "FR", "EECNUM": tax, "CUR": currency}
    world.put("BPARTNER", partner | {"BPSFLG": YES, "ENAFLG": active, "CRN": f"{rng.randrange(10**8, 10**9)}"})
    values: Record = {"BPSNUM": code, "BPSNAM": name, "BPSSHO": name[:10], "CUR": currency, "ENAFLG": active}
    values |= {"PTE": list(world.terms)[number % len(world.terms)], "VACBPR": "FRA", "BPRPAY": code}
    return world.put("BPSUPPLIER", values | {"BSGCOD": "GEN" if number % 3 else ""})
