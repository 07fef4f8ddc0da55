"""Master data of the seeded company: partners, accounts, cost centres, VAT groups, currencies, terms."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from .fields import Record
from .world import World

SUPPLIERS = 300
_ODD_NAMES = (
    "Müller & Söhne Stahlhandel GmbH",
    'O\'Neill "Fasteners" Ltd',
    "Łódzkie Zakłady Śrub Sp. z o.o.",
    "Æthelred & Co. <Tools>",
    "Großküchen- und Kältetechnik Österreich; Wien, Graz / Linz",
    "Verwaltungs- und Beteiligungsgesellschaft für Maschinenbau, Fördertechnik, Lagerlogistik und"
    " Instandhaltung mbH & Co. KG",
)
_FIRST = ("Nord", "Alpen", "Rhein", "Elbe", "Harz", "Saar", "Isar", "Hanse", "Weser", "Taunus")
_SECOND = ("Metall", "Logistik", "Papier", "Chemie", "Elektro", "Werkzeug", "Verpackung", "Druck", "Bau", "Software")
_TERMS = ((1, "Net 30", 0, 30), (2, "Net 14", 0, 14), (3, "2 months", 2, 0), (4, "Month end + 10", 0, 10))
_CITIES = (("Hamburg", "20095"), ("Köln", "50667"), ("München", "80331"), ("Wien", "1010"), ("Zürich", "8001"))


def add_masters(world: World, rng: Random, today: date) -> None:
    """Fill every master-data set of `world`."""
    _finance(world)
    _accounts(world)
    _centres(world)
    for number in range(SUPPLIERS):
        _put(world, _supplier(number, rng), today, rng)
    for number in range(20):
        _put(world, _partner(f"C{20000 + number}", f"Kunde {number + 1} AG", "cCustomer"), today, rng)
    for number in range(5):
        _put(world, _partner(f"L{30000 + number}", f"Interessent {number + 1}", "cLid"), today, rng)


def _finance(world: World) -> None:
    for code, name in (("EUR", "Euro"), ("USD", "US Dollar"), ("CHF", "Swiss Franc")):
        world.put("Currencies", {"Code": code, "Name": name, "DocumentsCode": code, "InternationalDescription": name})
    world.rates |= {"USD": Decimal("0.9215"), "CHF": Decimal("1.0412")}
    for number, name, months, days in _TERMS:
        start = "pdt_MonthEnd" if number == 4 else "pdt_None"
        row = {"GroupNumber": number, "PaymentTermsGroupName": name, "StartFrom": start, "NumberOfInstallments": 1}
        row |= {"NumberOfAdditionalMonths": months, "NumberOfAdditionalDays": days, "GeneralDiscount": Decimal(0)}
        world.put("PaymentTermsTypes", row)
    for code, percent in (("V0", 0), ("V1", 7), ("V2", 19), ("A2", 19)):
        # A2 is output tax: a purchase document must not name it.
        kind = "bovcOutputTax" if code == "A2" else "bovcInputTax"
        line = {"Effectivefrom": "2007-01-01", "Rate": Decimal(percent), "EqualizationTax": Decimal(0)}
        row = {"Code": code, "Name": f"VAT {percent} %", "Category": kind, "Inactive": "tNO", "EU": "tNO"}
        world.put("VatGroups", row | {"TaxAccount": "157600", "VatGroups_Lines": [line]})


def _account(code: str, name: str, **more: object) -> Record:
    plain = {"Code": code, "Name": name, "FormatCode": code, "ActiveAccount": "tYES", "AccountType": "at_Expenses"}
    flags = ("LockManualTransaction", "BlockManualPosting", "Protected", "ValidFor", "FrozenFor", "CashAccount")
    rest = {"AccountLevel": 5, "AcctCurrency": "##", "FatherAccountKey": "4000", "Balance": Decimal("0.00")}
    return plain | rest | dict.fromkeys(flags, "tNO") | more


def _accounts(world: World) -> None:
    titles = [("4", "Aufwendungen", 1), *((f"40{n:02d}", f"Aufwandsgruppe {n}", 4) for n in range(12))]
    for code, name, level in titles:
        above = "4" if level == 4 else ""
        world.put(
            "ChartOfAccounts",
            _account(code, name, ActiveAccount="tNO", AccountLevel=level, FatherAccountKey=above),
        )
    for number in range(120):
        visible = f"{400000 + number}"
        # The last three carry a system key; people know them by FormatCode only.
        code = visible if number < 117 else f"_SYS{number:011d}"
        father = f"40{number // 10:02d}"
        account = _account(code, f"Aufwand {number + 1}", FormatCode=visible, FatherAccountKey=father)
        world.put("ChartOfAccounts", account)
    other = {"AccountType": "at_Other", "FatherAccountKey": "4"}
    world.put("ChartOfAccounts", _account("157600", "Vorsteuer", LockManualTransaction="tYES", **other))
    world.put("ChartOfAccounts", _account("160000", "Verbindlichkeiten", LockManualTransaction="tYES", **other))
    world.put("ChartOfAccounts", _account("180000", "Bank", CashAccount="tYES", **other))


def _centres(world: World) -> None:
    names = ("Kostenstelle", "Projekt", "", "", "")
    for number, name in enumerate(names, 1):
        row = {"DimensionCode": number, "DimensionName": f"Dimension {number}", "DimensionDescription": name}
        world.put("Dimensions", row | {"IsActive": "tYES" if name else "tNO"})
    codes = [(f"CC{100 + n}", 1, f"Abteilung {n + 1}") for n in range(20)]
    for code, dimension, name in [*codes, *((f"PR{n}", 2, f"Projekt {n}") for n in (1, 2, 3))]:
        row = {"CenterCode": code, "CenterName": name, "GroupCode": "Z", "InWhichDimension": dimension}
        active = "tNO" if code == "CC119" else "tYES"
        world.put("ProfitCenters", row | {"EffectiveFrom": "2010-01-01", "Active": active})


def _partner(code: str, name: str, kind: str) -> Record:
    plain = {"CardCode": code, "CardName": name, "CardType": kind, "GroupCode": 101, "Currency": "EUR"}
    return plain | {"Valid": "tYES", "Frozen": "tNO", "PayTermsGrpCode": 1, "VatGroup": "V2", "VatLiable": "vLiable"}


def _supplier(number: int, rng: Random) -> Record:
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {number + 1} GmbH"
    if number % 25 == 3:
        name = _ODD_NAMES[number // 25 % len(_ODD_NAMES)] + (f" {number}" if number > 150 else "")
    partner = _partner(f"V{10000 + number}", name, "cSupplier")
    partner["Currency"] = "USD" if number % 10 == 7 else "##" if number % 10 == 4 else "EUR"
    partner["PayTermsGrpCode"] = 1 + number % 4
    partner["VatGroup"] = ("V2", "V2", "V1", "V0")[number % 4]
    # A few are frozen, a few were valid once: neither may be posted to.
    partner["Frozen"] = "tYES" if number % 40 == 39 else "tNO"
    partner["Valid"] = "tNO" if number % 40 == 39 else "tYES"
    if number % 60 == 29:
        partner["ValidTo"] = "2010-12-31"
    partner |= {"GroupCode": 102, "FederalTaxID": f"DE{rng.randrange(10**8, 10**9)}", "DebitorAccount": "160000"}
    return partner | _contact(partner["CardCode"], number, rng)


def _contact(code: str, number: int, rng: Random) -> Record:
    city, zip_code = rng.choice(_CITIES)
    street = f"Straße des 17. Juni {number + 1}" if number % 3 else f"Am Wall {number + 1}"
    address = {"BPCode": code, "RowNum": 0, "AddressName": "Rechnung", "AddressType": "bo_BillTo", "Street": street}
    address |= {"City": city, "ZipCode": zip_code, "Country": "DE"}
    iban = f"DE{rng.randrange(10**19, 10**20)}"
    bank = {"BPCode": code, "InternalKey": number + 1, "BankCode": "20050550", "Country": "DE", "AccountName": city}
    bank |= {"AccountNo": iban[-10:], "IBAN": iban, "BICSwiftCode": "HASPDEHHXXX"}
    person = {"CardCode": code, "InternalCode": number + 1, "Name": "Buchhaltung", "Active": "tYES"}
    plain = {"Address": street, "City": city, "ZipCode": zip_code, "Country": "DE", "Phone1": f"+49 40 {number:05d}"}
    plain |= {"EmailAddress": f"rechnung{number}@lieferant.example", "IBAN": iban, "BilltoDefault": "Rechnung"}
    lists = {"BPAddresses": [address], "BPBankAccounts": [bank] if number % 5 else [], "ContactEmployees": [person]}
    return plain | lists


def _put(world: World, partner: Record, today: date, rng: Random) -> None:
    day = (today - timedelta(days=rng.randrange(3, 400))).isoformat()
    time = f"{rng.randrange(6, 20):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    stamps = {"CreateDate": day, "CreateTime": time, "UpdateDate": day, "UpdateTime": time}
    for name in ("BPAddresses", "BPBankAccounts", "ContactEmployees"):
        partner.setdefault(name, [])
    world.put("BusinessPartners", partner | stamps)
