"""PATCH, Cancel, DELETE and entity tags (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import pytest


@pytest.fixture
def path(api, service):
    return f"PurchaseInvoices({api.made('PurchaseInvoices', service())['DocEntry']})"


def test_patch_merges_and_is_204(api, path):
    assert api.call("PATCH", path, {"Comments": "seen"}).status_code == 204
    now = api.get(path).json()
    assert (now["Comments"], now["NumAtCard"]) == ("seen", "INV-1")


def test_patch_ignores_what_is_read_only_without_a_word(api, path):
    assert api.call("PATCH", path, {"DocTotal": 1, "DocNum": 7, "CardCode": "V10001"}).status_code == 204
    now = api.get(path).json()
    assert (now["DocTotal"], now["DocNum"], now["CardCode"]) == (297.5, 50800, "V10000")


def test_patch_refuses_an_unknown_property(api, path, expect_refusal):
    expect_refusal(api.call("PATCH", path, {"Remark": "x"}), 400, -1000)


def test_patch_moves_the_stamp(api, clock, path):
    clock.forward(days=2, hours=1)
    api.login()
    api.call("PATCH", path, {"Comments": "seen"})
    now = api.get(path).json()
    assert (now["UpdateDate"], now["UpdateTime"]) == ("2026-02-12T00:00:00Z", "10:30:00")


def test_a_stale_etag_is_412(api, path, expect_refusal):
    tag = api.get(path).headers["ETag"]
    assert api.call("PATCH", path, {"Comments": "a"}, If_Match=tag).status_code == 204
    expect_refusal(api.call("PATCH", path, {"Comments": "b"}, If_Match=tag), 412, -2039)
    expect_refusal(api.post(f"{path}/Cancel", None, If_Match=tag), 412, -2039)


def test_v1_has_no_etags(api_v1, service):
    made = api_v1.post("PurchaseInvoices", service())
    assert "ETag" not in made.headers


def test_a_known_etag_is_304(api, path):
    assert api.get(path, If_None_Match=api.get(path).headers["ETag"]).status_code == 304


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_a_posted_document_cannot_be_deleted_or_replaced(api, path, expect_refusal, method):
    expect_refusal(api.call(method, path, {}), 400, -5006)


def test_an_order_cannot_be_created_or_deleted_here(api, expect_refusal):
    expect_refusal(api.post("PurchaseOrders", {}), 400, -5006)
    expect_refusal(api.call("DELETE", "PurchaseOrders(30001)"), 400, -5006)


def test_cancelling_leaves_a_cancellation_document_of_the_same_reference(api, path, expect_refusal):
    assert api.post(f"{path}/Cancel", None).status_code == 204
    rows = api.rows("PurchaseInvoices?$filter=NumAtCard eq 'INV-1'&$select=DocEntry,Cancelled,CancelStatus")
    assert [(row["Cancelled"], row["CancelStatus"]) for row in rows] == [("tYES", "csYes"), ("tNO", "csCancellation")]
    expect_refusal(api.post(f"{path}/Cancel", None), 400, -5002)


def test_cancelling_gives_the_quantity_back_to_the_order(api, order, drawn):
    made = api.made("PurchaseInvoices", drawn(Quantity=10))
    assert order["DocumentLines"][0]["LineStatus"] == "bost_Close"
    api.post(f"PurchaseInvoices({made['DocEntry']})/Cancel", None)
    line = order["DocumentLines"][0]
    assert (line["RemainingOpenQuantity"], line["LineStatus"]) == (10, "bost_Open")


def test_an_action_that_the_entity_lacks_is_404(api, path, expect_refusal):
    expect_refusal(api.post(f"{path}/Approve", None), 404, -1000)
