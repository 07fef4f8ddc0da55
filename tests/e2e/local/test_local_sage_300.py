"""A whole company on Sage 300 beside its Basware: what moves, what is held, and what a bad line does to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infra.local.demo_books import SageBooks
from infra.sandbox import basware
from infra.sandbox.server import serving
from tests import program

STORM = (
    ("drop", "APInvoiceBatches", "POST", 3),
    ("late", "APInvoiceBatches", "POST", 7),
    ("truncated", "APInvoiceBatches", "POST", 11),
    ("drop", "APInvoiceBatches", "PATCH", 5),
    ("drop", "APPostInvoices", "POST", 2),
    ("late", "APPostInvoices", "POST", 9),
    ("500", "APPostInvoices", "POST", 14),
    ("200-html", "GLAccounts", "GET", 4),
    ("200-error", "APVendors", "GET", 1),
    ("truncated", "POPurchase", "GET", 0),
    ("repeated-page", r"APVendors\?.*skip=", "GET", 0),
    ("page-loop", r"GLAccounts\?.*skip=", "GET", 6),
    ("empty-page", r"GLAccounts\?.*skip=", "GET", 2),
    ("wrong-host", "APVendors", "GET", 2),
    ("429", "", "GET", 20),
)
"""Kind, path, method, and how many calls pass before."""


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[SageBooks, Callable[[], dict[str, Any]]]]:
    """The joint world, served; and what runs the command line over it and gives the report."""
    books, folder = SageBooks(), tmp_path / "secrets" / "acme"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(books.app))
        ap_url = stack.enter_context(serving(basware.create_app(books.world.ap)))
        ap = {"region": "EU", "client_id": "sandbox-client", "client_secret": "sandbox-secret", "base_url": ap_url}
        ap |= {"companies": ["1000"], "source_system": books.source_system}
        (folder / "basware.json").write_text(json.dumps(ap))
        (folder / "sage_300.json").write_text(json.dumps(books.secret(erp_url) | {"in_doubt_seconds": 5}))
        yield books, lambda: _run(tmp_path)


def _run(place: Path) -> dict[str, Any]:
    out = place / "report.json"
    options = ["--secrets", str(place / "secrets"), "--report", str(out), "--max-seconds", "200"]
    ran = program.run("local", "run", *options, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report: dict[str, Any] = json.loads(out.read_text())
    assert report["reconciled"], report
    return report["tenants"]["acme"]["sage_300-basware"]


@pytest.mark.long
def test_a_whole_company_moves_and_each_invoice_meets_its_fate(company):
    books, run = company
    flows = run()
    for words, (name, count) in books.wanted.items():
        assert len(books.world.ap.imported[name]) == count, words
    assert {flow: row["pending"] for flow, row in flows.items()} == dict.fromkeys(flows, 0)
    totals, documents = dict(books.booked()), books.world.ap.documents
    for fate in books.world.fates.values():
        document = documents[fate.invoice_id]
        if fate.fate == "post":
            assert document.status == "Transferred", fate
            assert abs(totals[fate.invoice_number] - abs(document.record["grossSum"])) <= Decimal("0.05"), fate
        elif fate.fate == "reject":
            assert document.status == "TransferFailed", fate
        elif fate.fate != "post or conflict":
            assert document.status == "WaitingForTransfer", fate
            assert fate.invoice_number not in totals
    assert books.unposted() == []


@pytest.mark.long
def test_a_bad_line_loses_nothing_and_posts_nothing_twice(company):
    books, run = company
    faults = books.world.erp.faults
    for kind, path, method, skip in STORM:
        faults.add(kind, path, method, seconds=2 if kind == "late" else 0).skip = skip
    run()
    assert sum(faults.hit.values()) >= len(STORM) - 2, faults.hit
    entered = [
        (one["VendorNumber"], one["DocumentNumber"])
        for batch in books.world.erp.rows("APInvoiceBatches")
        for one in batch["Invoices"]
    ]
    assert [key for key, count in Counter(entered).items() if count > 1] == []
    for words, (name, count) in books.wanted.items():
        assert len(books.world.ap.imported[name]) == count, words
    booked, documents = dict(books.booked()), books.world.ap.documents
    wanted = [fate for fate in books.world.fates.values() if fate.fate == "post"]
    done = [fate for fate in wanted if documents[fate.invoice_id].status == "Transferred"]
    assert len(done) >= len(wanted) - len(STORM)  # what a storm struck last may be due in a minute or more
    assert all(fate.invoice_number in booked for fate in done)
