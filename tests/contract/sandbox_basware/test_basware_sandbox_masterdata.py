from __future__ import annotations

import pytest


def codes(answer):
    return [error["code"] for error in answer.json()["errors"]]


def test_a_batch_is_a_bare_array_even_for_one(basware, make):
    assert basware.post("/v1/vendors", make.vendor()).status_code == 400
    assert basware.post("/v1/vendors", {"vendorEntities": [make.vendor()]}).status_code == 400
    answer = basware.post("/v1/vendors", [make.vendor()])
    assert (answer.status_code, answer.json()) == (200, [make.vendor()])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour"),
        ({"name": None}, "$.name"),
        ({"vendorCode": "V" * 26}, "$.vendorCode"),
        ({"externalCode": ""}, "$.externalCode"),
        ({"companies": [{"companyCode": 1000}]}, "companyCode"),
        ({"paymentTerms": [{"paymentTermCode": "N30"}]}, "$.paymentTerms"),
        ({"lastUpdated": "yesterday"}, "$.lastUpdated"),
        ({"addresses": [{"externalCode": "1", "name": "n", "countryId": "DEU"}]}, "countryId"),
        ({"orderingDetails": {"orderingFormat": "pigeon"}}, "orderingFormat"),
    ],
)
def test_a_record_that_breaks_the_schema_is_refused(basware, make, change, message):
    answer = basware.post("/v1/vendors", [make.vendor(**change)])
    assert answer.status_code == 400
    assert answer.json()["hasErrors"] is True
    assert answer.json()["requestId"] == answer.headers["x-amzn-RequestId"]
    assert message in answer.json()["errors"][0]["message"]
    assert set(answer.json()["errors"][0]) == {"externalCode", "type", "code", "message", "info"}


def test_one_bad_record_keeps_the_whole_batch_out(basware, make):
    answer = basware.post("/v1/vendors", [make.vendor("V1"), make.vendor("V2", name=7)])
    assert [error["externalCode"] for error in answer.json()["errors"]] == ["V2"]
    assert basware.get("/v1/vendors").status_code == 404
    assert basware.world.requests == {}


def test_one_code_twice_in_a_batch_is_a_conflict(basware, make):
    answer = basware.post("/v1/vendors", [make.vendor(), make.vendor()])
    assert answer.status_code == 409
    assert codes(answer) == ["CONFLICT_IN_POST"]


@pytest.mark.parametrize(
    ("path", "builder", "limit"),
    [
        ("vendors", "vendor", 200),
        ("accounts", "account", 500),
        ("matchingOrders", "order", 500),
        ("matchingOrderLines", "line", 100),
    ],
)
def test_a_batch_above_its_limit_is_refused(basware, make, path, builder, limit):
    batch = [getattr(make, builder)(f"X{n}") for n in range(limit + 1)]
    assert basware.post(f"/v1/{path}", batch).status_code == 400
    assert basware.post(f"/v1/{path}", batch[:limit]).status_code == 200


def test_a_body_above_6_mb_is_413(basware):
    assert basware.post("/v1/vendors", ["x" * (6 * 1024 * 1024)]).status_code == 413


def test_a_body_that_is_no_json_or_not_announced_as_json_is_refused(basware):
    json_type = {"Content-Type": "application/json"}
    assert basware.ask("POST", "/v1/vendors", content=b"[{", headers=json_type).status_code == 400
    assert basware.ask("POST", "/v1/vendors", content=b"[NaN]", headers=json_type).status_code == 400
    assert basware.ask("POST", "/v1/vendors", content=b"[]", headers=json_type).status_code == 400
    assert basware.ask("POST", "/v1/vendors", content=b"[]").status_code == 415


def test_post_overwrites_fully_and_patch_only_what_it_names(basware, make):
    basware.post("/v1/vendors", [make.vendor(description="d", vendorClass="c")])
    basware.post("/v1/vendors", [make.vendor(description="d")])
    assert "vendorClass" not in basware.get("/v1/vendors/V1").json()
    answer = basware.ask("PATCH", "/v1/vendors/V1", json={"name": "B", "description": None})
    assert answer.status_code == 200
    stored = basware.get("/v1/vendors/V1").json()
    assert (stored["name"], stored["description"]) == ("B", "d")


def test_patch_refuses_another_code_an_unknown_record_and_a_bad_field(basware, make):
    basware.post("/v1/vendors", [make.vendor()])
    answer = basware.ask("PATCH", "/v1/vendors/V1", json={"externalCode": "V2"})
    assert (answer.status_code, codes(answer)) == (400, ["EXTERNAL_CODE_MISMATCH"])
    assert basware.ask("PATCH", "/v1/vendors/V9", json={"name": "B"}).status_code == 404
    assert basware.ask("PATCH", "/v1/vendors/V1", json={"name": ""}).status_code == 400
    assert basware.ask("PATCH", "/v1/vendors/V1", json=[{"name": "B"}]).status_code == 400


def test_an_empty_list_is_404_without_a_body(basware):
    answer = basware.get("/v1/vendors")
    assert (answer.status_code, answer.content) == (404, b"")


