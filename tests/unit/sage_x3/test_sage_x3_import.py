"""Documents written by an import: what leaves, and what is concluded from the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import Held, LoginRefused, Misconfigured, OutcomeUnknown, Rejected, Transient, Unreachable
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.xml import below, parsed, text_of
from ml_connector.systems.sage_x3.entities import JOURNAL, Created
from ml_connector.systems.sage_x3.settings import Soap
from ml_connector.systems.sage_x3.soap import Imports
from tests.clock import Clock
from tests.unit.sage_x3.books import Books, Codes, invoice, row, target

ADDRESS = "https://x3.example/soap-generic/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC"
ANSWER = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<wss:runResponse xmlns:wss="http://www.adonix.com/WSS"><runReturn><messages>{messages}</messages>'
    "<resultXml><![CDATA[{result}]]></resultXml><status>{status}</status><technicalInfos/></runReturn>"
    "</wss:runResponse></soapenv:Body></soapenv:Envelope>"
)


def answer(status: str = "1", messages: str = "", **result: Any) -> httpx.Response:
    said = json.dumps({"GRP1": {"O_REQNUM": 0, "O_STATUS": 0, "O_MESSA": "", **result}})
    return httpx.Response(200, text=ANSWER.format(status=status, messages=messages, result=said))


class Server:
    """Answers each call with what `reply` says, and keeps what came."""

    def __init__(self, reply: Callable[[], httpx.Response] = answer) -> None:
        self.reply, self.calls = reply, list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        return self.reply()

    @property
    def given(self) -> dict[str, Any]:
        (said,) = [text_of(one) for _, one in below(parsed(self.calls[-1].content.decode()), "inputXml")]
        found: dict[str, Any] = json.loads(said)["GRP1"]
        return found


def imports(server: Server, **settings: Any) -> Imports:
    given = Soap.model_validate(
        {"url": "https://x3.example", "pool_alias": "POOL1", "templates": {"journal": "YGAS"}} | settings
    )
    clock = Clock(datetime(2026, 2, 10, tzinfo=UTC))
    http = Http(
        base_url=given.address, vendor="Sage X3", clock=clock, rng=SeededRandom(1), redactor=Redactor([]), timeout=5,
        transport=httpx.MockTransport(server),
    )  # fmt: skip
    return Imports(http, given)


def body(*rows: Any, **fields: Any) -> dict[str, Any]:
    return dict(target(Books()).prepare(invoice(*rows, **fields), Codes()).body)


def test_a_document_leaves_as_one_file_in_the_columns_of_the_template() -> None:
    server = Server()
    given = row(cost_center="PROD", dimensions=(("PRJ", "P1"),), description="Ink & paper")
    made = imports(server).create(JOURNAL, body(given, due_date=date(2026, 3, 1), description="é"))
    assert isinstance(made, Created) and made.key is None
    assert (server.calls[0].method, str(server.calls[0].url)) == ("POST", ADDRESS)
    assert server.calls[0].headers["soapaction"] == '""'
    assert server.given == {
        "I_MODIMP": "YGAS", "I_AOWSTA": "NO", "I_EXEC": "REALTIME", "I_RECORDSEP": "|",
        "I_FILE": "G;BWINV;;FR011;ACH;20260210;é;EUR;;;20260301;;;;F-2026/17;;20260210;i1-0000000000000000;20260203"
        "|D;BWINV;;1;1;1;FR011;;606100;;Ink & paper;1;100.00;EUR|A;CCT;PROD;PRJ;P1;100.00"
        "|D;BWINV;;2;1;2;FR011;;445660;;Invoice F-2026/17;1;20.00;EUR"
        "|D;BWINV;;3;1;3;FR011;;401000;FR053;Invoice F-2026/17;-1;120.00;EUR|END",
    }  # fmt: skip


def test_messages_beside_the_answer_are_read_too() -> None:
    beside = '<messages href="#id0"/>'
    text = ANSWER.format(status="0", messages=beside, result="")
    text = text.replace(
        "</wss:runResponse>", '</wss:runResponse><multiRef id="id0"><message>E</message><type>3</type></multiRef>'
    )
    made = imports(Server(lambda: httpx.Response(200, text=text))).create(JOURNAL, body())
    assert isinstance(made, Fault) and made.text == "E"


def test_the_context_names_pool_and_language() -> None:
    server = Server()
    imports(server, language="FRA").create(JOURNAL, body())
    root = parsed(server.calls[0].content.decode())
    told = {name: [text_of(one) for _, one in below(root, name)] for name in ("poolAlias", "codeLang", "publicName")}
    assert told == {"poolAlias": ["POOL1"], "codeLang": ["FRA"], "publicName": ["AOWSIMPORT"]}
    assert "adxwss.optreturn=JSON" in text_of(next(one for _, one in below(root, "requestConfig")))


def test_more_than_two_dimensions_stand_behind_the_amount() -> None:
    made = body(row())
    made["GACCENTRYD"][0]["GACCENTRYA"] = [{"DIE": ["A", "B", "C"], "CCE": ["1", "2", "3"], "AMTCUR": Decimal("1.00")}]
    written = imports(Server()).file(JOURNAL, made).split("|")
    assert written[2] == "A;A;1;B;2;1.00;C;3"


@pytest.mark.parametrize("number", ["F;17", 'F"17', "F|17"])
def test_a_number_that_no_file_can_hold_is_refused_before_anything_is_sent(number: str) -> None:
    server = Server()
    writer = imports(server)
    with pytest.raises(Rejected, match="cannot be imported as BPRVCR"):
        target(Books(), writer=writer).prepare(invoice(number=number), Codes())
    assert server.calls == []


def test_a_status_of_0_under_200_is_a_failure() -> None:
    messages = "<messages><message>Account FRA 606100 : Record does not exist</message><type>3</type></messages>"
    made = imports(Server(lambda: answer("0", messages))).create(JOURNAL, body())
    assert isinstance(made, Fault) and made.text == "Account FRA 606100 : Record does not exist"
    nothing = imports(Server(lambda: answer("0"))).create(JOURNAL, body())
    assert isinstance(nothing, Fault) and nothing.text == "no reason is given"


def test_messages_of_a_success_are_told_and_informations_are_not() -> None:
    told = "".join(
        f"<messages><message>{said}</message><type>{kind}</type></messages>"
        for said, kind in (("1 record", 1), ("E", 3))
    )
    made = imports(Server(lambda: answer("1", told, O_MESSA="Line 3"))).create(JOURNAL, body())
    assert isinstance(made, Created) and made.record == {"O_MESSA": "E · Line 3"}


POOL = "No classic web service pool match to 'POOL1'"


@pytest.mark.parametrize(
    "reply",
    [
        lambda: answer("0", f"<messages><message>{POOL}</message><type>3</type></messages>"),
        lambda: answer("0", "<messages><message>Web service pool: no channel was free in time</message></messages>"),
        lambda: httpx.Response(500, text="No web services accepted"),
        lambda: httpx.Response(500, text='{"$diagnoses":[{"$message":"No web services accepted"}]}'),
    ],
    ids=["no pool", "busy", "no process", "no process, in JSON"],
)
def test_a_stopped_pool_opens_the_breaker_and_refuses_no_document(reply: Callable[[], httpx.Response]) -> None:
    server, books = Server(reply), Books()
    one = target(books, writer=imports(server))
    wanted = one.prepare(invoice(), Codes())
    with pytest.raises(Unreachable, match=r"runs no web service .* 'soap\.pool_alias'"):
        one.send(wanted)
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        lambda: httpx.Response(200, text="<html>Sign in</html>"),
        lambda: httpx.Response(200, text=ANSWER[:200]),
        lambda: httpx.Response(200, text="{}"),
        lambda: answer("2"),
        lambda: answer(""),
        lambda: httpx.Response(502, text="Bad gateway"),
        lambda: httpx.Response(503, text="Busy"),
        lambda: httpx.Response(
            500,
            text="<soapenv:Envelope xmlns:soapenv='x'><soapenv:Body><soapenv:Fault><faultstring>Time-out"
            "</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>",
        ),
    ],
    ids=["page", "cut", "json", "odd status", "no status", "502", "503", "fault"],
)
def test_any_other_answer_leaves_the_outcome_unknown_and_is_not_repeated(reply: Callable[[], httpx.Response]) -> None:
    server = Server(reply)
    with pytest.raises(OutcomeUnknown):
        imports(server).create(JOURNAL, body())
    assert len(server.calls) == 1


def test_a_refused_token_is_a_refused_login() -> None:
    server = Server(lambda: httpx.Response(401, text="Error 30: Invalid token"))
    with pytest.raises(LoginRefused, match="Error 30"):
        imports(server).create(JOURNAL, body())


def test_a_connection_that_breaks_is_never_sent_again() -> None:
    def broken() -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    server = Server(broken)
    with pytest.raises(OutcomeUnknown):
        imports(server).create(JOURNAL, body())
    assert len(server.calls) == 1


def test_an_entry_that_an_import_wrote_without_our_key_is_told_once() -> None:
    books = Books()
    one = target(books, writer=imports(Server()))
    wanted = one.prepare(invoice(), Codes())
    books.enter(wanted.body, REFINT=" ")
    found = one.send(wanted)
    assert not found.ours and found.number == "BWINV2602-0001"
    said = one.read_back(found).notes
    assert any("add the column REFINT to import template YGAS" in note for note in said)
    assert not any("REFINT" in note for note in one.read_back(found).notes)


@pytest.mark.parametrize("change", [{"CUR": "USD"}, {"BPRDATVCR": date(2026, 1, 3)}])
def test_an_entry_without_our_key_that_differs_proves_no_import(change: dict[str, Any]) -> None:
    books = Books()
    one = target(books, writer=imports(Server()))
    wanted = one.prepare(invoice(), Codes())
    books.enter(wanted.body, REFINT=" ", **change)
    with pytest.raises(OutcomeUnknown) as doubt:
        one.send(wanted)
    assert doubt.value.taken


def test_a_refusal_of_an_import_holds_what_does_not_show() -> None:
    one = target(Books(), writer=imports(Server(lambda: answer(O_STATUS=1, O_MESSA="Account 606100 is not active"))))
    with pytest.raises(Held) as held:
        one.send(one.prepare(invoice(), Codes()))
    assert held.value.waiting_for == "account:606100"


def test_ping_imports_a_file_without_a_record_and_so_writes_nothing() -> None:
    server = Server(lambda: answer(O_MESSA="Import of YGAS"))
    assert imports(server).takes(JOURNAL) == "template YGAS can be imported in pool POOL1"
    assert server.given["I_FILE"] == "END"
    with pytest.raises(Misconfigured, match="with template YGAS: no reason"):
        imports(Server(lambda: answer("0"))).takes(JOURNAL)
    with pytest.raises(Misconfigured, match=r"soap\.templates\.journal"):
        imports(server, templates={}).takes(JOURNAL)
    with pytest.raises(Transient):
        imports(Server(lambda: httpx.Response(200, text="{}"))).takes(JOURNAL)


def test_nothing_is_changed_by_an_import() -> None:
    with pytest.raises(Misconfigured, match="cannot be changed by an import"):
        imports(Server()).update(JOURNAL, "BWINV~1", {"FLGPAZ": 1})
