"""How api1 is asked, and what its answers mean: pages by `$links.$next`, diagnoses under any status, lines cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from ml_connector.embedded.clock import SeededRandom
from ml_connector.errors import Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.redact import Redactor
from ml_connector.systems.http import Http
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.sdata import literal, where
from ml_connector.systems.sage_x3.dialects import Api1
from ml_connector.systems.sage_x3.entities import (
    ACCOUNT,
    JOURNAL,
    PURCHASE_ORDER,
    SUPPLIER,
    Created,
    Entity,
)
from tests.clock import Clock

START = datetime(2026, 2, 10, 9, 30, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response] | httpx.Response | dict[str, Any]
SUPPLIERS = SUPPLIER.as_configured({})
ORDERS = PURCHASE_ORDER.as_configured({})
GONE = {"$diagnoses": [{"$severity": "error", "$message": "721 : Record does not exist"}]}
PATH = "/api1/x3/erp/SEED"


class Server:
    """Answers in order, the last for ever, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        one = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(one, dict):
            return httpx.Response(200, json=one)
        if isinstance(one, httpx.Response):
            return httpx.Response(one.status_code, content=one.content, headers=one.headers)
        return one(request)

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(one.url.query.decode())) for one in self.asked]


def reader(*answers: Answer, base: str = "https://x3.example:8124/inner") -> tuple[Api1, Server]:
    server = Server(*answers)
    http = Http(
        base_url=base,
        vendor="Sage X3",
        clock=Clock(START),
        rng=SeededRandom(1),
        redactor=Redactor([]),
        timeout=30,
        transport=httpx.MockTransport(server),
    )
    return Api1(http, PATH), server


def page(*codes: str, following: str | None = None, **more: Any) -> dict[str, Any]:
    links = {"$next": {"$url": following}} if following else {}
    rows = [{"$uuid": "u", "$key": code, "BPSNUM": code, "CUR": "EUR", "CUR_REF": {"$title": "Euro"}} for code in codes]
    return {"$itemsPerPage": 20, "$resources": rows, "$links": {"$first": {"$url": "x"}, **links}, **more}


def codes(api1: Api1, **more: Any) -> list[str]:
    return [row["BPSNUM"] for batch in api1.pages(SUPPLIERS, more.get("where", ()), None) for row in batch.rows]


# ── questions ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("FR053", "'FR053'"),
        ("O'Neill", '"O\'Neill"'),
        ('15" pipe', "'15\" pipe'"),
        (date(1959, 5, 29), "@1959-05-29@"),
        (datetime(2008, 5, 19, 16, 41, tzinfo=UTC), "@2008-05-19T16:41:00Z@"),
        (2, "2"),
        (Decimal("3.14"), "3.14"),
        (["A", "B'"], "('A',\"B'\")"),
    ],
)
def test_a_value_is_written_as_the_grammar_has_it(value: Any, said: str) -> None:
    assert literal(value) == said


def test_a_text_with_both_kinds_of_quotes_is_refused_in_words_and_never_sent() -> None:
    api1, server = reader(page())
    with pytest.raises(Rejected, match="both kinds of quotes"):
        list(api1.pages(SUPPLIERS, [("BPRVCR", "eq", "5\" O'Neill")], None))
    assert not server.asked


def test_conditions_are_encoded_in_the_address() -> None:
    api1, server = reader(page())
    list(api1.pages(SUPPLIERS, [("BPSNUM", "ge", "A B"), ("UPDDAT", "ge", date(2026, 1, 2))], None))
    raw = server.asked[0].url.query.decode()
    assert " " not in raw and "@" not in raw and "'" not in raw
    assert server.queries[0]["where"] == where([("BPSNUM", "ge", "A B"), ("UPDDAT", "ge", date(2026, 1, 2))])
    assert server.queries[0]["where"] == "(BPSNUM ge 'A B') and (UPDDAT ge @2026-01-02@)"


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_follow_the_next_link_and_keep_our_own_question() -> None:
    """A link may name an inner host, leave out `count` and `where`, and be relative."""
    api1, server = reader(
        page("A", "B", following=f"http://inner:8124{PATH}/BPSUPPLIER?representation=BPSUPPLIER.%24query&key=gt.B"),
        page("C", following=f"{PATH}/BPSUPPLIER?key=gt.C"),
        page("D"),
    )
    assert codes(api1, where=[("BPSNUM", "ne", "Z")]) == ["A", "B", "C", "D"]
    assert {one.url.host for one in server.asked} == {"x3.example"}
    assert {one.url.path for one in server.asked} == {f"/inner{PATH}/BPSUPPLIER"}
    assert [one.get("key") for one in server.queries] == [None, "gt.B", "gt.C"]
    assert {(one["count"], one["where"]) for one in server.queries} == {("100", "(BPSNUM ne 'Z')")}


