from __future__ import annotations

from infra.sandbox.basware.model import ForcedVerdict


def test_a_verdict_takes_its_time(basware, make):
    sent = basware.post("/v1/vendors", [make.vendor()])
    assert basware.verdicts(sent, wait=0.49) == {"V1": ("InProgress", None)}
    assert basware.world.imported.get("vendors", {}) == {}
    assert basware.verdicts(sent, wait=0.01) == {"V1": ("Success", None)}
    assert list(basware.world.imported["vendors"]) == ["V1"]


def test_an_unchanged_record_is_not_processed(basware, make):
    basware.verdicts(basware.post("/v1/vendors", [make.vendor(description=None)]))
    status, message = basware.verdicts(basware.post("/v1/vendors", [make.vendor()]))["V1"]
    assert (status, message) == ("NotProcessed", "Record skipped due to no changes from previous version")
    assert basware.verdicts(basware.post("/v1/vendors", [make.vendor(name="B")]))["V1"][0] == "Success"


def test_a_version_overtaken_within_a_second_expires(basware, make):
    first = basware.post("/v1/vendors", [make.vendor()])
    second = basware.post("/v1/vendors", [make.vendor(name="B")])
    assert basware.verdicts(first)["V1"][0] == "RecordExpired"
    assert basware.verdicts(second)["V1"][0] == "Success"


def test_an_unknown_company_is_an_error_of_that_item_alone(basware, make):
    batch = [make.vendor("V1"), make.vendor("V2", companies=[{"companyCode": "9999"}])]
    found = basware.verdicts(basware.post("/v1/vendors", batch))
    assert found["V1"][0] == "Success"
    assert found["V2"] == ("Error", "Record skipped due to wrong or missing CompanyCode")
    assert list(basware.world.imported["vendors"]) == ["V1"]


def test_an_order_needs_its_supplier_imported(basware, make):
    assert basware.verdicts(basware.post("/v1/matchingOrders", [make.order()]))["O1"][0] == "Error"
    basware.verdicts(basware.post("/v1/vendors", [make.vendor()]))
    assert basware.verdicts(basware.post("/v1/matchingOrders", [make.order()]))["O1"][0] == "Success"


def with_order(basware, make):
    basware.post("/v1/vendors", [make.vendor()])
    basware.post("/v1/matchingOrders", [make.order()])
    basware.later(1)


def test_a_line_needs_its_order_imported(basware, make):
    assert basware.verdicts(basware.post("/v1/matchingOrderLines", [make.line()]))["L1"][0] == "Error"
    with_order(basware, make)
    assert basware.verdicts(basware.post("/v1/matchingOrderLines", [make.line()]))["L1"][0] == "Success"


def line_verdict(basware, make, **changes):
    with_order(basware, make)
    return basware.verdicts(basware.post("/v1/matchingOrderLines", [make.line(**changes)]))["L1"][0]


def test_the_quantity_must_be_positive(basware, make):
    assert line_verdict(basware, make, quantity=0) == "Error"


def test_blanket_has_quantity_1_and_no_receipts(basware, make):
    assert line_verdict(basware, make, matchingMode="Blanket", quantity=2) == "Error"
    assert line_verdict(basware, make, matchingMode="Blanket", quantity=1, isReceiptRequired=True) == "Error"
    assert line_verdict(basware, make, matchingMode="Blanket", quantity=1) == "Success"


def test_service_has_quantity_1_and_receipts(basware, make):
    receipts = {"isReceiptRequired": True, "isReceiptBasedMatching": True}
    assert line_verdict(basware, make, matchingMode="Service", quantity=1) == "Error"
    assert line_verdict(basware, make, matchingMode="Service", quantity=2, **receipts) == "Error"
    assert line_verdict(basware, make, matchingMode="Service", quantity=1, **receipts) == "Success"


def test_is_deleted_must_have_a_value_and_an_amount_is_needed(basware, make):
    assert line_verdict(basware, make, isDeleted=None) == "Error"
    assert line_verdict(basware, make, netSum=None) == "Error"


def test_the_lines_of_an_order_agree_on_net_or_gross(basware, make):
    with_order(basware, make)
    gross = make.line("L2", netSum=None, grossSum=11)
    assert basware.verdicts(basware.post("/v1/matchingOrderLines", [make.line(), gross]))["L2"][0] == "Error"


def test_a_vendor_with_an_unknown_payment_term_is_imported_with_a_warning(basware, make):
    sent = basware.post("/v1/vendors", [make.vendor(paymentTerms={"paymentTermCode": "N30"})])
    assert basware.verdicts(sent)["V1"][0] == "Warning"
    assert "V1" in basware.world.imported["vendors"]


def test_an_account_code_belongs_to_one_record_in_a_company(basware, make):
    basware.verdicts(basware.post("/v1/accounts", [make.account("A1")]))
    twice = make.account("A2", accountCode="A1")
    assert basware.verdicts(basware.post("/v1/accounts", [twice]))["A2"][0] == "Error"


