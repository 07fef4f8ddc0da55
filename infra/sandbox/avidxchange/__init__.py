"""A strict, in-memory AvidXchange: `create_app(seeded_world())` (`docs/vendors/avidxchange.md`).

AvidXchange publishes no reference. The paths of the newer interface are a proposal; those under /v1 are what a public
client of 2015-2019 calls. What neither says is answered in one plausible way, marked "inferred" where it is done.
"""

from __future__ import annotations

from ..kit.faults import Fault
from .app import create_app
from .seed import add_code, add_users, add_vendor, seeded_world, small_world
from .world import World

__all__ = ["Fault", "World", "add_code", "add_users", "add_vendor", "create_app", "seeded_world", "small_world"]
