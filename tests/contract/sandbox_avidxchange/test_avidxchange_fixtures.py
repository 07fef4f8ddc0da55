"""The joint world with Sage X3: what X3 holds can be submitted, by a clerk who reads both systems."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from infra.sandbox.fixtures_avidxchange import seeded_systems, unpaid, with_masters
from infra.sandbox.sage_x3 import back_office
from infra.sandbox.sage_x3.supplier_invoices import VAT_ACCOUNT
from tests.contract.sandbox_avidxchange.conftest import Api


@pytest.fixture
def both(clock):
    return seeded_systems(1, clock)


def test_suppliers_and_accounts_come_with_the_integration(both):
    assert not {row["BPSNUM"] for row in both.erp.rows("BPSUPPLIER")} & both.ap.vendors.keys()
    assert not both.ap.code_is_usable("GL Account", "400001") and both.ap.code_is_usable("CCT", "CC100")
    with_masters(both)
    assert both.ap.code_is_usable("GL Account", "400001")
    assert {row["BPSNUM"] for row in both.erp.rows("BPSUPPLIER") if row["ENAFLG"] == 2} <= both.ap.vendors.keys()


def test_every_unpaid_invoice_can_be_submitted(both):
    api, wanted = Api(with_masters(both).ap), unpaid(both.erp)
    count = len(both.ap.invoices)
    for row in wanted:
        reply = api.submit(body(both.erp, row))
        assert reply.status_code == 201, reply.text
    assert 30 < len(wanted) < len(both.erp.rows("PINVOICE")) and len(both.ap.invoices) == count + len(wanted)
    kinds = Counter(row["INVTYP"] for row in wanted)
    assert kinds[1] > kinds[2] > 0
    back_office.pay(both.erp, wanted[0]["NUM"])
    assert wanted[0] not in unpaid(both.erp)


def body(erp, row):
    sign = -1 if row["INVTYP"] == 2 else 1
    debits = [line for line in erp.rows("GACCENTRYD") if line["NUM"] == row["NUM"] and not line["BPR"]]
    lines = [
        {"description": line["DES"], "amount": f"{sign * abs(line['AMTCUR'])}", "glCode": line["ACC"]}
        for line in debits
    ]
    assert {line["glCode"] for line in lines} - {VAT_ACCOUNT}
    return {
        "externalId": row["NUM"],
        "vendorExternalCode": row["BPR"],
        "invoiceNumber": row["BPRVCR"],
        "invoiceDate": row["BPRDAT"].isoformat(),
        "amount": f"{sign * Decimal(row['AMTATI'])}",
        "currency": row["CUR"],
        "companyExternalCode": row["CPY"],
        "lines": lines,
    }
