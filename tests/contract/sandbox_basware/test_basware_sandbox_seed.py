from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx

from infra.sandbox.basware import seed
from infra.sandbox.basware.schema import problems

ROOT = Path(__file__).parents[3]


def clock():
    return datetime(2026, 3, 2, tzinfo=UTC)


def test_the_same_seed_gives_the_same_world():
    one, two = (seed.seeded_world(7, clock=clock) for _ in range(2))
    assert one.documents == two.documents
    assert seed.seeded_world(8, clock=clock).documents != one.documents


def test_every_seeded_invoice_has_a_fate():
    world = seed.seeded_world(clock=clock)
    fates = {expected.invoice_id: expected for expected in seed.expectations()}
    assert fates.keys() == world.documents.keys()
    assert len(fates) == seed.COUNT
    numbers = {code: document.record["invoiceNumber"] for code, document in world.documents.items()}
    assert numbers == {code: expected.invoice_number for code, expected in fates.items()}
    counted = Counter(expected.fate for expected in fates.values())
    assert counted == {
        "post": 49,
        "reject": 4,
        "post or conflict": 2,
        "conflict": 1,
        "not ours": 1,
        "hold:account:6999": 1,
        "hold:supplier:V99999": 1,
        "hold:cost_center:CC999": 1,
    }


def test_only_the_invoices_marked_so_break_the_schema():
    world = seed.seeded_world(clock=clock)
    for expected in seed.expectations():
        record = world.documents[expected.invoice_id].record
        assert bool(problems("AccountingDocumentEntity", record)) == expected.breaks_schema, expected


def test_the_totals_of_right_invoices_add_up_to_the_cent():
    world = seed.seeded_world(clock=clock)
    grosses = []
    for expected in seed.expectations():
        record = world.documents[expected.invoice_id].record
        if expected.why in ("in order", "a credit note", "a telling amount"):
            assert sum(row["grossTotal"] for row in record["codingRows"]) == record["grossSum"]
            assert record["netSum"] + record["taxSum1"] == record["grossSum"]
            grosses.append(record["grossSum"])
    assert {Decimal("12345678901.23"), Decimal("0.30")} <= set(grosses)
    assert sum(gross < 0 for gross in grosses) == seed.CREDIT_NOTES


def test_invoices_refer_to_the_orders_given():
    orders = [
        (5001, 1, "100.10", "V2", "400001", "CC100", "V10001"),
        (5001, 2, "9.90", "V0", "400002", "CC101", "V10001"),
    ]
    world = seed.seeded_world(orders=lambda: orders, clock=clock)
    found = [d.record for d in world.documents.values() if d.record.get("orderNumbers")]
    assert [record["orderNumbers"] for record in found] == [["5001"]]
    assert [row["orderLineNumber"] for row in found[0]["codingRows"]] == ["1", "2"]
    assert (found[0]["supplierCode"], found[0]["netSum"]) == ("V10001", Decimal("110.00"))
    assert len(world.documents) == seed.COUNT


def test_the_module_serves_and_prints_its_address():
    command = [sys.executable, "-m", "infra.sandbox.basware", "--port", "0", "--seed", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            assert len(httpx.get(f"{url}/_sandbox/state").json()["documents"]) == seed.COUNT
        finally:
            process.terminate()
        assert process.wait(20) == 0
