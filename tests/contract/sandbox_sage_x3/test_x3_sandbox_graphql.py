"""GraphQL as the dossier has it: the schema, filters and orders in texts, cursors, partial errors, operations."""

from __future__ import annotations

from typing import Any

import pytest

from infra.sandbox.kit.codec import decode, encode

ORDERS = "x3Purchasing { purchaseOrder { %s } }"


class Graph:
    def __init__(self, api) -> None:
        self.api = api
        self.headers = {"x-xtrem-endpoint": "SEED", "Content-Type": "application/json"}

    def send(self, text: str, **variables: Any):
        content = encode({"query": text, "variables": variables})
        return self.api.http.post("/xtrem/api", content=content, headers=self.headers, auth=self.api.auth)

    def ask(self, text: str, **variables: Any) -> dict[str, Any]:
        reply = self.send(text, **variables)
        assert reply.status_code == 200, reply.text
        body = decode(reply.content)
        assert body["extensions"] == {"diagnoses": []}
        return body

    def data(self, text: str, **variables: Any) -> Any:
        body = self.ask(text, **variables)
        assert "errors" not in body, body
        found = body["data"]
        for _ in range(3):
            found = next(iter(found.values()))
        return found

    def error(self, text: str, **variables: Any) -> str:
        body = self.ask(text, **variables)
        return str(body["errors"][0]["message"])


@pytest.fixture
def graph(api) -> Graph:
    return Graph(api)


def suppliers(args: str, fields: str = "edges { node { _id } }") -> str:
    given = f"({args})" if args else ""
    return f"{{ x3MasterData {{ supplier {{ query{given} {{ {fields} }} }} }} }}"


def ids(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["_id"] for edge in found["edges"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ x3XXXX { a } }", 'Cannot query field "x3XXXX"'),
        ("{ x3MasterData { supplier { query { edges { node { nosuch } } } } } }", 'Cannot query field "nosuch"'),
        ("{ x3MasterData { supplier { query { edges { node { code } } } } } }", "must have a selection of subfields"),
        (suppliers("", "totalCount { a }"), "must not have a selection"),
        (suppliers("limit: 5"), 'Unknown argument "limit"'),
        (suppliers('first: "5"'), "Int cannot represent"),
        (suppliers("filter: {code: 1}"), "String cannot represent"),
        ("{ x3MasterData { supplier { read { _id } } } }", 'argument "_id" of type "ID!" is required'),
        ("{ x3MasterData { supplier ", "Syntax Error"),
        ("query ($a: String!) { x3MasterData { supplier { query(filter: $a) { totalCount } } } }", "was not provided"),
        ("{ x3MasterData { supplier { query(filter: $a) { totalCount } } } }", "is not defined"),
        ("query ($a: Nope) { x3MasterData { supplier { query { totalCount } } } }", 'Unknown type "Nope"'),
        ("mutation { x3Finance { journalEntry { delete(_id: 1) } } }", "not configured to execute mutation"),
    ],
)
def test_what_does_not_fit_the_schema_is_400(graph, text, message):
    reply = graph.send(text)
    assert reply.status_code == 400 and message in decode(reply.content)["errors"][0]["message"]


def test_a_request_is_a_post_of_json_for_a_known_endpoint(graph, api):
    assert api.call("GET", "/xtrem/api").status_code == 405
    assert api.http.post("/xtrem/api", content=b"{}", headers=graph.headers, auth=api.auth).status_code == 400
    graph.headers["x-xtrem-endpoint"] = "seed"
    assert graph.send(suppliers("")).status_code == 400
    graph.headers = {"x-xtrem-endpoint": "SEED", "Content-Type": "text/plain"}
    assert graph.send(suppliers("")).status_code == 400


