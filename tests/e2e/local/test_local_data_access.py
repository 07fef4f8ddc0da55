"""Invoices by Basware's Data Access, with each ERP: what an extract names is posted once, the rest is left alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from infra.local.demo_books import Books
from infra.sandbox import basware
from infra.sandbox.basware.data_extracts import extract
from infra.sandbox.server import serving
from tests import program

ERPS = Books.__subclasses__()


@pytest.fixture
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    """The joint world of an ERP and Basware, served, with its secrets in a folder."""
    books: Books = request.param()
    folder = tmp_path / "secrets" / "acme"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        erp_url = stack.enter_context(serving(books.app))
        ap_url = stack.enter_context(serving(basware.create_app(books.world.ap)))
        ap = {
            "region": "EU",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "base_url": ap_url,
            "companies": ["1000"],
            "source_system": books.source_system,
            "invoice_source": "data_access",
        }
        (folder / "basware.json").write_text(json.dumps(ap))
        (folder / f"{books.system}.json").write_text(json.dumps(books.secret(erp_url)))
        yield books


def run(place: Path) -> dict[str, Any]:
    out = place / "report.json"
    options = ["--secrets", str(place / "secrets"), "--report", str(out), "--max-seconds", "200"]
    ran = program.run("local", "run", *options, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (flows,) = json.loads(out.read_text())["tenants"]["acme"].values()
    return dict(flows["invoices"])


@pytest.mark.long
@pytest.mark.parametrize("company", ERPS, ids=[erp.system for erp in ERPS], indirect=True)
def test_what_an_extract_names_is_posted_once_and_the_extract_acknowledged(company: Books, tmp_path: Path) -> None:
    ap = company.world.ap
    wanted = sorted(fate.invoice_id for fate in company.world.fates.values() if fate.fate == "post")
    first, second = wanted[::2], wanted[1::2]
    with ap.lock:
        early = extract(ap, first)
    invoices = run(tmp_path)
    assert {key for key in wanted if ap.documents[key].status == "Transferred"} == set(first)
    assert all(ap.documents[key].status == "WaitingForTransfer" for key in second)
    assert (invoices["read"], invoices["delivered"]) == (len(first), len(first))
    assert ap.extracts[early].status == "Exported"
    ap.extract_format = "csv"
    with ap.lock:
        late = extract(ap)
    run(tmp_path)
    assert all(ap.documents[key].status == "Transferred" for key in wanted)
    assert ap.extracts[late].status == "Exported"
    answers = [len(ap.documents[key].answers["transferResponses"]) for key in wanted]
    assert answers == [1] * len(wanted)
    used = Counter(fate.invoice_number for fate in company.world.fates.values())
    booked = Counter(number for number, _ in company.booked())
    posted = [ap.documents[key].record["invoiceNumber"] for key in wanted]
    assert {number: booked[number] for number in posted if used[number] == 1 and booked[number] != 1} == {}
