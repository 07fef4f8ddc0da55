"""SData over JSON: resources by class and representation, read by `$query` page by page and by `$details`.

Only `$links.$next` leads on, and only on our own server: of a link its place is taken, and our own question is asked
again from there, so that neither a filter nor `count` gets lost on the way. A good status is no success: `$diagnoses`
with severity error come under any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ml_connector.errors import ConnectorError, Misconfigured, OutcomeUnknown, Rejected, Transient
from ml_connector.systems.http import Call, Http, Reply, dumps, listed
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.changes import ChangeField, change_field
from ml_connector.systems.kit.conditions import Condition, Value, among, only_met
from ml_connector.systems.kit.declared import WHOLE, Created, Entity, Record
from ml_connector.systems.kit.faults import LONGEST_CODE, WORDS, Fault
from ml_connector.systems.kit.graphql import messages
from ml_connector.systems.kit.paging import Circle, content_of
from ml_connector.systems.kit.rows import RAW_LIMIT, Batch, Spoiled
from ml_connector.systems.kit.values import text

COUNT = 100
"""Records of a page; 20 where none is asked for, and a server may give less."""
MOST_LINES = 1_000
LONGEST = 1_400
"""Characters of a `where`, as encoded."""
READ = (200, 201, 400, 403, 404, 405, 409, 412, 422, 500)
"""Statuses under which a server may speak for itself."""
WRITTEN = (*(status for status in READ if status < 500), 202, 204)
"""Those of a write that say what became of it; after any other its fate is in doubt."""
_UNPUBLISHED = re.compile(r"\b(?:facet|representation)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,6})\s*:")


@dataclass(frozen=True)
class Dialect:
    """What one vendor's server says. `gone`: the code of its own words that a record does not exist.

    `unread` says what a refused reading means; `changed` are fields that may show a change; `cut`: lines after which
    a collection may be cut without a word.
    """

    vendor: str
    gone: str
    unread: Callable[[Entity, Fault, str], ConnectorError]
    changed: Iterable[str]
    cut: int


def literal(value: Value) -> str:
    """Write a value of a `where`: dates between `@`, texts between the kind of quotes that they do not have.

    Raises `Rejected` for a text that has both kinds: no way is documented to write it.
    """
    if isinstance(value, datetime):
        return f"@{value.strftime('%Y-%m-%dT%H:%M:%SZ')}@"
    if isinstance(value, date):
        return f"@{value.isoformat()}@"
    if isinstance(value, (int, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if not isinstance(value, str):
        return f"({','.join(map(literal, value))})"
    return quoted(value)


def quoted(value: str) -> str:
    """Put a text between quotes of the kind that it does not have. Raises `Rejected` where it has both."""
    if "'" not in value:
        return f"'{value}'"
    if '"' not in value:
        return f'"{value}"'
    raise Rejected(
        f"Nothing can be asked for {value}: it has both kinds of quotes, and no way is documented to write both. "
        "Correct it where it was entered."
    )


def where(conditions: Sequence[Condition]) -> str:
    """Write conditions that all hold."""
    return " and ".join(f"({field} {operator} {literal(value)})" for field, operator, value in conditions)


class Sdata:
    """The `Reader` and `Writer` of one endpoint."""

    def __init__(self, http: Http, path: str, dialect: Dialect) -> None:
        """`path`: of the endpoint, such as `/api1/x3/erp/SEED`; a class follows."""
        self._http, self._path, self._dialect, self._vendor = http, path, dialect, dialect.vendor
        self._samples: dict[str, Record | None] = {}

    # ── lists ───────────────────────────────────────────────────────────────────────────────────────────────

    def pages(
        self, entity: Entity, where_: Sequence[Condition], position: str | None, order: str | None = None
    ) -> Iterator[Batch[Record]]:
        """Read page after page; a position is what the link to it adds to our own question."""
        asked = {"representation": f"{entity.representation}.$query", "count": str(COUNT)}
        asked |= {name: said for name, said in (("where", where(where_)), ("orderBy", order or "")) if said}
        circle, known, supposed = Circle(), frozenset[str](), False
        while True:
            more = dict(parse_qsl(position or "", keep_blank_values=True))
            body = self._get(entity, f"/{entity.class_name}", {**asked, **more})
            batch = self._batch(entity, body, position)
            only_met(batch.rows, where_, self._vendor, entity.title, entity.key)
            following = self._following(entity, body, asked)
            fresh = batch.without(known, entity.key_of)
            if supposed and not fresh.keys:
                return
            if circle.closes(batch.keys, batch.mark) or (following is not None and following == position):
                raise self._loop(entity, "a page leads back to itself")
            if batch.keys and not fresh.keys:
                raise self._loop(entity, "a page has nothing new")
            if following is not None and not batch.keys:
                raise self._loop(entity, "an empty page leads on")
            supposed = following is None and not order and _is_full(body, batch)
            if supposed:  # a full page may have lost its link on the way: what is behind its last record is asked for
                following = urlencode({"key": f"gt.{batch.keys[-1]}"})
            yield replace(fresh, position=following)
            if following is None:
                return
            position, known = following, frozenset(batch.keys)

    def _batch(self, entity: Entity, body: Any, position: str | None) -> Batch[Record]:
        found, keys, spoiled = list[Record](), list[str](), list[Spoiled]()
        for number, raw in enumerate(body["$resources"]):
            key = f"?{position or ''}+{number}"
            try:
                if not isinstance(raw, dict):
                    raise ValueError("It is not a record.")  # noqa: TRY004 - of the row
                record = _plain(raw)
                key = entity.key_of(record) if text(record, entity.key[-1]) else str(raw.get("$key") or key)
                if said := diagnoses_in(raw):
                    raise ValueError(f"{self._vendor} reports an error with it: {'; '.join(said)}")
                entity.key_of(record)
                found.append(record)
            except ValueError as error:
                spoiled.append(Spoiled(key, str(error), dumps(raw)[:RAW_LIMIT]))
            keys.append(key)
        mark = content_of(body["$resources"]) if any(key.startswith("?") for key in keys) else None
        return Batch(found, keys, spoiled, mark=mark)

    def _following(self, entity: Entity, body: Any, asked: Mapping[str, str]) -> str | None:
        """Take from the next link what it adds to our question. Raises `Transient` where it leads elsewhere."""
        links = body.get("$links")
        link = links.get("$next") if isinstance(links, dict) else None
        url = link.get("$url") if isinstance(link, dict) else link
        if not url:
            return None
        try:
            parts = urlsplit(str(url))
        except ValueError as error:
            raise self._loop(entity, f"its next link is not an address ({error})") from error
        if not unquote(parts.path).endswith(f"{self._path}/{entity.class_name}"):
            raise self._loop(entity, f"its next link leads to {parts.path}")
        more = {name: value for name, value in parse_qsl(parts.query) if name not in asked}
        if not more:
            raise self._loop(entity, "its next link names no place to go on from")
        return urlencode(more)

    def _loop(self, entity: Entity, why: str) -> Transient:
        return Transient(
            f"{self._vendor} pages in a loop: {why}, in {entity.class_name}. It is read again from there later."
        )

    # ── what shows a change ─────────────────────────────────────────────────────────────────────────────────

    def changed_field(self, entity: Entity) -> ChangeField | None:
        """Find the field that shows a change, by reading one record; None where records have none."""
        return change_field(
            self._sample(entity), entity.changed, self._dialect.changed, entity.setting("changed_field")
        )

    def properties(self, entity: Entity) -> frozenset[str]:
        """Name the fields of a list's records; none where there is no record."""
        return frozenset(self._sample(entity) or ())

    def _sample(self, entity: Entity) -> Record | None:
        if entity.name not in self._samples:
            asked = {"representation": f"{entity.representation}.$query", "count": "1"}
            found = self._get(entity, f"/{entity.class_name}", asked)["$resources"]
            self._samples[entity.name] = next((_plain(one) for one in found if isinstance(one, dict)), None)
        return self._samples[entity.name]

    # ── records ─────────────────────────────────────────────────────────────────────────────────────────────

    def by_keys(self, entity: Entity, keys: Sequence[str]) -> Iterator[Batch[Record]]:
        """Read these very records: those that a list has, as many to a question as an address holds, then their lines.

        What the list does not have is not asked for by itself.
        """
        for conditions in among(entity.key, keys, lambda one: len(quote(literal(one))) + 3, LONGEST):
            for batch in self.pages(entity, conditions, None):
                listed_ = replace(batch, position=None)
                yield self._with_lines(entity, listed_) if entity.fields.nested else listed_

    def _with_lines(self, entity: Entity, batch: Batch[Record]) -> Batch[Record]:
        found, keys, spoiled = list[Record](), [bad.key for bad in batch.spoiled], list(batch.spoiled)
        for key in batch.row_keys:
            try:
                record = self.one(entity, key)
            except ValueError as error:
                spoiled.append(Spoiled(key, str(error), dumps(dict.fromkeys(entity.key, key))))
            else:
                if record is None:
                    continue  # gone meanwhile
                found.append(record)
            keys.append(key)
        return Batch(found, keys, spoiled)

    def one(self, entity: Entity, key: str) -> Record | None:
        """Read a record with its lines. Raises `ValueError` where it has more lines than it gives."""
        asked = {"representation": f"{entity.representation}.$details", "count": str(MOST_LINES)}
        body = self._get(entity, f"/{entity.class_name}({quote(quoted(key), safe=chr(39))})", asked, one=True)
        if body is None:
            return None
        record = _plain(body)
        if not any(text(record, name) for name in entity.key) or entity.key_of(record) != key:
            raise Transient(
                f"{self._vendor} answered for {entity.title} {key} with another record. It is asked again later."
            )
        whole(entity, record, self._dialect)
        return record | {WHOLE: True}

    def _get(self, entity: Entity, path: str, params: Mapping[str, str], *, one: bool = False) -> Any:
        query = "&".join(f"{name}={quote(value, safe='$')}" for name, value in params.items())
        asked = f"{entity.class_name} by representation {entity.representation}"
        reply = self._http.get(f"{self._path}{path}?{query}", expect=READ, judge=partial(self._believe, entity, asked))
        fault = fault_in(reply)
        if fault is not None and one and fault.code == self._dialect.gone:
            return None
        if fault is not None:
            raise self._dialect.unread(entity, fault, asked)
        body = reply.json()
        if not isinstance(body, dict) or (not one and not isinstance(body.get("$resources"), list)):
            raise Transient(
                f"{self._vendor} answered for {asked} with something else than a {'record' if one else 'list'}: "
                f"{reply.text(200)}. It is asked again later."
            )
        return body

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def takes(self, entity: Entity, operation: str = "create") -> str:
        """Prove that records can be created or changed, by what the facet shows of one. Raises `Misconfigured`."""
        facet = f"{entity.representation}.${'edit' if operation == 'update' else operation}"
        place = f"$template?representation={facet}" if operation == "create" else f"$prototypes('{facet}')"
        reply = self._http.get(f"{self._path}/{entity.class_name}/{place}", expect=READ)
        fault = fault_in(reply)
        if fault is not None and (fault.page or fault.anybodys):
            raise unproven(self._vendor, f"a new {entity.title}", fault)
        if fault is not None:
            raise Misconfigured(
                f"{self._vendor} lets no {entity.title} be {operation}d by {entity.class_name} and {facet}: {fault}. "
                f"Name a representation that can in {entity.setting('representation')}, or set another 'write_via'."
            )
        return facet

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        """Create a record, in one call that is never repeated."""
        reply = self._write("POST", f"/{entity.class_name}?representation={entity.representation}.$create", body)
        fault, located = fault_in(reply), _located(reply)
        if fault is not None and (located is None or reply.status >= 300) and not fault.page:
            return fault
        try:
            made = reply.json() if reply.body.strip() else {}
        except ValueError:
            made = None
        if fault is not None or not isinstance(made, dict):
            raise OutcomeUnknown(
                f"{self._vendor} answered a new {entity.title} with {located or 'no key'} and "
                f"{fault or reply.text(120)}.",
                taken=reply.took,
            )
        record = _plain(made)
        return Created(entity.key_of(record) if all(text(record, name) for name in entity.key) else located, record)

    def update(self, entity: Entity, key: str, changed: Mapping[str, Any]) -> Fault | None:
        """Change some fields of a record; what is left out stays as it is."""
        named = f"/{entity.class_name}({quote(quoted(key), safe=chr(39))})"
        reply = self._write("PUT", f"{named}?representation={entity.representation}.$edit", changed)
        fault = fault_in(reply)
        if fault is None and not reply.took:
            raise OutcomeUnknown(f"{self._vendor} answered {reply.status} to a change of {entity.title} {key}.")
        return fault

    def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Reply:
        """Write once. What is not published at all had no effect, also where that is said under 500."""
        call = Call(method, f"{self._path}{path}", body=body, safe=False, want="text", expect=(*WRITTEN, 500))
        reply = self._http.call(call)
        fault = fault_in(reply) if reply.status >= 500 else None
        if fault is not None and not (fault.worded and _UNPUBLISHED.search(fault.text)):
            raise OutcomeUnknown(f"{self._vendor} answered {fault} to {method} {path}.")
        return reply

    def _believe(self, entity: Entity, asked: str, reply: Reply) -> None:
        """Have passing trouble asked again."""
        fault = fault_in(reply)
        if fault is None or fault.code == self._dialect.gone:
            return
        if isinstance(error := self._dialect.unread(entity, fault, asked), Transient):
            raise error


