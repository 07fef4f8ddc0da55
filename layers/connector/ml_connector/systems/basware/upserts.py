"""Master data and orders into Basware, in bulk: posted, then judged by request status (`docs/vendors/basware.md`).

A post overwrites, so the same again is harmless. A refused batch is refused whole: what the answer names is taken
out and the rest goes again, until Basware takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from ml_connector.errors import Rejected, Transient, Unexplained
from ml_connector.flow import Codes, Rendered, Sent, Verdict
from ml_connector.records import Record
from ml_connector.systems.basware.client import Answer, Basware, quoted
from ml_connector.systems.basware.enrichment import around, enrichment
from ml_connector.systems.basware.verdicts import Item, Status, ask, look, unclear, verdict
from ml_connector.systems.http import listed
from ml_connector.systems.kit import compare
from ml_connector.systems.kit.absence import unproven
from ml_connector.systems.kit.batches import batches
from ml_connector.systems.kit.bodies import one_of

LARGEST = 5_500_000
"""Bytes of one request; Basware takes 6 MB."""
R = TypeVar("R", bound=Record)
Entity = Mapping[str, Any]
Render = Callable[[Any, Codes, "str | None"], Rendered]
_encoder = msgspec.json.Encoder(decimal_format="number")


class Stage:
    """One kind of entity: where it goes, how many at a time, and how one is switched off."""

    safe = True
    """The same again is harmless."""

    def __init__(
        self, client: Basware, path: str, count: int, retire: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    ) -> None:
        """`retire` makes the PATCH of an entity as Basware has it; None where the stage needs none."""
        self.client, self.path, self.count, self.off = client, path, count, retire

    def send(self, entities: Sequence[Entity]) -> tuple[list[str], dict[str, str]]:
        """Post entities; gives the request ids, and the refused external codes with their reasons."""
        encoded = [_encoder.encode(entity) for entity in entities]
        tokens: list[str] = []
        refused: dict[str, str] = {}
        for group in batches(encoded, self.count, LARGEST):
            self._group([(str(entities[i]["externalCode"]), encoded[i], entities[i]) for i in group], tokens, refused)
        return tokens, refused

    def change(self, entity: Entity, tokens: list[str], refused: dict[str, str]) -> None:
        """Change some fields of an entity that is there; adds the request id, or the refusal."""
        code = str(entity["externalCode"])
        answer = self.client.patch(f"{self.path}/{quoted(code)}", entity)
        if answer.ok:
            tokens.append(answer.token)
        else:
            refused.update(self._named(answer, [(code, b"", entity)]))

    def _group(self, left: list[tuple[str, bytes, Entity]], tokens: list[str], refused: dict[str, str]) -> None:
        while left:
            answer = self.client.post(self.path, content=b"[" + b",".join(e for _, e, _ in left) + b"]", safe=self.safe)
            if answer.ok:
                tokens.append(answer.token)
                return
            if answer.status == 413 and len(left) > 1:
                self._group(left[: len(left) // 2], tokens, refused)
                self._group(left[len(left) // 2 :], tokens, refused)
                return
            named = self._named(answer, left)
            refused.update(named)
            left = [one for one in left if one[0] not in named]

    def _named(self, answer: Answer, left: Sequence[tuple[str, bytes, Entity]]) -> dict[str, str]:
        """Find the entities that a refusal is about. Raises `Rejected` where it is about none of them.

        Raises `Unexplained` where Basware speaks of itself alone.
        """
        named: dict[str, str] = {}
        known = [(code, {*compare.codes_in(e), e.get("orderExternalCode")} - {None}) for code, _, e in left]
        for fault in answer.refused:
            for code, inner in known:
                if fault.external_code in inner:
                    named[code] = f"{named[code]}; {fault}" if code in named else f"Basware refused it: {fault}"
        codes = [code for code, _, _ in left]
        if answer.status == 409:
            named = {code: reason for code, reason in named.items() if codes.count(code) > 1}
        if answer.status in {404, 405} or (answer.status == 409 and not named):
            raise Transient(
                f"Basware answered {answer.status} to a POST of {self.path}; it is tried again: {answer.words()}"
            )
        if answer.says_nothing_of_records:
            raise Unexplained(f"Basware had a trouble of its own at a POST of {self.path}: {answer.words()}")
        if not named and len(left) == 1:
            return {left[0][0]: f"Basware refused it ({answer.status}): {answer.words()}"}
        if not named:
            raise Rejected(f"Basware refused {len(left)} records of {self.path} and named none: {answer.words()}")
        return named

    def read(self, code: str) -> dict[str, Any] | None:
        """Read one entity as Basware has it; None where it says that it has none. Raises `Transient` for another."""
        path = f"{self.path}/{quoted(code)}"
        body = self.client.get(path)
        found = one_of(body, self.path.rpartition("/")[2])
        if body is not None and (found is None or str(found.get("externalCode")) != code):
            raise unproven("Basware", path, "200, and not with this record")
        return found

    def deactivate(self, code: str) -> Answer | None:
        """Switch one entity off; None where there is nothing to switch off."""
        if self.off is None or (present := self.read(code)) is None:
            return None
        answer = self.client.patch(f"{self.path}/{quoted(code)}", {"externalCode": code, **self.off(present)})
        return None if answer.status == 404 else answer

    def is_off(self, code: str) -> bool:
        """Tell whether an entity is switched off, or not there at all."""
        present = self.read(code) if self.off is not None else None
        return present is None or self.off is None or compare.difference(self.off(present), present) is None


class Masters(Generic[R]):
    """The `MasterTarget` of one record type."""

    once = False

    def __init__(
        self,
        stages: Mapping[str, Stage],
        render: Render,
        *,
        code: Callable[[str], str],
        parents: bool = False,
        leftovers: Mapping[str, Callable[[Rendered], Sequence[Entity]]] | None = None,
    ) -> None:
        """`code` makes the external code of a record's key; `parents`: a missing order or supplier is waited for.

        `leftovers` finds, for a stage, the entities that take away what a record has no more.
        """
        self._leftovers = leftovers or {}
        self.places, self._render, self.code_of = stages, render, code
        self.stages, self._parents = tuple(stages), parents

    def render(self, record: R, codes: Codes, touch: str | None = None) -> Rendered:
        """Say a record in Basware's words. Raises `Held` or `Rejected`."""
        return self._render(record, codes, touch)

    def send(self, stage: str, batch: Sequence[Rendered]) -> Sent:
        """Post one stage. Refused records have been taken out and the others are in.

        Raises `Rejected` where a whole batch was refused and nobody named, `Transient` where nothing can be said.
        """
        more, to = self._leftovers.get(stage), self.places[stage]
        owned = [(r, e) for r in batch for e in (*r.entities.get(stage, ()), *(more(r) if more else ()))]
        owners = {str(e["externalCode"]): r.key for r, e in owned}
        bodies = [self.beside(stage, r, entity) for r, entity in owned]
        tokens, refused = to.send([body for patch, body in bodies if not patch])
        for body in (body for patch, body in bodies if patch):
            to.change(body, tokens, refused)
        by_key: dict[str, str] = {}
        for code, reason in refused.items():
            by_key.setdefault(owners[code], reason)
        return Sent(tuple(tokens), by_key)

    def beside(self, stage: str, rendered: Rendered, entity: Entity) -> tuple[bool, Entity]:
        """Make what leaves alone what is to be kept of a vendor; tells whether it is a PATCH."""
        if rendered.keep is None:
            return False, entity
        present = self.places[stage].read(str(entity["externalCode"]))
        kept = rendered.keep(enrichment(present) if present else None)
        return around(entity, present, kept) if present else (False, entity)

    def standing(self, _batch: Sequence[Rendered]) -> dict[str, Verdict]:
        """Say nothing: all of it is sent whatever stands there."""
        return {}

    def verdicts(self, stage: str, batch: Sequence[Rendered], tokens: Sequence[str]) -> dict[str, Verdict] | None:
        """Ask what P2P made of a stage; None while it is still at it.

        A record that is finished is decided, though its request goes on for others; those are left out. What a
        finished request leaves unclear of one record is that record's matter. A call whose answer carried no request
        id cannot be asked about: then the entities are read.
        """
        if "" in tokens:
            return self.read_back(stage, batch)
        found = []
        for token in tokens:
            if (status := look(self.places[stage].client, token)) is None:
                return None
            found.append(status)
        if found and stage == self.stages[0] and all(s.under_way("") and not s.finished for s in found):
            return None  # at all of them, and each has something in the first stage: none needs to be said again
        through = [r for r in batch if not self._under_way(stage, r, found)]
        if batch and (not through or self._takes_away(stage, batch, found)):
            return None
        return {r.key: self._judge(stage, r, found) for r in through} | self._not_taken_away(stage, through, found)

    def _under_way(self, stage: str, rendered: Rendered, found: Sequence[Status]) -> bool:
        """Tell whether Basware is still at one of a record's entities."""
        codes = [str(entity["externalCode"]) for entity in rendered.entities.get(stage, ())]
        return any(
            status.under_way(code) for code in codes for status in ([s for s in found if code in s.items] or found)
        )

    def _takes_away(self, stage: str, batch: Sequence[Rendered], found: Sequence[Status]) -> bool:
        """Tell whether Basware is still at something that a record has no more: whose it is shows in the end."""
        known = {str(e["externalCode"]) for r in batch for e in r.entities.get(stage, ())}
        return stage in self._leftovers and any(
            status.under_way(code) for status in found for code in status.items if code not in known
        )

    def _not_taken_away(self, stage: str, batch: Sequence[Rendered], found: Sequence[Status]) -> dict[str, Verdict]:
        """Refuse records of which something stayed that should have gone: an item that is none of theirs went wrong."""
        known = {str(e["externalCode"]) for r in batch for e in r.entities.get(stage, ())}
        items = {code: item for status in found for code, item in status.items.items() if code not in known}
        refused: dict[str, Verdict] = {}
        for code, item in items.items() if stage in self._leftovers else ():
            if (said := verdict(item)) is None or said.outcome != "rejected":
                continue
            present = self.places[stage].read(code) or {}
            for owner in (r.key for r in batch if present.get("orderExternalCode") == r.target_id or len(batch) == 1):
                why = "; ".join(item.messages) or unclear(item)
                refused[owner] = Verdict("rejected", f"Basware did not close a line that is gone: {why}")
        return refused

    def _judge(self, stage: str, rendered: Rendered, found: Sequence[Status]) -> Verdict:
        """Take the gravest word on any of a record's entities."""
        whole, readable = Item(), True
        for entity in rendered.entities.get(stage, ()):
            code = str(entity["externalCode"])
            listed = [status for status in found if code in status.items]
            for status in listed or found:
                item = status.of(code)
                whole.add(item.status, item.messages)
                readable = readable and (verdict(item) is not None or status.worth_reading(code))
        if not whole.status:
            return Verdict("delivered")
        if (said := verdict(whole, self._parent(rendered, stage))) is not None:
            return said
        if readable:
            return self.compared(stage, rendered)
        return Verdict("held", unclear(whole), f"lookup:{rendered.key}")

    def _parent(self, rendered: Rendered, stage: str) -> str | None:
        """Name what an order waits for: the supplier for a header, the order for its lines."""
        if not self._parents:
            return None
        entities = rendered.entities.get(stage, ())
        return str(next((e["supplierCode"] for e in entities if "supplierCode" in e), rendered.key))

    def read_back(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Verdict]:
        """Compare Basware's entities with ours, field by field of what we sent."""
        return {r.key: self.compared(stage, r) for r in batch}

    def compared(self, stage: str, rendered: Rendered) -> Verdict:
        """Compare what stands there with ours."""
        for entity in rendered.entities.get(stage, ()):
            present = self.places[stage].read(str(entity["externalCode"]))
            if present is None:
                return unsure(rendered.key, f"Basware does not show {entity['externalCode']}")
            keep = rendered.keep
            ours = around(entity, present, keep(enrichment(present)))[1] if keep else entity
            if (where := compare.difference(ours, present)) is not None:
                return unsure(rendered.key, f"Basware shows another value in {where} of {entity['externalCode']}")
        return Verdict("delivered", "Confirmed by reading the record; Basware gave no request status.")

    def deactivate(self, keys: Sequence[str]) -> Sent:
        """Deactivate (or, orders, close) what vanished at the source, by the source's keys.

        What Basware never had is no error, and the same again is harmless.
        """
        tokens: list[str] = []
        refused: dict[str, str] = {}
        for key in keys:
            answer = self._switch_off(self.code_of(key))
            if answer is not None and answer.ok:
                tokens.append(answer.token)
            elif answer is not None:
                refused[key] = f"Basware did not deactivate it: {answer.words()}"
        return Sent(tuple(tokens), refused)

    def _switch_off(self, code: str) -> Answer | None:
        """Switch an entity off wherever it is; None where it is nowhere."""
        for stage in self.places.values():
            if (answer := stage.deactivate(code)) is not None:
                return answer
        return None

    def deactivated(self, keys: Sequence[str], tokens: Sequence[str]) -> dict[str, Verdict] | None:
        """Ask what P2P made of `retire`; None while it is still at it. Only what was asked for is judged.

        A call without a request id, or one refused without naming its record, is told by reading the records. What
        Basware leaves unclear is no success: the next full comparison tries again.
        """
        said: dict[str, Verdict] = {}
        owners = {self.code_of(key): key for key in keys}
        doubtful = "" in tokens
        for token in filter(None, tokens):
            status = ask(self.places[self.stages[0]].client, token)
            if status is None:
                return None
            doubtful = doubtful or status.failed_namelessly
            for code, item in status.items.items():
                if code in owners and status.worth_reading(code):
                    doubtful = True
                elif code in owners:
                    said[owners[code]] = verdict(item) or Verdict("rejected", unclear(item))
        if doubtful:
            for code, key in owners.items():
                if key not in said and not all(stage.is_off(code) for stage in self.places.values()):
                    said[key] = Verdict("rejected", "Basware shows it active still, and did not say why; look in P2P.")
        return said


