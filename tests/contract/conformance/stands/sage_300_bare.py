"""The stand of a Sage 300 that does not serve `$metadata`."""

from __future__ import annotations

from infra.sandbox.sage_300 import World
from tests.contract.conformance.stands.sage_300 import SageStand


class BareStand(SageStand):
    def make_world(self) -> World:
        world = super().make_world()
        world.metadata = False
        return world


STAND = BareStand
