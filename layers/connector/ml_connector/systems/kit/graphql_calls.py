"""One server of GraphQL: a question is sent again on passing trouble, a mutation never."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ml_connector.errors import ConnectorError, Misconfigured, OutcomeUnknown, Transient
from ml_connector.systems.http import Call, Http, Reply, listed
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.graphql import Answer, NotInSchema, messages, unknown_names

STATUSES = (200, 201, 400, 403, 404, 405, 422, 500)
"""Statuses under which a server of GraphQL may speak for itself; a mutation is in doubt after 500."""


@dataclass(frozen=True)
class GraphCalls:
    """Sends queries and mutations. `fault_in` finds a refusal in an answer, `passing` tells those that pass.

    `headers` go with each call.
    """

    http: Http
    path: str
    headers: Mapping[str, str]
    fault_in: Callable[[Reply], Fault | None]
    passing: Callable[[Fault], bool]

    def ask(self, query: str) -> Answer:
        """Send a query. Raises `NotInSchema`, `Misconfigured` for a question that is refused, and `Transient`."""
        reply = self.http.call(
            Call("POST", self.path, body={"query": query}, headers=self.headers, expect=STATUSES, judge=self._believe)
        )
        fault = self.fault_in(reply)
        body = reply.json() if fault is None or fault.worded else {}
        if isinstance(body, dict) and (names := unknown_names(messages(body))):
            raise NotInSchema("; ".join(messages(body)), names)
        if fault is not None and reply.status >= 300:
            raise self._refused(fault)
        if not isinstance(body, dict) or ("data" not in body and "errors" not in body):
            raise Transient(f"{self.http.vendor} answered GraphQL with something else: {reply.text(200)}.")
        return body

    def _believe(self, reply: Reply) -> None:
        fault = self.fault_in(reply)
        if fault is not None and fault.status >= 300 and isinstance(error := self._refused(fault), Transient):
            raise error

    def _refused(self, fault: Fault) -> ConnectorError:
        if self.passing(fault) or fault.status >= 500:
            return Transient(f"{self.http.vendor}'s GraphQL answered {fault}. It is asked again later.")
        return Misconfigured(
            f"{self.http.vendor}'s GraphQL refused a question: {fault}. Check the endpoint in the secret, and that "
            "this user may use GraphQL there."
        )

    def mutate(self, node: str, operation: str, kind: str, data: Mapping[str, Any]) -> Mapping[str, Any] | Fault:
        """Run a mutation of a node once, with `data` of a type; gives what is there now (`_id`), or the refusal.

        A refusal is one only where nothing was run, or where the operation itself failed: an error below it may be of
        the reading that follows. Raises `OutcomeUnknown` for anything else.
        """
        package, _, name = node.partition(".")
        query = f"mutation ($data: {kind}) {{ {package} {{ {name} {{ {operation}(data: $data) {{ _id }} }} }} }}"
        sent = {"query": query, "variables": {"data": data}}
        expected = (*(status for status in STATUSES if status < 500), 202, 204)
        reply = self.http.call(
            Call("POST", self.path, body=sent, headers=self.headers, safe=False, want="text", expect=expected)
        )
        fault, body = self.fault_in(reply), _read(reply)
        made = ran = body.get("data")
        for step in (package, name, operation):
            made = made.get(step) if isinstance(made, dict) else None
        if isinstance(made, dict) and fault is None:
            return made
        if fault is not None and fault.worded and not isinstance(made, dict):
            paths = [listed(one.get("path")) for one in listed(body.get("errors")) if isinstance(one, dict)]
            if ran is None or (paths and all(path[-1:] == [operation] for path in paths)):
                return fault
        raise OutcomeUnknown(
            f"{self.http.vendor} answered the {operation} of {node} with neither the record nor a refusal of it: "
            f"{fault or reply.text(120)}.",
            taken=isinstance(made, dict) or (reply.took and (fault is None or fault.page)),
        )


def _read(reply: Reply) -> Mapping[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {"data": {}}  # nobody knows what was run
    return body if isinstance(body, dict) else {"data": {}}