def test_payment_term_rules(basware):
    names = [{"language": "en-US", "translation": "30 days"}]
    term = {
        "externalCode": "N30",
        "paymentTermCode": "N30",
        "paymentTermNames": names,
        "validFrom": "2020-01-01",
        "validTo": "2099-12-31",
        "companies": [{"companyCode": "1000", "active": True, "inherit": True}],
    }
    sent = basware.post(
        "/v1/paymentTerms", [term, term | {"externalCode": "M", "paymentTermCode": "M", "dueDateEom": 13}]
    )
    assert {code: verdict[0] for code, verdict in basware.verdicts(sent).items()} == {"N30": "Success", "M": "Error"}
    assert basware.post("/v1/paymentTerms", [term | {"moveDueDatesTo": "3"}]).status_code == 400
    assert basware.post("/v1/paymentTerms", [term | {"cashDueDateCalc": 3}]).status_code == 400


def test_the_list_of_requests_shows_errors_unless_narrowed(basware, make):
    basware.post("/v1/vendors", [make.vendor("V1")])
    basware.post("/v1/accounts", [make.account(companies=[])])
    basware.later(1)
    kinds = [entry["entityType"] for entry in basware.get("/v1/requestStatus").json()["requestStatus"]]
    assert kinds == ["Account"]
    assert len(basware.get("/v1/requestStatus", params={"system": "P2P"}).json()["requestStatus"]) == 2
    assert basware.get("/v1/requestStatus", params={"entityType": "Vendor"}).status_code == 200
    assert basware.get("/v1/requestStatus", params={"status": "InProgress"}).status_code == 404
    assert basware.get("/v1/requestStatus", params={"status": "Broken"}).status_code == 400


def test_successful_items_are_left_out_under_two_spellings(basware, make):
    batch = [make.vendor("V1"), make.vendor("V2", companies=[])]
    sent = basware.post("/v1/vendors", batch)
    basware.later(1)
    one = f"/v1/requestStatus/{sent.headers['x-amzn-RequestId']}"

    def shown(path, spelling):
        entry = basware.get(path, params={spelling: "true"}).json()["requestStatus"][0]
        return len(entry["systems"][0]["items"])

    assert shown(one, "ignoreSuccessfulItems") == 1
    assert shown(one, "ignoreSuccessfullItems") == 2
    assert shown("/v1/requestStatus", "ignoreSuccessfullItems") == 1


def test_requests_are_acknowledged_once_and_when_settled(basware, make):
    sent = basware.post("/v1/vendors", [make.vendor()])
    body = {"requestIds": [sent.headers["x-amzn-RequestId"]]}
    assert basware.post("/v1/requestStatus/acknowledge", body).status_code == 400
    basware.later(1)
    assert basware.post("/v1/requestStatus/acknowledge", body).status_code == 200
    assert basware.post("/v1/requestStatus/acknowledge", body).status_code == 405
    assert basware.post("/v1/requestStatus/acknowledge", {"requestIds": ["x"]}).status_code == 404
    found = basware.get("/v1/requestStatus", params={"status": "AcknowledgedSuccess"}).json()
    assert found["requestStatus"][0]["requestId"] == body["requestIds"][0]


def test_a_request_that_was_refused_has_no_status(basware, make):
    refused = basware.post("/v1/vendors", [make.vendor(name=1)])
    assert basware.get(f"/v1/requestStatus/{refused.headers['x-amzn-RequestId']}").status_code == 404


def test_a_verdict_can_be_forced_or_withheld(basware, make):
    basware.world.forced = [ForcedVerdict("Vendor", message="no"), ForcedVerdict("Account", status="InProgress")]
    assert basware.verdicts(basware.post("/v1/vendors", [make.vendor()]))["V1"] == ("Error", "no")
    sent = basware.post("/v1/accounts", [make.account()])
    assert basware.verdicts(sent, wait=86400 / 48)["A1"][0] == "InProgress"
    basware.world.forced.clear()
    assert basware.verdicts(sent)["A1"][0] == "Success"


def test_a_list_value_needs_a_column_that_fits(basware):
    batch = [{"externalCode": "A", "text_6": "x"}, {"externalCode": "B", "text_5": "x", "number_3": 1}]
    found = basware.verdicts(basware.post("/v1/lists/ACC_LIST_1", batch))
    assert (found["A"][0], found["B"][0]) == ("Error", "Success")
    sent = basware.post("/v1/lists/ACC_LIST_11", [{"externalCode": "A", "text_1": "x" * 51}])
    assert basware.verdicts(sent)["A"][0] == "Error"


def test_an_edit_in_basware_shows_in_both_layers(basware, make):
    edited = make.vendor(paymentTerms={"paymentTermCode": "N14"})
    assert basware.http.post("/_sandbox/entities/vendors", json=[edited]).status_code == 200
    assert basware.get("/v1/vendors/V1").json()["paymentTerms"]["paymentTermCode"] == "N14"
    assert basware.http.get("/_sandbox/imported/vendors").json()["V1"] == edited
    assert basware.http.post("/_sandbox/entities/vendors", json=[{}]).status_code == 400
    assert basware.http.post("/_sandbox/entities/ships", json=[{}]).status_code == 404
