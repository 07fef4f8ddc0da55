"""Orders as purchase requisitions, from the ERP's books to P2P: each is created once, whatever happens on the way."""

import json
from contextlib import ExitStack

import pytest

from infra.local.demo_books import SageBooks
from infra.sandbox import basware
from infra.sandbox.basware.model import Fault
from infra.sandbox.server import serving
from tests import program

PATH = "/v1/purchaseRequisitions"


@pytest.fixture
def place(tmp_path):
    """A company on Sage 300 whose orders become requisitions."""
    books, folder = SageBooks(), tmp_path / "secrets"
    (folder / "acme").mkdir(parents=True)
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
            "purchase_order_target": "purchase_requisitions",
            "requisition_owner_email": "buyer@example.com",
            "category_code": "6200",
        }
        (folder / "acme" / "basware.json").write_text(json.dumps(ap))
        (folder / "acme" / "sage_300.json").write_text(json.dumps(books.secret(erp_url)))
        (folder / "acme" / "settings.json").write_text(json.dumps({"schedules": {"invoices": "off"}}))
        yield books.world.ap, folder


def run(folder, state):
    ran = program.run("local", "run", "--secrets", str(folder), "--state", str(folder.parent / state))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_orders_become_requisitions_once_and_a_lost_answer_or_a_lost_state_makes_no_second_one(place):
    ap, folder = place
    ap.faults = [Fault(kind="act_then_drop", path=PATH, method="POST", times=1)]
    first = run(folder, "one")
    created, posts = len(ap.imported["purchaseRequisitions"]), ap.calls[f"POST {PATH}"]
    assert created > 100 and f"{created} delivered" in first
    assert not ap.faults[0].times, "an answer was lost"
    run(folder, "one")
    said = run(folder, "another")  # as after a state that is gone
    assert f"{created} unchanged" in said
    assert ap.calls[f"POST {PATH}"] == posts
    sent = [
        item
        for request in ap.requests.values()
        if request.entity_type == "PurchaseRequisition"
        for item in request.items
    ]
    assert len(sent) == len({item.code for item in sent}) == created, "each went out once"
    assert {item.status for item in sent} == {"Success"}
    assert "matchingOrders" not in ap.imported