def test_lists_come_under_their_irregular_keys_or_bare(basware, make):
    basware.post("/v1/vendors", [make.vendor()])
    basware.post("/v1/lists/ACC_LIST_1", [{"externalCode": "P1", "text_1": "Plant"}])
    assert list(basware.get("/v1/vendors").json()) == ["vendorEntities"]
    assert list(basware.get("/v1/lists/ACC_LIST_1").json()) == ["listItems"]
    basware.world.wrapped_lists = False
    assert basware.get("/v1/vendors").json()[0]["externalCode"] == "V1"


def test_a_list_key_that_does_not_exist_is_refused(basware):
    assert basware.post("/v1/lists/ACC_LIST_36", [{"externalCode": "P1"}]).status_code == 400
    assert basware.post("/v1/lists/ACC_LIST_1", [{"externalCode": "P1", "text1": "x"}]).status_code == 400


@pytest.mark.parametrize("size", ["0", "501", "-1", "ten"])
def test_a_page_size_out_of_range_is_refused(basware, size):
    assert basware.get("/v1/vendors", params={"pageSize": size}).status_code == 400


def test_pages_follow_the_token_in_the_request_header(basware, make):
    basware.post("/v1/vendors", [make.vendor(f"V{n}") for n in range(5)])
    seen, token, pages = [], None, 0
    while pages == 0 or token:
        headers = {"x-amz-meta-continuationtoken": token} if token else {}
        answer = basware.get("/v1/vendors", params={"pageSize": 2}, headers=headers)
        seen += [record["externalCode"] for record in answer.json()["vendorEntities"]]
        token, pages = answer.headers.get("x-amz-meta-continuationtoken"), pages + 1
    assert (sorted(seen), pages) == ([f"V{n}" for n in range(5)], 3)


def test_a_token_in_the_query_does_nothing(basware, make):
    basware.post("/v1/vendors", [make.vendor(f"V{n}") for n in range(3)])
    first = basware.get("/v1/vendors", params={"pageSize": 2})
    token = first.headers["x-amz-meta-continuationtoken"]
    again = basware.get("/v1/vendors", params={"pageSize": 2, "x-amz-meta-continuationtoken": token})
    assert again.json() == first.json()


def test_a_token_belongs_to_its_query(basware, make):
    basware.post("/v1/vendors", [make.vendor(f"V{n}") for n in range(3)])
    token = basware.get("/v1/vendors", params={"pageSize": 1}).headers["x-amz-meta-continuationtoken"]
    header = {"x-amz-meta-continuationtoken": token}
    assert basware.get("/v1/vendors", params={"pageSize": 1}, headers=header).status_code == 200
    assert basware.get("/v1/vendors", params={"pageSize": 2}, headers=header).status_code == 400
    assert basware.get("/v1/accounts", params={"pageSize": 1}, headers=header).status_code == 400
    header = {"x-amz-meta-continuationtoken": "1"}
    assert basware.get("/v1/vendors", params={"pageSize": 1}, headers=header).status_code == 400


def test_the_time_filter_is_strict(basware, make):
    basware.post("/v1/vendors", [make.vendor()])
    stamp = basware.get("/v1/vendors/V1").json()["lastUpdated"]
    assert basware.get("/v1/vendors", params={"lastUpdated": stamp}).status_code == 404
    earlier = {"LastUpdated": "2026-03-02T08:59:59.999Z"}
    assert basware.get("/v1/vendors", params=earlier).status_code == 200
    assert basware.get("/v1/vendors", params={"lastUpdated": "02.03.2026"}).status_code == 400


def test_filters_by_company_and_order(basware, make):
    basware.post("/v1/vendors", [make.vendor()])
    assert basware.get("/v1/vendors", params={"companyCode": "1000"}).status_code == 200
    assert basware.get("/v1/vendors", params={"companyCode": "2000"}).status_code == 404
    basware.post("/v1/matchingOrderLines", [make.line("L1"), make.line("L2", orderExternalCode="O2")])
    found = basware.get("/v1/matchingOrderLines", params={"OrderExternalCode": "O2"}).json()
    assert [line["externalCode"] for line in found["matchingOrderLines"]] == ["L2"]


def test_order_lines_are_listed_for_one_order_only(basware, make):
    basware.post("/v1/matchingOrderLines", [make.line()])
    assert basware.get("/v1/matchingOrderLines").status_code == 400


def test_delete_needs_a_code_or_a_time_and_spares_the_target(basware, make):
    basware.post("/v1/vendors", [make.vendor("V1"), make.vendor("V2")])
    basware.later(1)
    assert basware.ask("DELETE", "/v1/vendors", json={}).status_code == 400
    assert basware.ask("DELETE", "/v1/vendors", json={"externalCode": "V1"}).status_code == 200
    assert basware.get("/v1/vendors/V1").status_code == 404
    answer = basware.ask("DELETE", "/v1/vendors", json={"lastUpdated": "0001-01-01"})
    assert answer.status_code == 202
    assert answer.json()["statusApiLink"]
    assert sorted(basware.world.imported["vendors"]) == ["V1", "V2"]


def test_a_wrong_method_or_address_is_405_or_404(basware):
    assert basware.ask("PUT", "/v1/vendors").status_code == 405
    assert basware.get("/v1/suppliers").status_code == 404