def test_a_reading_goes_on_from_a_position() -> None:
    api1, server = reader(page("C"))
    first = next(reader(page("A", following=f"{PATH}/BPSUPPLIER?key=gt.A~1"))[0].pages(SUPPLIERS, (), None))
    assert [one.rows[0]["BPSNUM"] for one in api1.pages(SUPPLIERS, (), first.position)] == ["C"]
    assert server.queries[0]["key"] == "gt.A~1"


@pytest.mark.parametrize(
    ("following", "said"),
    [
        (f"{PATH}/BPSUPPLIER?representation=BPSUPPLIER.$query&count=20", "names no place"),
        (f"{PATH}/GACCOUNT?key=gt.A", "leads to .*/GACCOUNT"),
        ("https://elsewhere.example/steal?key=gt.A", "leads to /steal"),
        (f"{PATH}/BPSUPPLIER?key=gt.A", "leads back to itself"),
        ("http://[broken", "not an address"),
    ],
)
def test_a_link_that_leads_elsewhere_or_nowhere_is_an_error_and_no_end(following: str, said: str) -> None:
    api1, server = reader(page("A", following=following))
    with pytest.raises(Transient, match=f"pages in a loop: .*{said}"):
        codes(api1)
    assert len(server.asked) <= 2 and {one.url.host for one in server.asked} == {"x3.example"}


def test_pages_that_come_in_turn_are_noticed() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        turn = int(dict(parse_qsl(request.url.query.decode())).get("key", "gt.0").removeprefix("gt."))
        return httpx.Response(200, json=page("AB"[turn % 2], following=f"{PATH}/BPSUPPLIER?key=gt.{turn + 1}"))

    api1, asked = reader(server)
    with pytest.raises(Transient, match="pages in a loop"):
        codes(api1)
    assert len(asked.asked) == 3


def test_a_page_that_begins_with_the_last_record_gives_it_once() -> None:
    api1, _ = reader(page("A", "B", following=f"{PATH}/BPSUPPLIER?key=ge.B"), page("B", "C"))
    assert codes(api1) == ["A", "B", "C"]


def test_a_full_page_without_a_link_is_doubted_once() -> None:
    """Something in between may take the link away: what stands behind the last record tells."""
    full = page(*(f"S{n:02d}" for n in range(20)))
    api1, server = reader(full, page("S20", "S21"))
    assert len(codes(api1)) == 22 and server.queries[1]["key"] == "gt.S19"
    api1, server = reader(full, page())
    assert len(codes(api1)) == 20 and len(server.asked) == 2
    api1, server = reader(full)
    assert len(codes(api1)) == 20 and len(server.asked) == 2, "a server that does not know the option"


def test_a_server_that_ignores_the_condition_is_not_believed() -> None:
    api1, _ = reader(page("A", "B"))
    with pytest.raises(Transient, match="not asked for"):
        codes(api1, where=[("BPSNUM", "eq", "A")])


def test_internal_properties_and_references_are_left_out() -> None:
    api1, _ = reader(page("A"))
    assert next(api1.pages(SUPPLIERS, (), None)).rows == [{"BPSNUM": "A", "CUR": "EUR"}]


def test_a_record_without_its_key_costs_only_itself() -> None:
    body = page("A", "B")
    del body["$resources"][0]["BPSNUM"]
    batch = next(reader(body)[0].pages(SUPPLIERS, (), None))
    assert [row["BPSNUM"] for row in batch.rows] == ["B"]
    assert (batch.spoiled[0].key, batch.spoiled[0].reason) == ("A", "The supplier has no BPSNUM.")