def test_a_query_gives_twenty_and_a_cursor_goes_on(graph, world):
    fields = "totalCount pageInfo { endCursor hasNextPage hasPreviousPage startCursor } edges { cursor node { _id } }"
    first = graph.data(suppliers("", fields))
    assert (len(first["edges"]), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (20, 305, True)
    assert first["pageInfo"]["endCursor"] == first["edges"][-1]["cursor"]
    seen, after = ids(first), first["pageInfo"]["endCursor"]
    while after:
        page = graph.data(f"query Q($after: String) {suppliers('first: 50, after: $after', fields)}", after=after)
        seen += ids(page)
        after = page["pageInfo"]["endCursor"] if page["pageInfo"]["hasNextPage"] else None
    assert len(seen) == len(set(seen)) == 305
    assert "Invalid cursor" in graph.error(suppliers('after: "x"'))


def test_orders_and_cursors_of_stamps_give_each_row_once(graph, world):
    fields = "pageInfo { endCursor hasNextPage } edges { node { _id _updateStamp } }"
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        text = f'orderBy: "{{_updateStamp:1,_id:1}}", first: 70{f", after: {chr(34)}{after}{chr(34)}" if after else ""}'
        page = graph.data(suppliers(text, fields))
        seen += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    stamps = [(row["_updateStamp"], row["_id"]) for row in seen]
    assert len(stamps) == 305 and stamps == sorted(stamps)
    assert ids(graph.data(suppliers('orderBy: "{_id:-1}", first: 1'))) == ["ÜBER-1"]
    names = graph.data(suppliers('orderBy: "{currency:{code:-1}}", first: 1', "edges { node { currency { code } } }"))
    assert names["edges"][0]["node"]["currency"]["code"] == "USD"
    assert "1 or -1" in graph.error(suppliers('orderBy: "{_id: 2}"'))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("{code:'V10001'}", 1),
        ("{code:{_id:'V10001'}}", 1),
        ("{code:{code:'V10001'}}", 1),
        ("{code:{code:{_eq:'v10001'}}}", 0),
        ("{_id:{_in:['V10001','FR053',\\\"O'HARA\\\"]}}", 3),
        ("{_id:'O\\\\'HARA'}", 1),
        ("{currency:'USD', isActive:{_ne:'no'}}", 30),
        ("[{currency:'USD'},{isActive:'yes'}]", 30),
        ("{_or:[{_id:'V10001'},{_id:'V10002'}]}", 2),
        ("{_and:[{currency:{_nin:['EUR']}},{isActive:'yes'}]}", 30),
        ("{companyName:{_regex:'^Acier'}, currency:{code:'EUR'}}", None),
        ("{_updateStamp:{_gt:'2026-02-09T00:00:00Z'}}", 0),
        ("{_updateStamp:{_lte:'2026-02-09T00:00:00Z'}}", 305),
    ],
)
def test_a_filter_is_relaxed_json_in_a_text(graph, text, count):
    found = graph.data(suppliers(f'first: 400, filter: "{text}"', "totalCount edges { node { _id } }"))
    assert found["totalCount"] == count if count is not None else 0 < found["totalCount"] < 305


@pytest.mark.parametrize(
    "text",
    ["{nosuch:'1'}", "{code:'1'", "{isActive:2}", "{code:{_like:'V%'}}", "{_updateStamp:{_gt:'soon'}}", "code eq 'V1'"],
)
def test_a_filter_that_cannot_be_used_is_an_error_beside_null(graph, text):
    body = graph.ask(suppliers(f'filter: "{text}"'))
    assert body["data"] == {"x3MasterData": {"supplier": {"query": None}}} and body["errors"][0]["path"]


def test_lines_come_twenty_at_a_time_too_and_exact_numbers_as_texts(graph, world):
    order = max(world.rows("PORDER"), key=lambda row: row["LINNBR"])
    text = '{ x3Purchasing { purchaseOrder { read(_id: "%s") { id taxExcludedTotalAmount isClosed orderDate %s } } } }'
    lines = "purchaseOrderLines { query%s { totalCount edges { node { lineNumber netPrice product { code } } } } }"
    found = graph.data(text % (order["POHNUM"], lines % ""))
    inner = found["purchaseOrderLines"]["query"]
    assert (len(inner["edges"]), inner["totalCount"]) == (20, order["LINNBR"])
    assert [edge["node"]["lineNumber"] for edge in inner["edges"]] == [1000 * n for n in range(1, 21)]
    assert isinstance(found["taxExcludedTotalAmount"], str) and found["isClosed"] in ("yes", "no")
    assert isinstance(inner["edges"][0]["node"]["netPrice"], str)
    found = graph.data(text % (order["POHNUM"], lines % "(first: 500)"))
    assert len(found["purchaseOrderLines"]["query"]["edges"]) == order["LINNBR"]


def test_references_keys_and_absence(graph):
    account = '{ x3FinanceData { account { read(_id: "%s") { _id code chartOfAccounts { code } } } } }'
    assert graph.data(account % "FRA|401100") == {
        "_id": "FRA|401100",
        "code": "401100",
        "chartOfAccounts": {"code": "FRA"},
    }
    assert graph.data(account % "401100") is None and graph.data(account % "FRA|6999") is None
    supplier = (
        '{ x3MasterData { supplier { read(_id: "FR053") { code { code country { code } } category { code } } } } }'
    )
    assert graph.data(supplier)["code"] == {"code": "FR053", "country": {"code": "FR"}}


def test_a_collection_can_be_counted_in_a_filter(graph, world):
    text = "query(first: 200, filter: \"{purchaseOrderLines:{_atLeast:1, product:'%s'}}\") { edges { node { _id } } }"
    item = world.rows("PORDERQ")[0]["ITMREF"]
    found = graph.data(f"{{ {ORDERS % (text % item)} }}")
    assert set(ids(found)) == {row["POHNUM"] for row in world.rows("PORDERQ") if row["ITMREF"] == item}