def diagnoses_in(body: Any) -> list[str]:
    """List the errors of a payload, of a record or of a whole answer."""
    told = listed(body.get("$diagnoses")) if isinstance(body, dict) else []
    return [
        str(one.get("$message") or one.get("message") or "no text")
        for one in told
        if isinstance(one, dict) and str(one.get("$severity") or one.get("severity")).lower() in {"error", "fatal"}
    ]


def fault_in(reply: Reply) -> Fault | None:
    """Find a refusal in an answer of any status; None in a good one."""
    if reply.body.lstrip()[:1] == b"<":
        return Fault(reply.status, "", reply.text(200), worded=False, page=True)
    try:
        body = reply.json() if reply.body.strip() else None
    except ValueError:
        body = None
    code, said = "", diagnoses_in(body)
    if isinstance(body, dict) and not said:
        said = messages(body)
        if str(body.get("$severity")).lower() == "error":
            said, code = [str(body.get("$message") or body.get("$dataCode") or "no text")], str(body.get("$dataCode"))
    if said:
        text = reply.clean(" · ".join(dict.fromkeys(" ".join(one.split()) for one in said)))[:WORDS]
        number = _NUMBER.match(said[0])
        return Fault(reply.status, (number[1] if number else code)[:LONGEST_CODE], text)
    if reply.status < 300:
        return None
    return Fault(reply.status, "", reply.text(200), worded=False)


