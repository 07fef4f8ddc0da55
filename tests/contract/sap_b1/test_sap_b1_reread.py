"""Records read again by their keys: what is gone, or ours no more, is left out."""

from __future__ import annotations

from typing import Any

from ml_connector.records import Account, CostCenter, Supplier


def _reread(bench: Any, kind: Any, keys: list[str]) -> list[str]:
    return [r.key for page in bench.connection.source(kind).reread(keys) for r in page.records]


def test_suppliers_are_read_again_by_their_codes_twenty_at_a_time(bench: Any) -> None:
    keys = [f"V1{n:04d}" for n in range(1, 51)]
    there = {r["CardCode"] for r in bench.world.rows("BusinessPartners") if r["CardType"] == "cSupplier"}
    assert sorted(_reread(bench, Supplier, keys)) == sorted(set(keys) & there)


def test_what_is_no_supplier_any_more_or_gone_is_left_out(bench: Any) -> None:
    bench.world.upsert("BusinessPartners", {"CardCode": "V10001", "CardType": "cCustomer"})
    assert _reread(bench, Supplier, ["V10001", "V10002", "never there", "O'Neill"]) == ["V10002"]


def test_an_account_that_became_a_title_is_left_out(bench: Any) -> None:
    rows = [r for r in bench.world.rows("ChartOfAccounts") if r["ActiveAccount"] == "tYES"]
    first, second = rows[0]["Code"], rows[1]["Code"]
    bench.world.upsert("ChartOfAccounts", {"Code": first, "ActiveAccount": "tNO"})
    assert _reread(bench, Account, [first, second]) == [second]


def test_profit_centres_are_read_again(bench: Any) -> None:
    code = next(iter(bench.world.rows("ProfitCenters")))["CenterCode"]
    assert _reread(bench, CostCenter, [code, "none"]) == [code]