def inactive_companies(present: dict[str, Any]) -> dict[str, Any]:
    """Switch an account or cost center off in every company (soft delete)."""
    return {"companies": [{**company, "active": False} for company in _companies(present)]}


def inactive_vendor(present: dict[str, Any]) -> dict[str, Any]:
    """Switch a vendor off; its payment denial stays as it is."""
    status = present.get("processingStatus")
    kept = {k: v for k, v in status.items() if v is not None} if isinstance(status, dict) else {}
    return {"processingStatus": {**kept, "active": False}}


def closed_order(_: dict[str, Any]) -> dict[str, Any]:
    """Close an order."""
    return {"isClosed": True}


def _companies(present: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for company in listed(present.get("companies")):
        if isinstance(company, dict):
            yield {k: v for k, v in company.items() if k in {"companyCode", "inherit"} and v is not None}


def unsure(key: str, why: str) -> Verdict:
    """Hold a record that Basware shows otherwise than it was sent, and says nothing of."""
    return Verdict("held", f"{why}, and it gave no request status for it; look at the record in P2P.", f"lookup:{key}")


PATH, NAME = "/v1/matchingOrderLines", "matchingOrderLines"


def removed_lines(client: Basware, order: Rendered) -> list[dict[str, Any]]:
    """Read what Basware has of an order that it has already, and make the entities that take away the rest.

    A tenant that lists its own scopes, without the reading of lines, does without.
    """
    if not order.known or f"{NAME}.read" not in client.scopes():
        return []
    kept = {str(line["externalCode"]) for line in order.entities.get("lines", ())}
    return [
        {**compare.bare(line), "isClosed": True, "isDeleted": True}
        for page in client.list(PATH, NAME, {"orderExternalCode": order.target_id})
        for line in page
        if isinstance(line, dict)
        and line.get("orderExternalCode") == order.target_id
        and line.get("externalCode") not in {None, *kept}
        and line.get("isDeleted") is not True
    ]