def _plain(raw: Mapping[str, Any]) -> Record:
    """Take a record's own fields; what begins with `$` is of the protocol."""
    return {
        name: [_plain(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value
        for name, value in raw.items()
        if not name.startswith("$") and not (name.endswith("_REF") and isinstance(value, dict))
    }


def whole(entity: Entity, record: Record, dialect: Dialect) -> None:
    """Raise `ValueError` where a record has more lines than it gives."""
    collections = {name: value for name, value in record.items() if _are_lines(value)}
    count, line = entity.lines
    if not line:
        return  # its lines are counted otherwise, such as by what they add up to
    told = text(record, count)
    most = int(told) if told and told.isdigit() else None
    if not collections and (most or not any(value == [] for value in record.values())):
        raise ValueError(
            f"Representation {entity.representation} gives no lines of it. Add them, or name another one in "
            f"{entity.setting('representation')}."
        )
    for name, lines in collections.items():
        given = len({text(one, line) for one in lines}) if any(line in one for one in lines) else None
        if most is not None and given is not None and given < most:
            raise ValueError(f"It has {most} lines, and {dialect.vendor} gave only {given} of them in {name}.")
        if len(lines) == dialect.cut and (given is None or most != dialect.cut) and not entity.complete(lines):
            raise ValueError(
                f"{dialect.vendor} gave exactly {dialect.cut} lines of {name}, where it cuts without a word, and "
                f"nothing says that these are all. Add the number of lines ({count}) to representation "
                f"{entity.representation}."
            )
        pairs = (pair for one in lines for pair in one.items())
        below = {inner for inner, value in pairs if _are_lines(value) and len(value) == dialect.cut}
        if below:
            raise ValueError(
                f"{dialect.vendor} gave exactly {dialect.cut} lines of {min(below)} below {name}: some may be missing."
            )


def _is_full(body: Mapping[str, Any], batch: Batch[Record]) -> bool:
    """Tell whether a page has as many records as a page has at most; the last one is known by its key."""
    told = str(body.get("$itemsPerPage") or "")
    most = min(int(told), COUNT) if told.isascii() and told.isdigit() else COUNT
    return len(batch.keys) >= max(most, 1) and not batch.keys[-1].startswith("?")


def _are_lines(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _located(reply: Reply) -> str | None:
    """Read the key of a new record from its Location: `…/GACCENTRY('STDJE~JE2401-0001')?…`."""
    place = unquote(urlsplit(reply.headers.get("location", "")).path)
    inner = place[place.find("(") + 1 : place.rfind(")")] if "(" in place and ")" in place else ""
    return inner.strip("'\"") or None
