"""Master data of the seeded company: vendors, accounts with segments, terms, taxes, calendar."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from .fields import Record
from .world import World

VENDORS, ACCOUNTS, CENTRES = 300, 120, 20
ODD_NUMBERS = ("O'BRIEN", "A/B 7", "1200")
"""Vendor numbers that an address must quote and escape with care."""
_ODD_NAMES = (
    "O'Brien & Søns (Ireland) Ltd",
    'Müller "Stahl" GmbH & Co. KG',
    "Łódź Śruby Sp. z o.o.",
    "株式会社 東京部品",
    "Société Générale d'Équipement; Lyon, Paris / Nice",
    "Instituto de Máquinas, Ferramentas e Componentes Ltda. 2000",
)
_FIRST = ("Pacific", "Northern", "Summit", "Harbour", "Prairie", "Island", "Cascade", "Maple", "Granite", "Coastal")
_SECOND = ("Metals", "Logistics", "Paper", "Chemicals", "Electric", "Tools", "Packaging", "Print", "Build", "Software")
_TERMS = (
    ("N30", "Net 30", 30, 0, 0),
    ("N14", "Net 14", 14, 0, 0),
    ("N60", "Net 60", 60, 0, 0),
    ("2N30", "2% 10, net 30", 30, 10, 2),
)
_PLAIN_ACCOUNTS = (
    ("1300", "Inventory", "BalanceSheet"),
    ("1440", "Prepayments", "BalanceSheet"),
    ("1000", "Bank", "BalanceSheet"),
    ("2020", "Accounts payable", "BalanceSheet"),
    ("2025", "Retainage", "BalanceSheet"),
    ("6260", "Equipment rental", "IncomeStatement"),
    ("6550", "Discounts taken", "IncomeStatement"),
    ("3500", "Retained earnings", "RetainedEarnings"),
)


def add_masters(world: World, rng: Random, today: date) -> None:
    """Fill every master-data resource of `world`."""
    add_finance(world, today)
    _accounts(world, rng, today)
    add_codes(world)
    for number in range(VENDORS):
        world.put("APVendors", _vendor(f"V{10000 + number}", number, rng, today))
    for number, code in enumerate(ODD_NUMBERS, VENDORS):
        world.put("APVendors", _vendor(code, number, rng, today) | {"Status": "Active", "InactiveDate": None})


def add_finance(world: World, today: date) -> None:
    """Put currencies, terms, taxes and the calendar; small worlds use it too."""
    world.rates |= {"USD": Decimal("0.9215"), "CAD": Decimal("0.6731")}
    for code, text, days, discount_days, discount in _TERMS:
        schedule = {"PaymentNumber": 1, "TermsCode": code, "PercentageDue": 100, "DueNumberOfDays": days}
        schedule |= {"DiscountNumberOfDays": discount_days, "DiscountPercent": discount}
        row = {"TermsCode": code, "Description": text, "TermsPaymentSchedule": [schedule]}
        world.put(
            "APTerms", row | {"NumberOfPayments": 1, "TotalPercentageDue": 100, "DateLastMaintained": _past(today)}
        )
    for group, authority, percent in (("V0", "VAT0", 0), ("V1", "VAT7", 7), ("V2", "VAT19", 19)):
        add_tax(world, group, authority, {1: Decimal(percent), 2: Decimal(0)})
    add_tax(world, "VAT", "VAT", {1: Decimal(19), 2: Decimal(7), 3: Decimal(0)})
    for year in range(today.year - 2, today.year + 2):
        world.put("CSFiscalCalendars", _year(year))


def add_tax(world: World, group: str, authority: str, rates: dict[int, Decimal]) -> None:
    """Put a tax group of one authority, with its rates in percent by vendor class."""
    world.tax_groups[group], world.tax_rates[authority] = [authority], rates
    row = {"TaxGroupKey": group, "TransactionType": "Purchases", "Description": f"Tax group {group}"}
    world.put("TXTaxGroups", row | {"TaxReportingCurrency": world.currency, "TaxAuthority1": authority})
    for code, percent in rates.items():
        rate = {"TaxAuthority": authority, "TransactionType": "Purchases", "BuyerClass": code, "ItemRate1": percent}
        world.put("TXTaxRates", rate)


def _past(today: date) -> str:
    return (today - timedelta(days=700)).isoformat()


def _year(year: int) -> Record:
    row: Record = {"FiscalYear": str(year), "NumberOfFiscalPeriods": 12, "QuarterWith4Periods": 4, "Active": "Yes"}
    for month in range(1, 13):
        after = date(year + month // 12, month % 12 + 1, 1)
        row[f"FiscalPeriod{month}StartDate"] = date(year, month, 1).isoformat()
        row[f"FiscalPeriod{month}EndDate"] = (after - timedelta(days=1)).isoformat()
    return row


def account(number: str, centre: str = "", **more: object) -> Record:
    """One G/L account: a natural account alone, or with a cost centre as its second segment."""
    plain: Record = {
        "UnformattedAccount": f"{number}{centre}",
        "AccountNumber": f"{number}-{centre}" if centre else number,
        "AccountType": "IncomeStatement",
        "NormalBalanceDRCR": "Debit",
        "Status": "Active",
        "PostToAccount": "Detail",
        "StructureCode": "ACCDPT" if centre else "MAIN",
        "AccountSegmentCode1": number,
        "AccountSegmentCode2": centre,
        "Description": f"Account {number} {centre}".strip(),
        "AccountGroupCode": "EXP",
        "Multicurrency": "No",
    }
    return plain | more


def _accounts(world: World, rng: Random, today: date) -> None:
    for number in range(ACCOUNTS):
        text = f"Expense {number + 1}" if number % 7 else f"Büro & Gerät {number + 1}"
        created = (today - timedelta(days=rng.randrange(30, 2000))).isoformat()
        for centre in range(CENTRES):
            if number >= ACCOUNTS - 3 and centre >= 10:
                continue  # not every account exists for every department
            row = account(f"{400000 + number}", f"CC{100 + centre}", Description=text, DateCreated=created)
            world.put("GLAccounts", row)
    for code in ("400118CC100", "400119CC101"):
        world.tables["GLAccounts"][code]["Status"] = "Inactive"
    for code, text, kind in _PLAIN_ACCOUNTS:
        balance = "Credit" if code.startswith(("2", "3")) else "Debit"
        more = {"AccountType": kind, "NormalBalanceDRCR": balance, "DateCreated": _past(today)}
        world.put("GLAccounts", account(code, Description=text, **more))
    world.put("GLAccounts", account("4000", Description="Expenses, total", PostToAccount="Prohibited"))
    naturals = [f"{400000 + n}" for n in range(ACCOUNTS)] + [code for code, _, _ in _PLAIN_ACCOUNTS] + ["4000"]
    for code in naturals:
        row = {"SegmentNumber": "000001", "SegmentCodeKey": code, "Description": f"Account {code}"}
        world.put("GLSegmentCodes", row)
    for number in range(CENTRES):
        row = {
            "SegmentNumber": "000002",
            "SegmentCodeKey": f"CC{100 + number}",
            "Description": f"Department {number + 1}",
        }
        world.put("GLSegmentCodes", row)


def add_codes(world: World) -> None:
    """Put what vendors default from: account set, distribution codes, vendor group."""
    sets = {"PayablesControlAccount": "2020", "DiscountsAccount": "6550", "PrepaymentAccount": "1440"}
    world.put(
        "APAccountSets", {"AccountSetCode": "TRADE", "Description": "Trade payables", "RetainageAccount": "2025"} | sets
    )
    for code, text, number in (("INV", "Purchase of inventory", "1300"), ("EQUIP", "Equipment rental", "6260")):
        row = {"DistributionCodeKey": code, "Description": text, "GLAccount": number, "Discountable": "Yes"}
        world.put("APDistributionCodes", row)
    group = {"GroupCode": "INV", "Description": "Inventory purchases", "AccountSet": "TRADE", "Terms": "N30"}
    group |= {"CurrencyCode": world.currency, "GeneralLedgerAccountNumber": "1300", "TaxGroup": "V2"}
    world.put("APVendorGroups", group | {"BankCode": "CCB", "PaymentCode": "CHECK", "DistributionType": "GLAccount"})


def _vendor(code: str, number: int, rng: Random, today: date) -> Record:
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {number + 1} Ltd."
    if number % 25 == 3 or number >= VENDORS:
        name = _ODD_NAMES[number // 25 % len(_ODD_NAMES)]
    changed = today - timedelta(days=rng.randrange(3, 400))
    inactive = number % 40 == 39
    row: Record = {
        "VendorNumber": code,
        "ShortName": code[:10],
        "GroupCode": "INV",
        "VendorName": name,
        "AccountSet": "TRADE",
        "Status": "Inactive" if inactive else "Active",
        "OnHold": "OnHold" if number % 25 == 7 else "NotOnHold",
        "InactiveDate": changed.isoformat() if inactive else None,
        "DateLastMaintained": changed.isoformat(),
        "StartDate": _past(today),
        "CurrencyCode": "USD" if number % 10 == 7 else "EUR",
        "Terms": _TERMS[number % 4][0],
        "TaxGroup": ("V2", "V2", "V1", "V0")[number % 4],
        "TaxClassCode1": 1,
        "RateType": "SP",
        "BankCode": "CCB",
        "PaymentCode": "CHECK",
        "DistributionType": "GLAccount",
        "LegalName": name,
        "CreditLimit": Decimal(rng.randrange(0, 90)) * 1000,
    }
    return row | _contact(number, rng)


def _contact(number: int, rng: Random) -> Record:
    row: Record = {
        "AddressLine1": f"{number + 1} Main Street" if number % 3 else f"Königstraße {number + 1}",
        "City": rng.choice(("Vancouver", "Köln", "Montréal", "Seattle", "Zürich")),
        "StateProvince": "BC",
        "ZipPostalCode": f"{rng.randrange(10000, 99999)}",
        "Country": rng.choice(("CA", "DE", "US")),
        "PhoneNumber": f"604555{number:04d}",
        "Email": f"ap{number}@vendor.example" if number % 6 else "",
    }
    if number % 4:
        row["TaxRegistrationCode1"] = f"DE{rng.randrange(10**8, 10**9)}"
    if number % 9 == 0:
        row["Num1099CPRSTaxNumber"] = f"{rng.randrange(10, 99)}-{rng.randrange(10**6, 10**7)}"
    return row
