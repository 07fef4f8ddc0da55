"""Cost centers and items of lists, which people edit in Basware too: read there, and changed in part.

A new one goes by POST, in bulk. One that is there goes by PATCH, with what the ERP changed and nothing else
(`docs/vendors/basware.md`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ml_connector.flow import Rendered, Verdict
from ml_connector.records import CostCenter
from ml_connector.systems.basware.client import Basware
from ml_connector.systems.basware.limits import COST_CENTERS
from ml_connector.systems.basware.payloads import list_stage
from ml_connector.systems.basware.upserts import Entity, Masters, Stage, unsure
from ml_connector.systems.http import listed
from ml_connector.systems.kit.compare import bare
from ml_connector.systems.kit.standing import Shape, Standing

CENTERS = Shape(
    {"costCenterCode": "code"},
    {"costCenterNames": ("name", "language", "translation"), "companies": ("active", "companyCode", "active")},
)
ITEMS = Shape({"text_1": "code", "text_2": "name"}, {"companies": ("active", "companyCode", "active")})
"""What is told of each, as `payloads` fills it."""
CENTER_STAGE, CENTER_TOUCH, ITEM_TOUCH = "costCenters", "text10", "text_5"
"""Where a replay makes its change."""


class Dimensions(Masters[CostCenter]):
    """The `GuardedTarget` of cost centers, and of the dimensions that have a list."""

    def present(self, stage: str, batch: Sequence[Rendered]) -> dict[str, Mapping[str, Any]]:
        """Read what stands there now, by record key."""
        codes = {str(one.entities[stage][0]["externalCode"]): one for one in batch}
        found = self._standing(stage).read(list(codes), {code for code, one in codes.items() if one.known})
        return {codes[code].key: row for code, row in found.items()}

    def fields(self, stage: str, entity: Mapping[str, Any]) -> dict[str, str]:
        """Tell an entity field by field, as people edit it; a replay's own field is none of these."""
        return _shape(stage).fields(entity)

    def _standing(self, stage: str) -> Standing:
        to = self.places[stage]
        key = CENTER_STAGE if stage == CENTER_STAGE else "listItems"
        if stage not in to.client.standing:
            to.client.standing[stage] = Standing(
                lambda: to.client.list(to.path, key, {"pageSize": "500"}),
                to.read,
                lambda row: str(row.get("externalCode")),
                to.client.context.clock,
            )
        return to.client.standing[stage]

    def beside(self, stage: str, rendered: Rendered, entity: Entity) -> tuple[bool, Entity]:
        """Make what changes an entity that is there, but for what is to be left; tells whether it is a PATCH."""
        present, touch = rendered.present, CENTER_TOUCH if stage == CENTER_STAGE else ITEM_TOUCH
        if present is None:
            return False, entity
        made = _shape(stage).changed(entity, present, rendered.kept or ())
        if touch in entity and str(present.get(touch) or "replayed").startswith("replayed"):
            made[touch] = entity[touch]
        return True, {"externalCode": entity["externalCode"], **made}

    def compared(self, stage: str, rendered: Rendered) -> Verdict:
        """Compare what stands there with ours, but for what is left."""
        if rendered.kept is None:
            return super().compared(stage, rendered)
        for entity in rendered.entities.get(stage, ()):
            code = entity["externalCode"]
            present = self.places[stage].read(str(code))
            shown, ours = self.fields(stage, present or {}), self.fields(stage, entity)
            if others := sorted(n for n, value in ours.items() if n not in rendered.kept and shown.get(n) != value):
                return unsure(rendered.key, f"Basware shows another {others[0]} of {code}")
        return Verdict("delivered", "Confirmed by reading the record; Basware gave no request status.")


def dimensions(client: Basware, lists: Sequence[str]) -> dict[str, Stage]:
    """Give the stages of cost centers and of these lists."""
    paths = {CENTER_STAGE: "/v1/costCenters", **{list_stage(name): f"/v1/lists/{name}" for name in lists}}
    off = partial(_inactive, client.settings.companies)
    return {stage: Stage(client, path, COST_CENTERS, off) for stage, path in paths.items()}


def _inactive(ours: Sequence[str], present: dict[str, Any]) -> dict[str, Any]:
    """Make it inactive in the tenant's companies; those that people added stay as they are."""
    stand = [bare(one) for one in listed(present.get("companies")) if isinstance(one, dict)]
    return {"companies": [{**one, "active": False} if one.get("companyCode") in ours else one for one in stand]}


def _shape(stage: str) -> Shape:
    return CENTERS if stage == CENTER_STAGE else ITEMS
