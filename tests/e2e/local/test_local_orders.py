"""Purchase orders with receipts and returns, and master data that changes later, as they stand in Basware."""

from decimal import Decimal

from infra.sandbox.sap_b1 import back_office, changes


def lines_of(stage, order):
    """Give the order's lines in Basware by their number."""
    headers = {
        code: h for code, h in stage.imported("matchingOrders").items() if h["orderNumber"] == str(order["DocNum"])
    }
    (code,) = headers
    return headers[code], {
        line["lineNumber"]: line
        for line in stage.imported("matchingOrderLines").values()
        if line["orderExternalCode"] == code
    }


def test_an_order_carries_its_receipts_and_returns(small):
    order = small.order({}, {"Quantity": Decimal(4), "UnitPrice": Decimal("2.50")})
    receipt = back_office.receive(small.erp, order["DocEntry"], {0: Decimal(6)})
    small.ran()
    header, lines = lines_of(small, order)
    assert header["supplierCode"] == "V10001"
    assert header["isClosed"] is False
    assert [Decimal(lines[n]["quantity"]) for n in ("0", "1")] == [10, 4]
    assert [Decimal(lines[n]["netSum"]) for n in ("0", "1")] == [Decimal("250.00"), Decimal("10.00")]
    (came,) = lines["0"]["goodsReceipts"]
    assert Decimal(came["quantity"]) == 6
    assert came["goodsReceiptNumber"] == str(receipt["DocNum"])
    assert lines["1"].get("goodsReceipts", []) == []

    back_office.give_back(small.erp, receipt["DocEntry"], {0: Decimal(2)})
    assert small.flows(small.ran())["purchase_orders"]["delivered"] == 1
    _, lines = lines_of(small, order)
    first, back = sorted(lines["0"]["goodsReceipts"], key=lambda one: -Decimal(one["quantity"]))
    assert [Decimal(first["quantity"]), Decimal(back["quantity"])] == [6, -2]
    assert back["referenceGRExternalCode"] == first["externalCode"]
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_an_order_that_is_closed_later_is_closed_in_basware(small):
    order, other = small.order(), small.order(supplier="V10002")
    small.ran()
    changes.act(small.erp, "PurchaseOrders", order["DocEntry"], "Close")
    changes.act(small.erp, "PurchaseOrders", other["DocEntry"], "Cancel")
    assert small.flows(small.ran())["purchase_orders"]["delivered"] == 2
    header, lines = lines_of(small, order)
    assert header["isClosed"] is True
    assert lines["0"]["isClosed"] is True
    assert lines["0"]["isDeleted"] is False
    header, lines = lines_of(small, other)
    assert header["isClosed"] is True
    assert lines["0"]["isDeleted"] is True
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_an_order_that_was_never_open_for_us_is_not_sent(small):
    order = small.order()
    changes.act(small.erp, "PurchaseOrders", order["DocEntry"], "Cancel")
    small.ran()
    assert small.imported("matchingOrders") == {}
    small.ran()
    assert small.imported("matchingOrders") == {}


def test_an_invoice_on_an_order_is_drawn_from_it_and_the_order_follows(small):
    from infra.sandbox.basware.seed_invoices import Coding

    small.erp.stamp_base_documents = True
    order = small.order()
    coding = Coding("400002", "CC101", Decimal("250.00"), "V0", str(order["DocNum"]), "0")
    key = small.invoice(rows=[coding], orderNumbers=[str(order["DocNum"])])
    small.ran()
    (line,) = small.posted(key)[0]["DocumentLines"]
    assert [line["BaseType"], line["BaseEntry"], line["BaseLine"]] == [22, order["DocEntry"], 0]
    assert small.posted(key)[0]["DocTotal"] == Decimal("250.00")
    small.ran()
    header, lines = lines_of(small, order)
    assert header["isClosed"] is True
    assert lines["0"]["isClosed"] is True
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_a_supplier_that_is_frozen_later_becomes_inactive(small):
    small.ran()
    assert small.vendor("V10002")["processingStatus"]["active"] is True
    small.erp.upsert("BusinessPartners", {"CardCode": "V10002", "Frozen": "tYES"})
    assert small.flows(small.ran())["vendors"]["delivered"] == 1
    assert small.vendor("V10002")["processingStatus"]["active"] is False
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_an_account_and_a_cost_centre_that_change_without_a_stamp_are_seen(small):
    small.ran()
    small.erp.tables["ChartOfAccounts"]["400003"]["Name"] = "Renamed"
    small.erp.tables["ProfitCenters"]["CC102"]["Active"] = "tNO"
    flows = small.flows(small.ran())
    assert [flows["accounts"]["delivered"], flows["cost_centers"]["delivered"]] == [1, 1]
    names = {a["accountCode"]: a["accountNames"][0]["translation"] for a in small.imported("accounts").values()}
    assert names["400003"] == "Renamed"


