"""The joint world: what should be posted can be, by a clerk who reads both systems."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from infra.sandbox.fixtures_sage_x3 import TAX, seeded_systems
from tests.contract.sandbox_sage_x3.conftest import Api, balance, line, payable


@pytest.fixture
def joint(clock):
    return seeded_systems(1, clock)


def test_each_invoice_has_a_fate_and_tax_codes_of_x3(joint):
    assert set(joint.fates) == set(joint.ap.documents) and len(joint.fates) == 60
    kinds = Counter(fate.fate.split(":")[0] for fate in joint.fates.values())
    assert kinds["post"] > 40 and {"hold", "reject", "conflict", "not ours", "post or conflict"} < set(kinds)
    codes = {row["taxCode"] for d in joint.ap.documents.values() for row in d.record["codingRows"] if "taxCode" in row}
    assert codes <= set(TAX.values())


def test_goods_of_orders_on_invoices_have_been_received(joint):
    numbers = {n for d in joint.ap.documents.values() for n in d.record.get("orderNumbers") or []}
    assert len(numbers) > 20
    assert numbers <= {row["POHNUM"] for row in joint.erp.rows("PRECEIPTD")}


def test_every_invoice_that_should_be_posted_can_be(joint):
    api, before = Api(joint.erp), len(joint.erp.rows("GACCENTRY"))
    wanted = [joint.ap.documents[f.invoice_id].record for f in joint.fates.values() if f.fate == "post"]
    for record in wanted:
        reply = api.create("GACCENTRY", body(record))
        assert reply.status_code == 201, reply.text
    assert len(joint.erp.rows("GACCENTRY")) == before + len(wanted) and balance(joint.erp) == 0


def body(record: dict[str, Any]) -> dict[str, Any]:
    sign = -1 if record["grossSum"] < 0 else 1
    lines, tax = [], Decimal(0)
    for row in record["codingRows"]:
        share = [{"DIE": ["CCT"], "CCE": [row["costCenterCode"]]}]
        lines.append(line(str(abs(row["netTotal"])), row["accountCode"], sign, GACCENTRYA=share))
        tax += abs(row["taxSum"])
    gross = abs(record["grossSum"])
    gap = gross - tax - sum(one["AMTCUR"] for one in lines)
    lines += [line(str(tax), "445660", sign)] if tax else []
    lines += [line(str(abs(gap)), "658000", sign if gap > 0 else -sign)] if gap else []
    lines.append(payable(str(gross), record["supplierCode"]) | {"SNS": -sign})
    head = {"TYP": "PIINV", "FCY": "FR011", "JOU": "ACH", "CUR": record["currencyCode"]}
    return head | {"BPRVCR": record["invoiceNumber"][:20], "GACCENTRYD": lines}
