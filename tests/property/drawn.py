"""What several property tests draw from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ml_connector.records import Account, Address, OrderLine, PurchaseOrder, Receipt, Supplier

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
keys = st.text("abcdefgh0123456789~-", min_size=1, max_size=8)
names = st.none() | texts
days = st.dates(date(1990, 1, 1), date(2090, 12, 31))
money = st.builds(
    lambda digits, places, sign: Decimal((sign, tuple(map(int, str(digits))), -places)),
    st.integers(0, 10**20 - 1),
    st.integers(0, 8),
    st.sampled_from((0, 1)),
)
"""Up to 20 digits, as many places as any vendor writes."""
cents = st.integers(-(10**11), 10**11).map(lambda n: Decimal(n).scaleb(-2))
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Kiritimati",
)
zones = st.sampled_from(ZONES)
moments = st.integers(946_684_800, 2_840_140_800).map(lambda second: datetime.fromtimestamp(second, ZoneInfo("UTC")))

suppliers = st.builds(
    Supplier,
    key=keys,
    code=keys,
    name=texts,
    active=st.booleans(),
    tax_id=names,
    email=names,
    addresses=st.lists(st.builds(Address, key=keys, city=names, street=names), max_size=3).map(tuple),
)
accounts = st.builds(Account, key=keys, code=keys, name=texts, active=st.booleans())
receipts = st.builds(
    Receipt, key=keys, number=keys, quantity=money, received_on=st.none() | days, net=st.none() | money
)
lines = st.builds(
    OrderLine,
    key=keys,
    number=keys,
    quantity=money,
    net=money,
    unit_price=st.none() | money,
    description=names,
    receipts=st.lists(receipts, max_size=3).map(tuple),
)
orders = st.builds(
    PurchaseOrder,
    key=keys,
    number=keys,
    supplier=keys,
    currency=st.just("EUR"),
    created=st.none() | days,
    lines=st.lists(lines, max_size=4).map(tuple),
)
records: st.SearchStrategy[Any] = st.one_of(suppliers, accounts, orders)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
