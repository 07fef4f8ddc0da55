"""What X3 demands of a journal entry, and what becomes of one, by api1."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infra.sandbox.kit.codec import decode
from tests.contract.sandbox_sage_x3.conftest import balance, complaint, line, payable


def booked(reply):
    assert reply.status_code == 201, reply.text
    body = decode(reply.content)
    assert "$diagnoses" not in body, reply.text
    return body


def test_an_entry_is_booked_with_a_number_and_an_open_item(api, world, entry):
    reply = api.create("GACCENTRY", entry())
    body = booked(reply)
    assert body["NUM"] == "PIINV2602-0001" and reply.headers["Location"].endswith(
        "/GACCENTRY('PIINV~PIINV2602-0001')?representation=ZGACCENTRY.$details"
    )
    assert (body["STA"], body["CPY"], body["REFINT"], body["FIY"], body["PER"]) == (2, "FR10", "our-key", 2026, 2)
    lines = body["GACCENTRYD"]
    assert [(one["LIN"], one["ACC"], one["SNS"], one["AMTCUR"]) for one in lines] == [
        (1, "400001", 1, 100),
        (2, "445660", 1, 19),
        (3, "401100", -1, 119),
    ]
    assert lines[0]["GACCENTRYA"][0]["CCE"] == ["CC101"] and lines[2]["SAC"] == "401"
    item = api.rows("GACCDUDATE", where=f"NUM eq '{body['NUM']}'")[0]
    assert (item["AMTCUR"], item["PAYCUR"], item["TMPCUR"], item["FLGCLE"], item["FLGPAZ"]) == (119, 0, 0, 1, 4)
    assert item["ACCNUM"] == lines[2]["ACCNUM"] and balance(world) == 0
    assert api.rows("GACCENTRY", where="REFINT eq 'our-key'")[0]["$key"] == f"PIINV~{body['NUM']}"


def test_the_entry_type_decides_what_is_final(api, entry):
    assert booked(api.create("GACCENTRY", entry(TYP="PITMP")))["STA"] == 1


def test_only_a_writable_representation_creates(api, world, entry):
    reply = api.create("GACCENTRY", entry(), "GACCENTRY")
    assert reply.status_code == 500 and "Facet $create" in complaint(reply)
    api.control("representations", **{"class": "GACCENTRY", "name": "ZGACCENTRY", "drop": True})
    assert api.create("GACCENTRY", entry()).status_code == 500


@pytest.mark.parametrize(
    ("head", "text"),
    [
        ({"TYP": "NOSUC"}, "Entry type NOSUC"),
        ({"TYP": "piinv"}, "Entry type piinv"),
        ({"FCY": "XX"}, "Site XX"),
        ({"CPY": "US10"}, "does not belong"),
        ({"JOU": "ZZ"}, "Journal ZZ"),
        ({"CUR": "XXX"}, "Currency XXX"),
        ({"ACCDAT": "2029-01-01"}, "No fiscal year"),
        ({"REFINT": "x" * 26}, "REFINT : 25 characters"),
        ({"BPRVCR": "x" * 21}, "BPRVCR : 20 characters"),
        ({"DESVCR": "x" * 31}, "DESVCR : 30 characters"),
        ({"FLGPAZ": 9}, "FLGPAZ"),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused(api, world, entry, head, text):
    before = len(world.rows("GACCENTRY"))
    reply = api.create("GACCENTRY", entry(**head))
    assert reply.status_code == 200 and text in complaint(reply)
    assert len(world.rows("GACCENTRY")) == before


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([line("100"), payable("99")], "not balanced in ledger 1: 1"),
        ([payable("99")], "2 to 9999 lines"),
        ([line("100", "6999"), payable("100")], "Account FRA 6999"),
        ([line("100", "400119"), payable("100")], "400119 is not active"),
        ([line("100", COA="IAS"), payable("100")], "Chart of accounts IAS"),
        ([line("100", LEDTYP=3), payable("100")], "Ledger type 3"),
        ([line("100", SNS=0), payable("100")], "SNS : 1 or -1"),
        ([line("-100"), payable("-100")], "not below zero"),
        ([line("0.001"), payable("0.001")], "too many decimals"),
        ([line("100", CUR="USD"), payable("100")], "currency of a line"),
        ([line("100", BPR="V10000"), payable("100")], "no control account"),
        ([line("100"), line("100", "401100", -1)], "BP mandatory"),
        ([line("100"), payable("100", "V99999")], "BP V99999"),
        ([line("100"), payable("100", "V10009")], "V10009 is not active"),
        ([line("100", GACCENTRYA=[]), payable("100")], "dimension CCT is mandatory"),
        ([line("100", GACCENTRYA=[{"DIE": ["CCT"], "CCE": ["CC999"]}]), payable("100")], "Dimension CCT CC999"),
        ([line("100", GACCENTRYA=[{"DIE": "CCT", "CCE": "CC119"}]), payable("100")], "CC119 is not active"),
        (
            [line("100", GACCENTRYA=[{"DIE": "CCT", "CCE": "CC101", "AMTCUR": 60}]), payable("100")],
            "Distribution of CCT is 60",
        ),
        ([line("100", TAX="NOPE"), payable("100")], "Tax NOPE"),
        ([line("100", FCYLIN="US011"), payable("100")], "Site US011"),
    ],
)
def test_lines_that_break_a_rule_are_refused_and_nothing_is_booked(api, world, entry, lines, text):
    before = len(world.rows("GACCENTRYD"))
    assert text in complaint(api.create("GACCENTRY", entry(*lines)))
    assert len(world.rows("GACCENTRYD")) == before


@pytest.mark.parametrize(
    "body",
    [
        {"NOSUCH": "x"},
        {"ACCDAT": "10/02/2026"},
        {"ACCDAT": "2026-02-30"},
        {"REFINT": 5},
        {"GACCENTRYD": {"ACC": "400001"}},
        {"GACCENTRYD": [{"AMTCUR": "100.00"}]},
    ],
)
def test_what_cannot_be_read_is_400(api, entry, body):
    assert api.create("GACCENTRY", entry() | body).status_code == 400


def test_text_of_a_creation_that_is_no_json_is_400(api):
    reply = api.http.post("/api1/x3/erp/SEED/GACCENTRY?representation=ZGACCENTRY.$create", content=b"{", auth=api.auth)
    assert reply.status_code == 400


@pytest.mark.parametrize("status", [200, 201, 400])
def test_a_refusal_stands_beside_any_status(api, world, entry, status):
    world.refusal_status = status
    reply = api.create("GACCENTRY", entry(TYP="NOSUC"))
    assert reply.status_code == status and complaint(reply)


def test_a_closed_period_refuses_or_moves(api, world, entry):
    world.closed_periods = {"2026-02", "2026-03"}
    assert "Period 02/2026 is closed" in complaint(api.create("GACCENTRY", entry()))
    world.closed_period = "move"
    assert booked(api.create("GACCENTRY", entry()))["ACCDAT"] == "2026-04-01"


def test_the_same_entry_twice_is_two_entries_unless_the_folder_forbids_it(api, world, entry):
    first, second = (booked(api.create("GACCENTRY", entry()))["NUM"] for _ in range(2))
    assert first != second
    world.strict_source_document = True
    assert "Source document INV-1 already exists" in complaint(api.create("GACCENTRY", entry()))
    assert booked(api.create("GACCENTRY", entry(BPRVCR="INV-2")))


def test_a_number_of_ones_own_must_be_free(api, entry):
    assert booked(api.create("GACCENTRY", entry(NUM="MINE-1")))["NUM"] == "MINE-1"
    assert "PIINV MINE-1 : Record already exists" in complaint(api.create("GACCENTRY", entry(NUM="MINE-1")))


def test_other_ledgers_follow_the_first_one(api, world, entry):
    assert api.control("charts", chart="IAS") == ["FRA", "IAS"]
    lines = booked(api.create("GACCENTRY", entry()))["GACCENTRYD"]
    assert sorted((one["LEDTYP"], one["COA"]) for one in lines) == [(1, "FRA")] * 3 + [(3, "IAS")] * 3
    assert len([row for row in world.rows("GACCDUDATE") if row["NUM"] == "PIINV2602-0001"]) == 1


def test_a_foreign_entry_is_kept_in_both_currencies(api, entry):
    body = booked(api.create("GACCENTRY", entry(line("100"), payable("100"), CUR="USD")))
    assert (body["GACCENTRYD"][0]["AMTCUR"], body["GACCENTRYD"][0]["AMTLED"]) == (100, Decimal("92.15"))


def test_a_change_takes_what_it_names_and_a_final_entry_little(api, entry):
    final, draft = (booked(api.create("GACCENTRY", entry(TYP=kind)))["$key"] for kind in ("PIINV", "PITMP"))
    body = decode(api.change("GACCENTRY", final, {"DESVCR": "Changed"}).content)
    assert (body["DESVCR"], body["REFINT"]) == ("Changed", "our-key")
    assert "BPRVCR cannot be changed" in complaint(api.change("GACCENTRY", final, {"BPRVCR": "X"}))
    assert decode(api.change("GACCENTRY", draft, {"BPRVCR": "X"}).content)["BPRVCR"] == "X"
    assert "721" in complaint(api.change("GACCENTRY", "PIINV~NONE", {"DESVCR": "X"}))


def test_only_a_temporary_entry_can_be_deleted(api, world, entry):
    final, draft = (booked(api.create("GACCENTRY", entry(TYP=kind)))["$key"] for kind in ("PIINV", "PITMP"))
    url = "/api1/x3/erp/SEED/GACCENTRY('{}')?representation=ZGACCENTRY.$edit"
    assert "final" in complaint(api.call("DELETE", url.format(final)))
    assert decode(api.call("DELETE", url.format(draft)).content) == {}
    assert "721" in complaint(api.call("DELETE", url.format(draft)))
    assert not [row for row in world.rows("GACCDUDATE") if row["TYP"] == "PITMP"]


def test_the_approval_of_an_open_item_goes_as_far_as_the_user_may(api, world, entry):
    booked(api.create("GACCENTRY", entry()))
    key = api.rows("GACCDUDATE", where="NUM eq 'PIINV2602-0001'")[0]["$key"]
    assert decode(api.change("GACCDUDATE", key, {"FLGPAZ": 1}).content)["FLGPAZ"] == 1
    world.user_pay_level = 3
    assert "your level of approval is 3" in complaint(api.change("GACCDUDATE", key, {"FLGPAZ": 4}))
    assert "PAYCUR cannot be changed" in complaint(api.change("GACCDUDATE", key, {"PAYCUR": 119}))
    assert api.change("GACCDUDATE", key, {"FLGPAZ": 1}, "GACCDUDATE").status_code == 500


def test_a_status_of_ones_own_can_be_set_on_an_invoice(api, world):
    key = world.rows("PINVOICE")[0]["NUM"]
    assert decode(api.change("PINVOICE", key, {"YAPSTA": "approved"}).content)["YAPSTA"] == "approved"
    assert world.find("PINVOICE", key)["YAPSTA"] == "approved"