def test_a_replayed_master_record_makes_a_real_change_in_basware(small):
    small.ran()
    before, writes = small.vendor("V10001"), small.writes()
    said = small.ops("replay", "acme", "vendors", "V10001", "--yes")
    assert "next run" in said
    assert small.writes() == writes
    row = small.flows(small.ran())["vendors"]
    assert row["delivered"] == 1
    after = small.vendor("V10001")
    assert after != before
    assert {name for name in after if after[name] != before.get(name)} == {"description"}
    assert small.writes()["POST /v1/vendors"] == writes["POST /v1/vendors"] + 1
    writes = small.writes()
    small.ran()
    assert small.writes() == writes


def test_a_replayed_invoice_is_never_posted_twice(small):
    key = small.invoice("12.00")
    small.ran()
    small.ops("replay", "acme", "invoices", key, "--yes")
    small.ran()
    assert len(small.posted(key)) == 1
    assert small.erp.calls["POST PurchaseInvoices"] == 1


def test_a_line_that_is_taken_out_of_an_order_is_taken_out_in_basware(small):
    order = small.order({}, {"Quantity": Decimal(4)}, {"Quantity": Decimal(7)})
    small.ran()
    with small.erp.lock:
        kept = small.erp.tables["PurchaseOrders"][order["DocEntry"]]
        kept["DocumentLines"] = [line for line in kept["DocumentLines"] if line["LineNum"] != 1]
        small.erp.upsert("PurchaseOrders", kept)
    small.ran()
    header, lines = lines_of(small, order)
    assert header["isClosed"] is False
    assert {n: (line["isDeleted"], line["isClosed"]) for n, line in lines.items()} == {
        "0": (False, False),
        "1": (True, True),
        "2": (False, False),
    }
    before = small.writes()
    small.ran()
    assert small.writes() == before


def test_an_order_that_was_refused_for_one_line_and_lost_another_leaves_none_open(small):
    from infra.sandbox.basware.model import ForcedVerdict

    order = small.order({}, {"Quantity": Decimal(4)})
    small.ap.forced.append(ForcedVerdict("MatchingOrderLine", "Error", "No such unit"))
    assert [line["flow"] for line in small.ran()["rejected"]] == ["purchase_orders"]
    _, lines = lines_of(small, order)
    assert list(lines) == ["1"]
    small.ap.forced.clear()
    with small.erp.lock:
        kept = small.erp.tables["PurchaseOrders"][order["DocEntry"]]
        kept["DocumentLines"] = kept["DocumentLines"][:1]
        small.erp.upsert("PurchaseOrders", kept)
    small.ran()
    _, lines = lines_of(small, order)
    assert {n: line["isDeleted"] for n, line in lines.items()} == {"0": False, "1": True}


def test_a_mapping_made_later_reaches_what_was_delivered_before(small):
    order = small.order()
    other = small.order({"VatGroup": "V2"}, supplier="V10002")
    small.ran()
    assert lines_of(small, order)[1]["0"]["taxCode"] == "V0"
    writes = small.writes()
    small.ops("mappings", "set", "acme", "tax", "VAT7", "V1", "--yes")
    row = small.flows(small.ran())["purchase_orders"]
    assert (row["delivered"], row["unchanged"]) == (0, 2), "no order uses it"
    assert small.writes() == writes
    small.ops("mappings", "set", "acme", "tax", "VAT0", "V0", "--yes")
    row = small.flows(small.ran())["purchase_orders"]
    assert (row["delivered"], row["unchanged"]) == (1, 1)
    assert lines_of(small, other)[1]["0"]["taxCode"] == "V2"
    assert lines_of(small, order)[1]["0"]["taxCode"] == "VAT0"
    writes = small.writes()
    small.ran()
    assert small.writes() == writes


def test_an_order_whose_line_is_not_let_go_is_rejected_and_not_called_unchanged(small):
    from infra.sandbox.basware.model import ForcedVerdict

    order = small.order({}, {"Quantity": Decimal(4)})
    small.ran()
    gone = next(c for c, line in small.imported("matchingOrderLines").items() if line["lineNumber"] == "1")
    small.ap.forced.append(ForcedVerdict("MatchingOrderLine", "Error", "It is being matched", code=gone))
    with small.erp.lock:
        kept = small.erp.tables["PurchaseOrders"][order["DocEntry"]]
        kept["DocumentLines"] = kept["DocumentLines"][:1]
        small.erp.upsert("PurchaseOrders", kept)
    (line,) = small.ran()["rejected"]
    assert "It is being matched" in line["reason"]