def test_a_record_that_x3_reports_an_error_with_costs_only_itself() -> None:
    """Under 200, and in the middle of a list: such a record may lack anything."""
    body = page("A", "B")
    body["$resources"][0]["$diagnoses"] = [{"$severity": "error", "$message": "Currency cannot be read"}]
    batch = next(reader(body)[0].pages(SUPPLIERS, (), None))
    assert [row["BPSNUM"] for row in batch.rows] == ["B"]
    assert batch.spoiled[0].key == "A" and "Currency cannot be read" in batch.spoiled[0].reason


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_a_missing_representation_is_one_sentence_that_names_the_field(status: int) -> None:
    said = {"$diagnoses": [{"$severity": "error", "$message": "Representation not found: GACCOUNT"}]}
    api1, server = reader(httpx.Response(status, json=said))
    with pytest.raises(Misconfigured, match=r"classes\.account\.representation"):
        list(api1.pages(ACCOUNT.as_configured({}), (), None))
    assert len(server.asked) == 1
    with pytest.raises(Misconfigured):
        api1.one(ACCOUNT.as_configured({}), "FRA~4")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="not found"),
        httpx.Response(404, json={"message": "no route"}),
        httpx.Response(200, text="<html>Sign in</html>"),
        httpx.Response(500, json={"$severity": "error", "$dataCode": "InternalServerError", "$source": "Gateway"}),
        httpx.Response(200, json={"ok": True}),
    ],
)
@pytest.mark.parametrize("entity", [SUPPLIERS, ORDERS])
def test_nothing_follows_from_what_anybody_may_have_said(answer: httpx.Response, entity: Entity) -> None:
    with pytest.raises(Transient):
        list(reader(answer)[0].pages(entity, (), None))
    if answer.status_code != 200 or b"ok" not in answer.content:
        with pytest.raises(Transient):
            reader(answer)[0].one(entity, "A")


@pytest.mark.parametrize("status", [200, 404])
def test_only_x3s_own_words_say_that_a_record_is_not_there(status: int) -> None:
    assert reader(httpx.Response(status, json=GONE))[0].one(SUPPLIERS, "A") is None


@pytest.mark.parametrize("status", [200, 404, 500])
def test_another_error_of_x3_does_not_say_that_a_record_is_not_there(status: int) -> None:
    said = {"$diagnoses": [{"$severity": "error", "$message": "722 : Record is locked"}]}
    with pytest.raises(Transient, match="locked"):
        reader(httpx.Response(status, json=said))[0].one(SUPPLIERS, "A")


def test_a_page_of_html_says_nothing_of_classes() -> None:
    with pytest.raises(Transient):
        codes(reader(httpx.Response(500, text='<html><body class="error">No representation</body></html>'))[0])


def test_another_record_than_the_one_that_was_asked_for_is_no_answer() -> None:
    with pytest.raises(Transient, match="another record"):
        reader({"BPSNUM": "B"})[0].one(SUPPLIERS, "A")


def test_a_warning_is_no_refusal() -> None:
    said = {"$diagnoses": [{"$severity": "warning", "$message": "Old"}]}
    assert codes(reader(page("A") | said)[0]) == ["A"]


# ── records and lines ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_composite_key_is_encoded_and_checked() -> None:
    api1, server = reader({"TYP": "STD JE", "NUM": "J/1", "GACCENTRYD": [{"LIN": 1}]})
    assert api1.one(JOURNAL.as_configured({}), "STD JE~J/1") is not None
    assert server.asked[0].url.raw_path.decode().startswith(f"/inner{PATH}/GACCENTRY('STD%20JE~J%2F1')?")


def order(lines: int, told: int | None = None, **more: Any) -> dict[str, Any]:
    count = {} if told is None else {"LINNBR": told}
    return {"POHNUM": "P1", **count, "PORDERQ": [{"POPLIN": 1000 * (n + 1)} for n in range(lines)], **more}


