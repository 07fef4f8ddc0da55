"""Master records into a server that takes each by a call of its own, and overwrites what is there under its code.

It answers at once, so that no request status is ever waited for. Where it takes none of a kind, records are only
checked: against its list, or, where it offers none, by nobody but their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ml_connector.errors import Rejected, Transient
from ml_connector.flow import Codes, Rendered, Sent
from ml_connector.flow import Verdict as Outcome
from ml_connector.folding import fold
from ml_connector.records import Record
from ml_connector.systems.kit.faults import Fault
from ml_connector.systems.kit.profiled import ProfiledServer

R = TypeVar("R", bound=Record)
CHECKED = "checked"
"""The token of what was compared with a list, or with nothing, and not sent."""
STAGE = "records"


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """One kind of record. `path` begins the names of its paths, `.upsert` and `.list`.

    `compose` gives a record's code there and its object; `inactive` the object that deactivates a key. `listed` tells
    which of some codes are in the list, folded; `waits` names the kind of code that a record which is not is held for.
    `own` gives the code that a key has there unless it is mapped to one of the server's own.
    """

    path: str
    compose: Callable[[R, Codes], tuple[str, dict[str, Any]]]
    inactive: Callable[[str], dict[str, Any]]
    listed: Callable[[Sequence[str]], set[str]]
    waits: str
    own: Callable[[str], str] = str


class Upserts(Generic[R]):
    """The `MasterTarget` of one kind of record."""

    stages: tuple[str, ...] = (STAGE,)
    once = False
    at_once = True
    """Each record is a call of its own, under the ERP's own code, and its answer is the verdict."""

    def __init__(self, server: ProfiledServer, kind: Kind[R]) -> None:
        self._server, self._kind = server, kind

    def render(self, record: R, codes: Codes, touch: str | None = None) -> Rendered:  # noqa: ARG002 - it overwrites
        """Say a record in the server's words. Raises `Held` or `Rejected`."""
        code, body = self._kind.compose(record, codes)
        if not code.strip():
            raise Rejected(f"Record {record.key} has no code by which it could be known. Give it one in the ERP.")
        return Rendered(record.key, code, {STAGE: [body]})

    def standing(self, batch: Sequence[Rendered], /) -> dict[str, Outcome]:  # noqa: ARG002
        """Tell nothing: the same again is harmless."""
        return {}

    def send(self, stage: str, batch: Sequence[Rendered]) -> Sent:
        """Send each record. Raises `Transient`, `Throttled` or `Misconfigured`."""
        if not self._sends:
            return Sent((CHECKED,))
        refused = {one.key: said for one in batch if (said := self._sent(one.target_id, one.entities[stage][0]))}
        return Sent(refused=refused)

    def verdicts(self, stage: str, batch: Sequence[Rendered], tokens: Sequence[str]) -> dict[str, Outcome]:  # noqa: ARG002
        """Compare what is not sent with the list; without one it is valid as far as its source tells."""
        vendor = self._server.http.vendor
        if not batch:
            return {}
        if not self._server.offers(f"{self._kind.path}.list"):
            return {one.key: Outcome("unchanged", f"{vendor} offers no list to check it in.") for one in batch}
        known = self._kind.listed([one.target_id for one in batch])
        return {one.key: Outcome("unchanged") if fold(one.target_id) in known else self._missing(one) for one in batch}

    def read_back(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Outcome]:
        """Compare again: verdicts are never late here."""
        return self.verdicts(stage, batch, ())

    def deactivate(self, keys: Sequence[str]) -> Sent:
        """Deactivate records that left their source; again is harmless."""
        refused = {key: said for key in keys if self._sends and (said := self._sent(key, self._kind.inactive(key)))}
        return Sent(refused=refused)

    def own_code(self, key: str) -> str:
        """Give the code that a key has there unless it is mapped."""
        return self._kind.own(key)

    def deactivated(self, keys: Sequence[str], tokens: Sequence[str]) -> dict[str, Outcome]:  # noqa: ARG002
        """Tell that all is done: each call was answered."""
        return {}

    @property
    def _sends(self) -> bool:
        return self._server.offers(f"{self._kind.path}.upsert")

    def _sent(self, code: str, body: Mapping[str, Any]) -> str | None:
        vendor = self._server.http.vendor
        answer = self._server.write(f"{self._kind.path}.upsert", body, safe=True, code=code)
        if not isinstance(answer, Fault):
            return None
        if not answer.worded or answer.anybodys or answer.status in {404, 405, 415}:
            raise Transient(f"{vendor} did not take {code}: {answer}. It is sent again later.")
        return f"{vendor} refused {code}: {answer}. Correct it in the ERP."

    def _missing(self, one: Rendered) -> Outcome:
        vendor, what = self._server.http.vendor, f"{self._kind.waits.replace('_', ' ')} code {one.target_id}"
        said = f"{vendor} has no {what}. Enter it there, or map it to one that is there."
        return Outcome("held", said, f"{self._kind.waits}:{one.key}")
