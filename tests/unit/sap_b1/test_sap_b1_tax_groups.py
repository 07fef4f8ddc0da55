"""Tax groups that are not there, or that the company refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.errors import Held, Misconfigured
from ml_connector.records import CodingRow, Invoice
from ml_connector.systems.sap_b1.faults import DIALECT, Fault
from tests.unit.sap_b1.test_sap_b1_posting import Codes, invoice, target

# ── tax groups that are not there ────────────────────────────────────────────────────────────────────────────

GROUPS: dict[str, Any] = {
    "404": httpx.Response(404, json={"error": {"code": "-2028", "message": "No matching records found"}}),
    "path": httpx.Response(404, json={"error": {"code": "-1", "message": "Unrecognized resource path."}}),
    "400": httpx.Response(400, json={"error": {"code": "-1", "message": "Property 'Category' is invalid"}}),
    "empty": httpx.Response(200, json={"value": []}),
    "thin": httpx.Response(200, json={"value": [{"Code": "V1"}, {"Code": "V2", "VatGroups_Lines": []}]}),
    "odd": httpx.Response(200, json={"value": [{"Code": None}, {"Category": "bovcInputTax"}]}),
}


def taxed(percent: str | None, **fields: Any) -> Invoice:
    row = CodingRow(
        key="1",
        account="4711",
        net=Decimal("100.00"),
        tax=Decimal("19.00"),
        tax_percent=Decimal(percent) if percent else None,
    )
    return invoice(rows=(row,), **fields)


@pytest.mark.parametrize("kind", list(GROUPS))
@pytest.mark.parametrize(("percent", "sent"), [("19", None), (None, "V9")])
def test_missing_tax_groups_hold_no_invoice(bench: Any, kind: str, percent: str | None, sent: str | None) -> None:
    """Where neither code nor percentage is stated, the supplier's own group goes along."""
    one = target(bench)
    usual, supplier = bench.server.answer, httpx.Response(200, json={"CardCode": "S", "VatGroup": "V9"})
    there = {"VatGroups": GROUPS[kind], "BusinessPartners('S')": supplier}
    bench.server.answer = lambda r: there.get(r.url.path.rpartition("/")[2]) or usual(r)
    prepared = one.prepare(taxed(percent), Codes())
    assert prepared.body["DocumentLines"][0].get("VatGroup") == sent
    assert any("no tax groups" in note for note in prepared.notes) is (percent is not None)


def test_a_mapped_percentage_is_sent_where_there_are_no_tax_groups(bench: Any) -> None:
    class Mapped(Codes):
        def erp(self, kind: str, code: str) -> str:
            return "V1" if (kind, code) == ("tax", "19") else code

    one = target(bench)
    usual = bench.server.answer
    bench.server.answer = lambda r: GROUPS["400"] if "VatGroups" in r.url.path else usual(r)
    assert one.prepare(taxed("19"), Mapped()).body["DocumentLines"][0]["VatGroup"] == "V1"


@pytest.mark.parametrize(("groups", "waiting_for"), [(["V1", "V2"], "tax:19"), (["V1"], None)])
def test_tax_groups_that_are_there_still_decide(bench: Any, groups: list[str], waiting_for: str | None) -> None:
    one = target(bench)
    usual = bench.server.answer
    rows = [{"Code": code, "VatGroups_Lines": [{"Effectivefrom": "2020-01-01", "Rate": 19}]} for code in groups]
    shown = httpx.Response(200, json={"value": rows})
    bench.server.answer = lambda r: shown if "VatGroups" in r.url.path else usual(r)
    if waiting_for is None:
        assert one.prepare(taxed("19"), Codes()).body["DocumentLines"][0]["VatGroup"] == "V1"
        return
    with pytest.raises(Held) as held:
        one.prepare(taxed("19"), Codes())
    assert held.value.waiting_for == waiting_for


def test_a_user_who_may_not_see_tax_groups_is_told(bench: Any) -> None:
    one = target(bench)
    usual = bench.server.answer
    bench.server.answer = lambda r: httpx.Response(403) if "VatGroups" in r.url.path else usual(r)
    with pytest.raises(Misconfigured, match="VatGroups"):
        one.prepare(taxed("19"), Codes())


# ── a refused tax of a row that states a rate alone ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("shown", [True, False], ids=["one group", "no groups"])
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("-2028", "No matching records found (ODBC -2028) [DocumentLines.VatGroup]"),
        ("-5002", "Enter valid tax code [PCH1.VatGroup][line: 1] , 'V19'"),
    ],
)
def test_a_refused_tax_that_was_chosen_by_its_rate_waits_for_a_mapping_of_it(
    bench: Any, code: str, text: str, *, shown: bool
) -> None:
    one, usual = target(bench), bench.server.answer
    groups = httpx.Response(
        200, json={"value": [{"Code": "V19", "VatGroups_Lines": [{"Effectivefrom": "2020-01-01", "Rate": 19}]}]}
    )
    there = groups if shown else GROUPS["empty"]
    bench.server.answer = lambda r: there if "VatGroups" in r.url.path else usual(r)
    error = DIALECT.judge(Fault(400, code, text), one.prepare(taxed("19"), Codes()))
    assert isinstance(error, Held)
    assert error.waiting_for == "tax:19"
