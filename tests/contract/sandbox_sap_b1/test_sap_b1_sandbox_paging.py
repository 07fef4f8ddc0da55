"""Paging and next links (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

import pytest


def test_a_page_has_twenty_rows_and_a_next_link_only_when_more_follow(api, api_v1):
    page = api.get("ProfitCenters?$orderby=CenterCode").json()
    assert (len(page["value"]), page["@odata.nextLink"]) == (20, "/b1s/v2/ProfitCenters?$skip=20")
    assert api_v1.get("ProfitCenters").json()["odata.nextLink"] == "/b1s/v1/ProfitCenters?$skip=20"
    last = api.get("ProfitCenters?$orderby=CenterCode&$skip=20").json()
    assert (len(last["value"]), "@odata.nextLink" in last) == (3, False)


def test_exactly_one_full_page_has_no_next_link(api):
    assert "@odata.nextLink" not in api.get("ProfitCenters?$filter=InWhichDimension eq 1").json()


def test_the_default_next_link_drops_filter_and_select(api):
    page = api.get("BusinessPartners?$filter=CardType eq 'cSupplier'&$select=CardCode").json()
    assert page["@odata.nextLink"] == "/b1s/v2/BusinessPartners?$skip=20"


@pytest.mark.parametrize(
    ("style", "link"),
    [
        ("relative", "BusinessPartners?$select=CardCode,CardName&$filter=CardType%20eq%20%27cSupplier%27&$skip=20"),
        ("path", "/b1s/v2/BusinessPartners?$select=CardCode,CardName&$filter=CardType%20eq%20%27cSupplier%27&$skip=20"),
    ],
)
def test_the_next_link_can_keep_the_query(api, world, style, link):
    world.next_link_style = style
    page = api.get("BusinessPartners?$select=CardCode,CardName&$filter=CardType eq 'cSupplier'").json()
    assert page["@odata.nextLink"] == link


def test_the_page_size_can_be_asked_for(api):
    reply = api.get("BusinessPartners", Prefer="odata.maxpagesize=50")
    assert len(reply.json()["value"]) == 50
    assert reply.headers["Preference-Applied"] == "odata.maxpagesize=50"
    assert len(api.rows("BusinessPartners", B1S_PageSize="33")) == 33


def test_page_size_zero_is_everything(api):
    page = api.get("BusinessPartners", Prefer="odata.maxpagesize=0").json()
    assert (len(page["value"]), "@odata.nextLink" in page) == (325, False)


def test_top_ends_the_pages(api):
    assert "@odata.nextLink" not in api.get("BusinessPartners?$top=5").json()
    assert "@odata.nextLink" in api.get("BusinessPartners?$top=25").json()
    assert "@odata.nextLink" not in api.get("BusinessPartners?$top=5&$skip=20").json()


def test_ties_come_in_any_order_when_switched_on(api, world):
    world.shuffle_ties = True
    seen = {tuple(row["CenterCode"] for row in api.rows("ProfitCenters?$orderby=Active")) for _ in range(3)}
    assert len(seen) == 3
    kept = {tuple(row["CenterCode"] for row in api.rows("ProfitCenters?$orderby=Active,CenterCode")) for _ in range(3)}
    assert len(kept) == 1
