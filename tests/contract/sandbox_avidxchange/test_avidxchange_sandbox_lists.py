"""Master data, and the ways in which lists are filtered and cut into pages."""

from __future__ import annotations

import pytest

from infra.sandbox.avidxchange import add_vendor

ALL = "modifiedSince=2026-01-01"


def test_a_vendor_is_made_and_changed_and_keeps_what_is_not_said(api, world):
    reply = api.post("/vendors", {"externalVendorCode": "V1", "name": "One", "email": "a@b.example"})
    assert reply.status_code == 201 and reply.json() == {"id": "V1003", "externalVendorCode": "V1"}
    assert api.post("/vendors", {"externalVendorCode": "V1", "name": "Uno"}).json()["id"] == "V1003"
    (found,) = api.items("/vendors?externalVendorCode=V1")
    assert (found["name"], found["email"]) == ("Uno", "a@b.example")
    assert api.items("/vendors?externalVendorCode=v1") == []
    assert api.refused(api.post("/vendors", {"name": "none"}), 422) == "REQUIRED"


@pytest.mark.parametrize("flag", [{"active": False}, {"isActive": "false"}, {"status": "Inactive"}])
def test_a_vendor_may_be_deactivated_in_several_ways(api, world, bill, flag):
    api.post("/vendors", {"externalVendorCode": "V10000", **flag})
    assert api.refused(api.submit(bill()), 422) == "INVALID_VENDOR"
    api.post("/vendors", {"externalVendorCode": "V10000", "active": True, "isActive": True, "status": "Active"})
    assert api.submit(bill()).status_code == 201


def test_several_records_succeed_or_fail_one_by_one_under_200(api, world):
    rows = [{"group": "GL Account", "value": "6300"}, {"group": "GL Account"}, "x"]
    reply = api.post("/accounting-codes", {"items": rows})
    assert reply.status_code == 200
    assert [one["success"] for one in reply.json()["results"]] == [True, False, False]
    assert [row["value"] for row in api.items("/accounting-codes?group=GL%20Account")] == ["6100", "6200", "6300"]
    assert len(api.items("/accounting-codes?value=NY_B")) == 1


def test_an_order_names_a_vendor_that_is_there(api, world):
    order = {"purchaseOrderNumber": "50231", "vendorExternalCode": "V10009"}
    assert api.refused(api.post("/purchase-orders", order), 422) == "UNKNOWN_VENDOR"
    assert api.post("/purchase-orders", order | {"vendorExternalCode": "V10000"}).status_code == 201
    for query, count in (
        ("purchaseOrderNumber=50231", 1),
        ("vendorExternalCode=V10000", 1),
        ("purchaseOrderNumber=5", 0),
    ):
        assert len(api.items(f"/purchase-orders?{query}")) == count


@pytest.mark.parametrize("path", ["/vendors", "/accounting-codes", "/purchase-orders", "/invoices", "/payments"])
def test_lists_without_a_filter_are_refused(api, world, path):
    assert api.refused(api.raw("GET", path), 400) == "FILTER_REQUIRED"
    assert api.refused(api.raw("GET", f"{path}?pageNumber=1"), 400) == "FILTER_REQUIRED"
    assert api.refused(api.raw("GET", f"{path}?{ALL}&wrong=1"), 400) == "UNKNOWN_PARAMETER"
    world.unfiltered = "served"
    assert api.raw("GET", path).status_code == 200


def test_changes_since_a_day_or_a_moment(api, world, clock):
    clock.forward(days=1)
    add_vendor(world, "V2")
    for since, count in (("2026-02-10", 3), ("2026-02-11", 1), ("2026-02-11T09:30:00Z", 1), ("2026-02-12", 0)):
        api.log_in()
        assert len(api.items(f"/vendors?modifiedSince={since}")) == count
    for bad in ("yesterday", "2026-02-11T09:30:00", "11.02.2026"):
        assert api.refused(api.raw("GET", f"/vendors?modifiedSince={bad}"), 400) == "INVALID_DATE"
    world.filter_days = "date"
    assert api.refused(api.raw("GET", "/vendors?modifiedSince=2026-02-11T09:30:00Z"), 400) == "INVALID_DATE"
    world.filter_days = "datetime"
    assert api.refused(api.raw("GET", "/vendors?modifiedSince=2026-02-11"), 400) == "INVALID_DATE"


def test_a_server_may_take_a_filter_and_not_act_on_it(api, world):
    world.ignored_filters = {"externalVendorCode", "externalId"}
    assert len(api.items("/vendors?externalVendorCode=V10001")) == 2


@pytest.fixture
def five(world):
    """Five vendors, and pages of two."""
    for number in range(3):
        add_vendor(world, f"V1000{number + 2}")
    world.page_size = 2
    return [f"V1000{number}" for number in range(5)]


def codes(page):
    return [row["externalVendorCode"] for row in page["items"]]