@pytest.mark.parametrize("body", [order(3), order(3, 3), order(20, 20), order(25), order(25, 25), order(0, 0)])
def test_an_order_with_all_of_its_lines_is_whole(body: dict[str, Any]) -> None:
    assert reader(body)[0].one(ORDERS, "P1") is not None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (order(20, 25), "25 lines, and Sage X3 gave only 20"),
        (order(2, 3), "3 lines"),
        (order(20), "LINNBR"),
        (order(0, 3), "gives no lines"),
        ({"POHNUM": "P1", "DIE": ["CCT"]}, r"classes\.purchase_order\.representation"),
        (order(20, 20, PORDERP=[{"POPLIN": 1000 * (n + 1)} for n in range(20)][:19]), "gave only 19"),
    ],
)
def test_an_order_cut_short_is_an_error_and_never_a_shorter_order(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        reader(body)[0].one(ORDERS, "P1")
    (batch,) = reader({"$resources": [{"POHNUM": "P1"}]}, body)[0].by_keys(ORDERS, ["P1"])
    assert not batch.rows and batch.spoiled[0].key == "P1"


# ── what shows a change ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "name", "begin"),
    [
        (
            {"UPDDATTIM": "2026-01-05T10:00:00Z", "UPDDAT": "2026-01-05"},
            "UPDDATTIM",
            datetime(2026, 1, 5, 8, tzinfo=UTC),
        ),
        ({"UPDDAT": "2026-01-05"}, "UPDDAT", date(2026, 1, 4)),
        ({"updatedDate": "2026-01-05", "UPDDATTIM": "2026-01-05T10:00:00Z"}, "updatedDate", date(2026, 1, 4)),
    ],
)
def test_the_change_field_is_found_in_a_record_and_read_back_far_enough(
    fields: dict[str, str], name: str, begin: date
) -> None:
    api1, server = reader({"$resources": [{"BPSNUM": "A", **fields}]})
    field = api1.changed_field(SUPPLIERS)
    assert field is not None and field.name == name
    assert field.begin("2026-01-05T10:00:00Z") == begin
    assert api1.changed_field(SUPPLIERS) == field and len(server.asked) == 1
    assert "where" not in server.queries[0]


def test_without_a_change_field_everything_is_compared() -> None:
    assert reader(page("A"))[0].changed_field(SUPPLIERS) is None
    assert reader(page())[0].changed_field(SUPPLIERS) is None


def test_a_change_field_that_records_do_not_have_is_said_before_it_is_asked_for() -> None:
    entity = Entity(**{**SUPPLIERS.__dict__, "changed": "ZUPD"})
    api1, server = reader(page("A"))
    with pytest.raises(Misconfigured, match=r"classes\.supplier\.changed_field"):
        api1.changed_field(entity)
    assert len(server.asked) == 1


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

ENTRY = JOURNAL.as_configured({})
LOCATION = {"location": f"https://x3.example{PATH}/GACCENTRY('STDJE~JE2401-0001')?representation=x"}


def test_a_new_record_is_named_by_what_is_answered_or_by_its_location() -> None:
    told = httpx.Response(201, json={"TYP": "STDJE", "NUM": "J7", "STA": 1})
    assert reader(told)[0].create(ENTRY, {}) == Created("STDJE~J7", {"TYP": "STDJE", "NUM": "J7", "STA": 1})
    bare = httpx.Response(201, headers=LOCATION)
    assert reader(bare)[0].create(ENTRY, {}) == Created("STDJE~JE2401-0001", {})


@pytest.mark.parametrize("status", [200, 201, 400])
def test_a_refusal_under_any_status_is_one(status: int) -> None:
    said = {"$diagnoses": [{"$severity": "error", "$message": "Period closed"}]}
    api1, server = reader(httpx.Response(status, json=said))
    fault = api1.create(ENTRY, {})
    assert isinstance(fault, Fault) and fault.text == "Period closed"
    assert len(server.asked) == 1 and server.asked[0].method == "POST"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(201, json={"$diagnoses": [{"$severity": "error", "$message": "x"}]}, headers=LOCATION),
        httpx.Response(200, text="<html>Sign in</html>"),
        httpx.Response(500, json={"$diagnoses": [{"$severity": "error", "$message": "x"}]}),
        httpx.Response(502, text="<html>Bad gateway</html>"),
        httpx.Response(201, text='{"TYP": "S'),
    ],
)
def test_a_creation_in_doubt_is_unknown_and_sent_once(answer: httpx.Response) -> None:
    api1, server = reader(answer)
    with pytest.raises(OutcomeUnknown):
        api1.create(ENTRY, {})
    assert len(server.asked) == 1


def test_a_change_is_a_put_of_the_changed_fields() -> None:
    api1, server = reader({"NUM": "X"})
    assert api1.update(ENTRY, "A~1", {"REF": "x"}) is None
    assert (server.asked[0].method, server.asked[0].content) == ("PUT", b'{"REF":"x"}')
    refused = reader({"$diagnoses": [{"$severity": "error", "$message": "no"}]})[0].update(ENTRY, "A~1", {})
    assert isinstance(refused, Fault)