def test_what_the_user_may_not_read_is_null_beside_the_rest(graph, world):
    world.unreadable = {"supplier.currency"}
    body = graph.ask(suppliers("first: 2", "edges { node { _id currency { code } } }"))
    node = body["data"]["x3MasterData"]["supplier"]["query"]["edges"][0]["node"]
    assert node["currency"] is None and node["_id"] and len(body["errors"]) == 2


def test_aliases_fragments_and_the_older_prefix(graph, world):
    world.prefix = "xtremX3"
    text = "query A { m: xtremX3MasterData { supplier { query(first: 1) { ...P } } } } fragment P on X { totalCount }"
    assert graph.data(text) == {"totalCount": 305}
    assert graph.send(suppliers("")).status_code == 400


WRITE = """mutation ($data: JournalEntry_Input!) { x3Finance { journalEntry { create(data: $data) {
  _id journalEntryNumber journalEntryStatus internalReference journalEntryLines { query { edges { node {
    account { code } sign debitAmountInTransactionCurrency creditAmountInTransactionCurrency } } } } } } } }"""


def posting(**head: Any) -> dict[str, Any]:
    share = {"dimensionTypes": ["CCT"], "dimensions": ["CC101"], "amountInTransactionCurrency": "100.00"}
    lines = [
        {"account": "FRA|400001", "debitAmountInTransactionCurrency": "100.00", "analyticalLines": [share]},
        {"account": "FRA|401100", "businessPartner": "V10000", "creditAmountInTransactionCurrency": "100.00"},
    ]
    plain = {"journalEntryType": "PIINV", "site": "FR011", "journal": "ACH", "accountingDate": "2026-02-01"}
    return plain | {"internalReference": "our-key", "journalEntryLines": lines} | head


def test_nodes_are_read_only_until_an_operation_is_active(graph, world):
    introspection = (
        "{ __schema { mutationType { fields { name type { fields { name type { fields { name } } } } } } } }"
    )
    assert graph.ask(introspection)["data"]["__schema"]["mutationType"] is None
    assert graph.send(WRITE, data=posting()).status_code == 400
    world.operations = {"x3Finance.journalEntry"}
    package = graph.ask(introspection)["data"]["__schema"]["mutationType"]["fields"][0]
    node = package["type"]["fields"][0]
    assert (package["name"], node["name"]) == ("x3Finance", "journalEntry")
    assert {one["name"] for one in node["type"]["fields"]} == {"create", "update", "delete"}
    told = graph.ask('{ __type(name: "JournalEntry_Input") { kind inputFields { name type { kind name } } } }')
    assert told["data"]["__type"]["kind"] == "INPUT_OBJECT"
    found = graph.data(WRITE, data=posting())
    assert (found["journalEntryStatus"], found["internalReference"]) == ("final", "our-key")
    assert found["_id"] == f"PIINV|{found['journalEntryNumber']}"
    node = found["journalEntryLines"]["query"]["edges"][1]["node"]
    assert (node["sign"], node["debitAmountInTransactionCurrency"]) == (-1, "0")
    assert node["creditAmountInTransactionCurrency"] == "100"
    assert world.find("GACCENTRY", "PIINV", found["journalEntryNumber"])["REFINT"] == "our-key"


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ({"journalEntryType": "NOPE"}, "Entry type NOPE"),
        ({"accountingDate": "soon"}, "ACCDAT"),
        ({"journalEntryLines": []}, "2 to 9999 lines"),
        ({"internalReference": "x" * 26}, "25 characters"),
    ],
)
def test_a_rule_that_is_broken_is_an_error_under_200(graph, world, head, message):
    world.operations = {"x3Finance.journalEntry"}
    before = len(world.rows("GACCENTRY"))
    assert message in graph.error(WRITE, data=posting(**head)) and len(world.rows("GACCENTRY")) == before
    assert graph.send(WRITE, data=posting(nosuch=1)).status_code == 400


def test_an_entry_is_changed_and_deleted_by_its_id(graph, world):
    world.operations = {"x3Finance.journalEntry"}
    key = graph.data(WRITE, data=posting(journalEntryType="PITMP"))["_id"]
    update = "mutation ($d: JournalEntry_Input!) { x3Finance { journalEntry { update(data: $d) { description } } } }"
    assert graph.data(update, d={"_id": key, "description": "New"}) == {"description": "New"}
    delete = f'mutation {{ x3Finance {{ journalEntry {{ delete(_id: "{key}") }} }} }}'
    assert graph.data(delete) is True
    assert "not found" in graph.error(delete)