def test_pages_by_number(api, world, five):
    pages = [api.get(f"/vendors?{ALL}&pageNumber={n}") for n in (1, 2, 3, 4)]
    assert [code for page in pages for code in codes(page)] == five
    assert pages[1]["paging"] == {"pageNumber": 2, "pageSize": 2, "pages": 3, "totalItems": 5}
    assert codes(api.get(f"/vendors?{ALL}&pageSize=4")) == five[:4]
    world.page_limit = 3
    assert codes(api.get(f"/vendors?{ALL}&pageSize=4")) == five[:3]
    world.over_limit = "refused"
    assert api.refused(api.raw("GET", f"/vendors?{ALL}&pageSize=4"), 400) == "INVALID_PARAMETER"
    assert api.refused(api.raw("GET", f"/vendors?{ALL}&pageNumber=x"), 400) == "INVALID_PARAMETER"
    assert api.refused(api.raw("GET", f"/vendors?{ALL}&offset=1"), 400) == "UNKNOWN_PARAMETER"


def test_pages_by_offset(api, world, five):
    world.paging = "offset"
    page = api.get(f"/vendors?{ALL}&offset=1&limit=3")
    assert codes(page) == five[1:4] and page["paging"] == {"offset": 1, "limit": 3, "totalItems": 5}
    assert api.refused(api.raw("GET", f"/vendors?{ALL}&pageNumber=1"), 400) == "UNKNOWN_PARAMETER"


def test_pages_by_cursor(api, world, five):
    world.paging, found, cursor = "cursor", [], ""
    while cursor is not None:
        page = api.get(f"/vendors?{ALL}" + (f"&cursor={cursor}" if cursor else ""))
        found += codes(page)
        cursor = page["paging"]["nextCursor"]
    assert found == five
    assert api.refused(api.raw("GET", f"/vendors?{ALL}&cursor=zz"), 400) == "INVALID_CURSOR"


def test_pages_by_link_relative_to_the_host(api, world, five):
    world.paging, world.prefix, found, path = "link", "/avidsuite/1.0", [], f"/avidsuite/1.0/vendors?{ALL}"
    api.http.base_url = "https://avidxchange.example"
    api.signed = {"Authorization": "Bearer x"}
    world.logins.tokens["x"] = world.clock().replace(year=2027)
    while path:
        assert path.startswith("/avidsuite/1.0/")
        page = api.get(path)
        found += codes(page)
        path = next((link["href"] for link in page["paging"]["links"] if link["rel"] == "next"), "")
    assert found == five
    assert api.raw("GET", f"/vendors?{ALL}").json()["fault"]["code"] == 900906


def test_no_pages_at_all(api, world, five):
    world.paging = "none"
    assert api.get(f"/vendors?{ALL}&pageNumber=2").keys() == {"items"}
    assert codes(api.get(f"/vendors?{ALL}")) == five


def test_an_address_behind_which_nothing_stands_is_not_an_absent_record(api):
    for method, path, status in (("GET", "/bills", 404), ("PUT", "/invoices", 405), ("DELETE", "/invoices/5501", 405)):
        reply = api.raw(method, path)
        assert reply.status_code == status and reply.json()["fault"]["message"].startswith("No matching resource")


# ── the gateway ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("placement", ["header", "query", "path"])
def test_a_company_may_have_to_be_named_in_each_call(api, world, placement):
    world.tenant, world.tenant_name = placement, "X-Company-Id" if placement == "header" else "companyId"
    assert api.raw("GET", f"/vendors?{ALL}").status_code == (404 if placement == "path" else 400)
    path = {"path": f"/101/vendors?{ALL}", "query": f"/vendors?{ALL}&companyId=101"}.get(placement, f"/vendors?{ALL}")
    assert api.raw("GET", path, **{"X-Company-Id": "101"}).status_code == 200
    wrong = path.replace("101", "999")
    assert api.raw("GET", wrong, **{"X-Company-Id": "999"}).status_code in (400, 404)


def test_what_the_subscription_lacks_is_forbidden(api, world):
    world.forbidden = {"payments"}
    reply = api.raw("GET", f"/payments?{ALL}")
    assert (reply.status_code, reply.json()["fault"]["code"]) == (403, 900908)
    assert api.raw("GET", f"/vendors?{ALL}").status_code == 200


@pytest.mark.parametrize("how", ["seconds", "date", "next"])
def test_too_many_calls_are_refused_until_a_minute_has_passed(api, world, clock, how):
    world.quota, world.throttle = 2, how
    assert [api.raw("GET", f"/vendors?{ALL}").status_code for _ in range(3)] == [200, 200, 429]
    clock.forward(seconds=20)
    reply = api.raw("GET", f"/vendors?{ALL}")
    told = (reply.headers.get("Retry-After"), reply.json()["fault"].get("nextAccessTime"))
    assert (
        told
        == {
            "seconds": ("40", None),
            "date": ("Tue, 10 Feb 2026 09:31:00 GMT", None),
            "next": (None, "2026-Feb-10 09:31:00+0000 UTC"),
        }[how]
    )
    clock.forward(seconds=40)
    assert api.raw("GET", f"/vendors?{ALL}").status_code == 200
