"""SYSPRO as a handful of verbs: rows of a table, by OData or by e.net, and what a business object makes of a document.

Each call of e.net is a GET with everything in its address, a posting too (`docs/vendors/syspro.md`): so a posting is
sent once, by nobody cached, and whatever leaves its effect in doubt is `OutcomeUnknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from urllib.parse import quote
from xml.etree.ElementTree import Element

from ml_connector.errors import Rejected
from ml_connector.ports import Clock
from ml_connector.systems.http import Http
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.rows import Batch
from ml_connector.systems.kit.tables import (
    MOST_ROWS,
    Condition,
    Query,
    Reader,
    Row,
    Tables,
    batch_of,
    behind,
    spellings,
)
from ml_connector.systems.kit.walk import LastKey
from ml_connector.systems.kit.worded import WordedCalls
from ml_connector.systems.kit.xml import Content, children, element, fields, written
from ml_connector.systems.kit.xml_faults import Answer, refusal_in
from ml_connector.systems.syspro.faults import ENET, MARKS, VENDOR
from ml_connector.systems.syspro.login import SESSION

LONGEST = 8_000
"""Characters of an address, as encoded: what HTTP.sys takes for certain."""
ROOM = 5_500
"""Characters that the conditions of one question of e.net may take, before they are encoded."""
ROOTS = {"APSTIN": "PostApInvoice", "GENTJL": "PostGlJournal", "APSSSP": "SetupApSupplier"}
"""The root of a document, by business object."""
WIDTHS = (6, 15, 20)
"""To which numbers are padded, by table and release."""
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
forms = partial(spellings, widths=WIDTHS)
"""Lists how a key may stand in the database."""
Fields = Mapping[str, Content]


class Enet(WordedCalls):
    """Calls e.net with the operator's one session."""

    def __init__(self, http: Http, login: SharedLogin, operator: str) -> None:
        super().__init__(http, login, ENET, operator)

    def profile(self) -> Mapping[str, str]:
        """Read what the session knows: AccountingDate, LocalCurrencyCode …, by name in lower case."""
        told = fields(self.document("/GetLogonProfile", {}, "the logon profile")[0])
        return {name.lower(): value.strip() for name, value in told.items()}

    def pages(self, asked: Query, position: str | None) -> Iterator[Batch[Row]]:
        """Read page after page, each behind the last key of the one before."""

        def fetch(last: str | None) -> Batch[Row]:
            found = self._find(behind(asked, last))
            return batch_of(found or self._find(behind(asked, last)), asked, last)  # nothing else speaks for the end

        if asked.limit or asked.whole:
            return iter([fetch(position)])
        return LastKey(VENDOR, MOST_ROWS, order=None).walk(fetch, position)

    def room(self, alternative: tuple[Condition, ...]) -> float:
        """Tell which part of an address an alternative takes."""
        return sum(len(quote(written(one))) for one in _expressions([alternative])) / ROOM

    def _find(self, asked: Query) -> list[Mapping[str, str]]:
        most = 0 if asked.whole else asked.limit or MOST_ROWS  # 0 is all
        content: dict[str, Content] = {"TableName": asked.table, "ReturnRows": str(most)}
        if asked.columns:
            content["Columns"] = {"Column": asked.columns}
        made = _document_of("Query", "COMFND.XSD", content)
        if alternatives := asked.alternatives():
            where = element("Where")
            where.extend(_expressions(alternatives))
            made.append(where)
        if asked.key:
            made.append(element("OrderBy", {"Column": asked.key}))
        sent = {"BusinessObject": "COMFND", "XmlIn": written(made)}
        return [fields(row) for row in children(self.document("/Query/Query", sent, f"table {asked.table}")[0], "Row")]

    def length(self, verb: str, name: str, parameters: Fields, document: Fields) -> int:
        """Count the characters that the address of a posting has."""
        return self.size(verb, **{SESSION: " " * 36}, **_sent(name, parameters, document))

    def post(self, verb: str, name: str, parameters: Fields, document: Fields, *, dry: bool) -> Answer | Fault:
        """Have a business object take a document, once. `dry`: it says `ValidateOnly`, and so may be repeated."""
        size = self.length(verb, name, parameters, document)
        if size > LONGEST:
            raise Rejected(
                f"This document makes an address of {size} characters for {VENDOR}'s {name}, which takes {LONGEST} at "
                "most. Split it into several with fewer coding rows."
            )
        root, reply = self.document(verb, _sent(name, parameters, document), name, safe=dry)
        return refusal_in(root, reply, MARKS) or Answer(root)


def _document_of(root: str, schema: str, content: Fields) -> Element:
    return element(root, content, **{"xmlns:xsd": _SCHEMA, "xsd:noNamespaceSchemaLocation": schema})


def _sent(name: str, parameters: Fields, document: Fields) -> dict[str, str]:
    root = ROOTS[name]
    return {
        "BusinessObject": name,
        "XmlParameters": written(_document_of(root, f"{name}.XSD", {"Parameters": parameters})),
        "XmlIn": written(_document_of(root, f"{name}DOC.XSD", document)),
    }


def _expressions(alternatives: Iterable[tuple[Condition, ...]]) -> list[Element]:
    """Write conditions, each in an expression of its own; an alternative stands in brackets."""
    made = list[Element]()
    for alternative in alternatives:
        for number, (column, op, value) in enumerate(alternative):
            opens, closes = number == 0, number == len(alternative) - 1
            brackets = {"OpenBracket": "(" if opens else None}, {"CloseBracket": ")" if closes else None}
            join = "Or" if opens and made else "And"
            told = {"AndOr": join, "Column": column, "Condition": op, "Value": str(value)}
            made.append(element("Expression", {**brackets[0], **told, **brackets[1]}))
    return made


class Client(Tables):
    """One company."""

    def __init__(self, enet: Enet, reader: Reader, clock: Clock, company: str) -> None:
        super().__init__(reader, VENDOR)
        self.enet, self.company, self.now, self.profile = enet, company, clock.now, enet.profile

    def length(self, name: str, parameters: Fields, document: Fields) -> int:
        """Count the characters that the address of a posting would have."""
        return self.enet.length("/Transaction/Post", name, parameters, document)

    def post(self, name: str, parameters: Fields, document: Fields, *, dry: bool = False) -> Answer | Fault:
        """Post a document once. Raises `OutcomeUnknown`, and `Misconfigured` for an object that is not licensed."""
        return self.enet.post("/Transaction/Post", name, parameters, document, dry=dry)

    def setup(
        self, action: str, name: str, parameters: Fields, document: Fields, *, dry: bool = False
    ) -> Answer | Fault:
        """Maintain a master record once; `action` is Add, Update or Delete. Raises as `post` does."""
        return self.enet.post(f"/Setup/{action}", name, parameters, document, dry=dry)
