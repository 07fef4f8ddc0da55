"""The SOAP web service: pools, envelopes, imports by template, exports."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest

from infra.sandbox.kit.codec import decode
from infra.sandbox.sage_x3.seed import CLIENT_ID, CLIENT_SECRET
from tests.contract.sandbox_sage_x3.conftest import balance
from tests.contract.sandbox_sage_x3.test_x3_sandbox_tokens import minted

URL = "/soap-generic/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC"
HEAD = "G;PIINV;;FR011;ACH;20260201;Invoice;EUR;STD;;20260301;4;;REF-1;INV-1;;;our-key;20260131"
LINES = ["D;;;;1;;;;400001;;Coding;1;100.00;EUR", "A;CCT;CC101;PRJ;P001;100.00"]
LINES += ["D;;;;1;;;;445660;;Tax;1;19.00;EUR", "D;;;;1;;;401;401100;V10000;;-1;119.00;EUR"]
FILE = "|".join([HEAD, *LINES, "END"])


class Soap:
    def __init__(self, api) -> None:
        self.api, self.config = api, "adxwss.optreturn=JSON&amp;adxwss.beautify=true"
        self.pool, self.headers = "WSPOOL", {"SOAPAction": ""}

    def send(self, name: str, text: str, operation: str = "run"):
        context = f"<codeLang>ENG</codeLang><poolAlias>{self.pool}</poolAlias><poolId></poolId>"
        body = (
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:wss="http://www.adonix.com/WSS"><soapenv:Body>'
            f"<wss:{operation}><callContext>{context}<requestConfig>{self.config}</requestConfig></callContext>"
            f"<publicName>{name}</publicName><inputXml><![CDATA[{text}]]></inputXml></wss:{operation}>"
            "</soapenv:Body></soapenv:Envelope>"
        )
        return self.api.http.post(URL, content=body.encode(), headers=self.headers, auth=self.api.auth)

    def run(self, name: str, inputs: Any) -> dict[str, Any]:
        text = inputs if isinstance(inputs, str) else json.dumps(inputs)
        root = returned(self.send(name, text))
        assert root.findtext("status") == "1", ElementTree.tostring(root)
        found: dict[str, Any] = decode((root.findtext("resultXml") or "").encode())["GRP1"]
        return found

    def take(self, file: str = FILE, template: str = "GACCENTRY") -> dict[str, Any]:
        return self.run("AOWSIMPORT", importing(file, template))


def importing(file: str = FILE, template: str = "GACCENTRY") -> dict[str, Any]:
    group = {"I_MODIMP": template, "I_AOWSTA": "NO", "I_EXEC": "REALTIME", "I_RECORDSEP": "|", "I_FILE": file}
    return {"GRP1": group}


def returned(reply) -> ElementTree.Element:
    assert reply.status_code == 200, reply.text
    found = ElementTree.fromstring(reply.content).find(".//runReturn")
    assert found is not None
    return found


def failure(reply) -> str:
    """The message of an answer with status 0, wherever it stands."""
    root = ElementTree.fromstring(reply.content)
    assert reply.status_code == 200 and root.findtext(".//status") == "0" and not root.findtext(".//resultXml")
    return str(root.findtext(".//message"))


@pytest.fixture
def soap(api) -> Soap:
    return Soap(api)


def entries(world) -> list[dict[str, Any]]:
    return [row for row in world.rows("GACCENTRY") if row["ORIGIN"] == 3]


def test_a_file_is_imported_as_an_entry_with_its_reference(soap, world):
    found = soap.take()
    assert (found["O_STATUS"], found["O_REQNUM"]) == (0, 1) and "PIINV2602-0001 created" in found["O_MESSA"]
    row = entries(world)[0]
    assert (row["REFINT"], row["BPRVCR"], str(row["BPRDATVCR"]), row["STA"]) == ("our-key", "INV-1", "2026-01-31", 2)
    assert [line["ACC"] for line in world.lines("GACCENTRYD", "GACCENTRY", row)] == ["400001", "445660", "401100"]
    share = world.lines("GACCENTRYA", "GACCENTRY", row)[0]
    assert (share["DIE"], share["CCE"]) == (["CCT", "PRJ"], ["CC101", "P001"]) and balance(world) == 0
    assert [item["AMTCUR"] for item in world.rows("GACCDUDATE") if item["NUM"] == row["NUM"]] == [Decimal(119)]


def test_an_import_that_is_repeated_books_twice(soap, world):
    soap.take(), soap.take()
    assert len(entries(world)) == 2


def test_one_bad_record_stops_no_other(soap, world):
    bad = "|".join([HEAD.replace("PIINV", "NOSUC"), *LINES])
    found = soap.take(f"{bad}|{FILE}")
    assert found["O_STATUS"] == 1 and "1 : Entry type NOSUC" in found["O_MESSA"]
    assert len(entries(world)) == 1
    world.import_status, world.import_messages = 0, False
    found = soap.take(f"{bad}|END")
    assert (found["O_STATUS"], found["O_MESSA"]) == (0, "") and len(entries(world)) == 1


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("20260201", "2026-02-01", "ACCDAT : incorrect value"),
        ("100.00", "100,00", "AMTCUR : incorrect value"),
        ("119.00", "118.00", "not balanced"),
        ("V10000", "V99999", "BP V99999"),
        ("our-key", "x" * 26, "REFINT : 25 characters"),
        ("20260131", "20260131;x", "19 fields, and the template has 18"),
        ("D;;;;1;;;;445660", "X;;;;1;;;;445660", "Record X : unknown"),
    ],
)
def test_a_record_that_is_wrong_is_told_in_the_log_only(soap, world, old, new, text):
    found = soap.take(FILE.replace(old, new))
    assert found["O_STATUS"] == 1 and text in found["O_MESSA"]
    assert not entries(world)


def test_templates_may_lack_columns_or_write_dates_otherwise(soap, world):
    soap.take(FILE.replace(";our-key;20260131", ""), "GASBARE")
    assert entries(world)[-1]["REFINT"] == ""
    soap.take(FILE.replace("20260201", "010226").replace("20260301", "010326").replace("20260131", "310126"), "GASDMY")
    assert str(entries(world)[-1]["ACCDAT"]) == "2026-02-01"
    world.not_entered = {"REFINT"}
    soap.take()
    assert entries(world)[-1]["REFINT"] == ""


def test_a_key_in_the_file_is_refused_when_it_exists_and_no_key_is_a_creation(soap, world):
    file = FILE.replace("PIINV;;", "PIINV;MINE-1;")
    assert soap.take(file)["O_STATUS"] == 0
    assert "PIINV MINE-1 : Record already exists" in soap.take(file)["O_MESSA"]
    soap.api.control("templates", code="GACCENTRY", updates=True)
    assert "changed" in soap.take(file.replace("REF-1", "REF-2"))["O_MESSA"]
    assert world.find("GACCENTRY", "PIINV", "MINE-1")["REF"] == "REF-2" and len(entries(world)) == 1
    soap.api.control("templates", code="GACCENTRY", without="NUM")
    keyless = FILE.replace("PIINV;;", "PIINV;").replace("D;;;;", "D;;;")
    assert [soap.take(keyless)["O_STATUS"] for _ in range(2)] == [0, 0] and len(entries(world)) == 3


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (importing(template="NONE"), "NONE does not exist"),
        (importing(template="BPSEXP"), "not open to imports"),
        (importing(FILE.removesuffix("|END")), "END is missing"),
        ("{", "cannot be read"),
        ("<PARAM>", "cannot be read"),
    ],
)
def test_what_cannot_begin_is_status_0_under_200(soap, world, inputs, text):
    reply = soap.send("AOWSIMPORT", inputs if isinstance(inputs, str) else json.dumps(inputs))
    assert text in failure(reply) and not entries(world)
    world.multi_ref = True
    reply = soap.send("AOWSIMPORT", inputs if isinstance(inputs, str) else json.dumps(inputs))
    assert text in failure(reply) and b"multiRef" in reply.content


def test_inputs_and_results_may_be_xml(soap, world):
    soap.config = ""
    fields = "".join(f'<FLD NAME="{name}">{value}</FLD>' for name, value in importing()["GRP1"].items())
    result = returned(soap.send("AOWSIMPORT", f'<PARAM><GRP ID="GRP1">{fields}</GRP></PARAM>')).findtext("resultXml")
    group = ElementTree.fromstring(str(result)).find("GRP")
    assert {field.get("NAME"): field.text for field in group}["O_STATUS"] == "0" and len(entries(world)) == 1


def test_an_export_reads_what_a_criterion_names(soap, world):
    soap.take(), soap.take(FILE.replace("our-key", "other-key"))
    asked = {
        "GRP1": {"I_MODEXP": "GACCENTRY", "I_CHRONO": "NO"},
        "GRP2": [{"I_TCRITERE": "REFINT='our-key'"}],
        "GRP3": {"I_EXEC": "REALTIME", "I_RECORDSEP": "|"},
    }
    records = soap.run("AOWSEXPORT", asked)["O_FILE"].split("|")
    assert [record[0] for record in records] == ["G", "D", "A", "D", "D", "E"] and records[-1] == "END"
    assert "PIINV2602-0001" in records[0] and records[2] == "A;CCT;CC101;PRJ;P001;100.00"
    asked["GRP2"] = [{"I_TCRITERE": "NOSUCH='1'"}]
    assert "cannot be read" in failure(soap.send("AOWSEXPORT", json.dumps(asked)))


def test_no_children_no_pool_no_publication(soap, world):
    world.children = 0
    reply = soap.send("AOWSIMPORT", json.dumps(importing()))
    assert (reply.status_code, reply.text) == (500, "No web services accepted")
    world.children, soap.pool = 2, "wspool"
    assert failure(soap.send("AOWSIMPORT", "{}")) == "No classic web service pool match to 'wspool'"
    soap.pool = "WSPOOL"
    assert "not published" in failure(soap.send("ZNOPE", "{}"))
    assert "not published" in failure(soap.send("AOWSIMPORT", "{}", "query"))
    world.faults.add("slow-pool", "soap")
    assert "pool" in failure(soap.send("AOWSIMPORT", json.dumps(importing()))) and not entries(world)


def test_an_envelope_that_is_none_is_a_fault(soap, api):
    for content in (b"<a/>", b"nothing", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'):
        assert api.http.post(URL, content=content, headers=soap.headers, auth=api.auth).status_code == 500
    soap.headers = {}
    assert soap.send("AOWSIMPORT", "{}").status_code == 500


def test_who_may_call(soap, api, world, clock):
    soap.headers = {"SOAPAction": "run"} | minted(clock)
    soap.api.auth = None
    assert soap.send("AOWSIMPORT", json.dumps(importing())).status_code == 200
    soap.headers |= minted(clock, aud="x")
    reply = soap.send("AOWSIMPORT", json.dumps(importing()))
    assert (reply.status_code, reply.text) == (401, "Error 30: Invalid token")
    soap.headers = {"SOAPAction": ""}
    assert soap.send("AOWSIMPORT", "{}").status_code == 401
    assert CLIENT_ID in world.logins.refused and CLIENT_SECRET not in reply.text


def test_the_description_is_there(api):
    reply = api.call("GET", URL.replace("generic", "wsdl") + "?wsdl")
    assert reply.status_code == 200 and b"CAdxWebServiceXmlCC" in reply.content


# ── payments ────────────────────────────────────────────────────────────────────────────────────────────────────


def payment(number: str, amount: str = "119.00", kind: str = "VIRMT", approval: str = "1") -> str:
    head = f"P;;{kind};V10000;BNK01;FR011;EUR;{amount};20260210;CHQ-1;Paid;{approval}"
    return f"{head}|D;FOU;PIINV;{number};;EUR;{amount}|END"


def test_a_payment_is_entered_and_only_the_provisional_amount_moves(soap, world):
    soap.take()
    number, before = entries(world)[0]["NUM"], len(world.rows("GACCENTRY"))
    assert soap.take(payment(number), "PAY")["O_STATUS"] == 0
    item = next(row for row in world.rows("GACCDUDATE") if row["NUM"] == number)
    assert (item["PAYCUR"], item["TMPCUR"], item["FLGCLE"]) == (0, 119, 1)
    paid = world.rows("PAYMENTH")[-1]
    assert (paid["STA"], paid["APPFLG"]) == (1, 2) and len(world.rows("GACCENTRY")) == before
    line = world.lines("PAYMENTD", "PAYMENTH", paid)[0]
    assert (line["VCRNUM"], line["DUDNUM"], line["AMTLIN"]) == (number, item["ACCNUM"], 119)
    assert "more than is open" in soap.take(payment(number), "PAY")["O_MESSA"]


def test_the_approval_of_a_file_is_the_reverse_of_the_menu(soap, world):
    soap.take()
    number, before = entries(world)[0]["NUM"], len(world.rows("PAYMENTH"))
    for approval in ("2", ""):
        assert "not approved is not imported" in soap.take(payment(number, approval=approval), "PAY")["O_MESSA"]
    assert len(world.rows("PAYMENTH")) == before
    assert soap.take(payment(number, kind="VIRAP", approval="2"), "PAY")["O_STATUS"] == 0
    assert world.rows("PAYMENTH")[-1]["APPFLG"] == 1


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("119.00", "0", "AMTCUR 0"),
        ("VIRMT", "NOPE", "Payment type NOPE"),
        ("BNK01", "BNK99", "Bank BNK99"),
        ("V10000", "V10001", "another company, BP or currency"),
        ("FR011", "US011", "another company, BP or currency"),
        ("P;;", "P;MINE;", "given by the counter"),
        (";PIINV;", ";STDJE;", "no open items"),
        ("20260210", "20260230", "ACCDAT : incorrect value"),
    ],
)
def test_a_payment_that_breaks_a_rule_is_not_entered(soap, world, old, new, text):
    soap.take()
    before = len(world.rows("PAYMENTH"))
    file = payment(entries(world)[0]["NUM"]).replace(old, new)
    assert text in soap.take(file, "PAY")["O_MESSA"] and len(world.rows("PAYMENTH")) == before
