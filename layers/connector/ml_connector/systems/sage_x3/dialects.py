"""What of api1 (`kit/sdata`) and of GraphQL (`kit/graph_entities`) is X3's own (`docs/vendors/sage_x3.md`).

In GraphQL packages are called `x3…`, and `xtremX3…` in older releases.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from ml_connector.systems.http import Http
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.graph_entities import Graph as GraphEntities
from ml_connector.systems.kit.graph_entities import GraphDialect
from ml_connector.systems.kit.graphql import entered
from ml_connector.systems.kit.graphql_calls import GraphCalls
from ml_connector.systems.kit.sdata import Dialect, Sdata, fault_in
from ml_connector.systems.kit.values import ZERO, amount
from ml_connector.systems.sage_x3.entities import CHANGED, Created, Entity, Record
from ml_connector.systems.sage_x3.faults import VENDOR, NotPublished, of_gateway, unread

CLASSES = Dialect(VENDOR, gone="721", unread=unread, changed=CHANGED, cut=20)
"""721 is the number of X3's message that a record does not exist."""


class Api1(Sdata):
    """The `Reader` and `Writer` of api1."""

    def __init__(self, http: Http, path: str) -> None:
        """`path`: of the endpoint, such as `/api1/x3/erp/SEED`; a class follows."""
        super().__init__(http, path, CLASSES)


def translated(entity: Entity, values: Mapping[str, Any]) -> Record:
    """Say a node in X3's words: those of lists become numbers of local menus, debit and credit an amount and sign."""
    record: Record = {}
    for code, value in values.items():
        menu = entity.menus.get(code)
        if isinstance(value, list):
            record[code] = [translated(entity, one) if isinstance(one, dict) else one for one in value]
        elif menu is not None and isinstance(value, (str, bool)):
            record[code] = menu.get(str(value).lower() if isinstance(value, bool) else value, value)
        else:
            record[code] = value
    if "DEBCUR" in record and "CDTCUR" in record:
        debit, credit = amount(record, "DEBCUR") or ZERO, amount(record, "CDTCUR") or ZERO
        record |= {"AMTCUR": abs(debit - credit), "SNS": 1 if debit > credit else -1}
    return record


def _given(values: Mapping[str, Any]) -> Record:
    """Say an entry as a node takes it: an account by its `_id`, an amount on its side."""
    found: Record = {
        code: [_given(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value
        for code, value in values.items()
    }
    if "ACC" in found:
        found["ACC"] = f"{found.get('COA', '')}|{found['ACC']}"
        found["DEBCUR" if found["SNS"] > 0 else "CDTCUR"] = found["AMTCUR"]
    return found


def _missing(entity: Entity, node: str, error: Exception) -> NotPublished:
    return NotPublished(
        f"{VENDOR}'s GraphQL has no {node}, from which the {entity.title} is read: {error} Let the administrator "
        "publish it, or set 'api' to api1."
    )


NODES = GraphDialect(VENDOR, ("x3", "xtremX3"), "UPDDATTIM", CHANGED, translated, _missing)


class Graph(GraphEntities):
    """The `Reader` and `Writer` of GraphQL."""

    def __init__(
        self, http: Http, path: str, headers: Mapping[str, str], kept: MutableMapping[str, int] | None = None
    ) -> None:
        """`headers` name the endpoint; `kept` is what other connections learnt of the schema."""
        super().__init__(GraphCalls(http, path, dict(headers), fault_in, of_gateway), NODES, kept)

    def create(self, entity: Entity, body: Mapping[str, Any]) -> Created | Fault:
        """Create a record, in one call that is never repeated; the body is in X3's codes."""
        return super().create(entity, entered(entity.fields, _given(body)))
