"""Records that vanish from SAP, and orders that close in silence, as they stand in Basware afterwards."""


def vendor(stage, code):
    return next(v for v in stage.imported("vendors").values() if v["vendorCode"] == code)


def compare_everything(stage, flow, key):
    """A replay has the next run compare everything, as the nightly one does."""
    stage.ops("replay", stage.tenant, flow, key, "--yes")


def test_a_supplier_deleted_in_sap_is_switched_off_in_basware_and_comes_back_with_it(small):
    small.ran()
    with small.erp.lock:
        gone = small.erp.tables["BusinessPartners"].pop("V10002")
    compare_everything(small, "vendors", "V10001")
    figures = small.flows(small.ran())["vendors"]
    assert figures["delivered"] == 2, "the replayed one, and the deletion"
    assert vendor(small, "V10002")["processingStatus"]["active"] is False
    assert vendor(small, "V10001")["processingStatus"]["active"] is True
    writes = small.writes()
    small.ran()
    assert small.writes() == writes

    with small.erp.lock:
        small.erp.tables["BusinessPartners"]["V10002"] = gone
    compare_everything(small, "vendors", "V10001")
    small.ran()
    assert vendor(small, "V10002")["processingStatus"]["active"] is True


def test_where_much_is_missing_nothing_is_switched_off_before_a_person_agrees(small):
    stage, template = small, small.erp.tables["ChartOfAccounts"]["400001"]
    for number in range(110):
        stage.erp.put("ChartOfAccounts", template | {"Code": f"41{number:04d}", "Name": f"Nr. {number}"})
    assert stage.flows(stage.ran())["accounts"]["delivered"] == 120
    with stage.erp.lock:
        accounts = stage.erp.tables["ChartOfAccounts"]
        *gone, last = [code for code, a in accounts.items() if a["ActiveAccount"] == "tYES"][:41]
        for code in gone:
            del accounts[code]
    compare_everything(stage, "accounts", last)
    report = stage.ran()
    held = [h for h in report["held"] if h["flow"] == "accounts"]
    assert {(h["key"], h["waiting_for"]) for h in held} == {(code, "approval:accounts") for code in gone}
    assert not switched_off(stage)
    stage.ops("confirm-deactivation", stage.tenant, "accounts", "--yes")
    assert stage.flows(stage.ran())["accounts"]["delivered"] == 40
    assert len(switched_off(stage)) == 40


def test_an_empty_list_of_a_small_company_switches_nothing_off_before_a_person_agrees(small):
    small.ran()
    with small.erp.lock:
        small.erp.tables["ProfitCenters"].clear()
        for code in ("V10000", "V10002"):
            del small.erp.tables["BusinessPartners"][code]
    for flow, key in (("cost_centers", "CC100"), ("vendors", "V10001")):
        compare_everything(small, flow, key)
    held = {(line["flow"], line["waiting_for"]) for line in small.ran()["held"]}
    assert held == {("cost_centers", "approval:cost_centers"), ("vendors", "approval:vendors")}
    assert all(c["companies"][0]["active"] for c in small.imported("costCenters").values())
    assert vendor(small, "V10002")["processingStatus"]["active"] is True
    small.ops("confirm-deactivation", small.tenant, "cost_centers", "--yes")
    small.ran()
    assert not any(c["companies"][0]["active"] for c in small.imported("costCenters").values())


def switched_off(stage):
    return [a for a in stage.imported("accounts").values() if not any(c.get("active", True) for c in a["companies"])]


def test_an_order_that_closes_without_a_change_stamp_is_closed_in_basware(small):
    order, other = small.order(), small.order(supplier="V10002")
    small.ran()
    with small.erp.lock:  # invoiced in full: SAP closes it, and may leave its UpdateDate where it was
        row = small.erp.tables["PurchaseOrders"][order["DocEntry"]]
        row["DocumentStatus"] = "bost_Close"
        row["UpdateDate"] = "2020-01-01"
        for line in row["DocumentLines"]:
            line["LineStatus"] = "bost_Close"
    compare_everything(small, "purchase_orders", str(other["DocEntry"]))
    small.ran()
    headers = {h["orderNumber"]: h for h in small.imported("matchingOrders").values()}
    assert headers[str(order["DocNum"])]["isClosed"] is True
    assert headers[str(other["DocNum"])]["isClosed"] is False
