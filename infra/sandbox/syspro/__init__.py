"""A strict, in-memory SYSPRO 8 with e.net and OData: `create_app(seeded_world())` (`docs/vendors/syspro.md`).

What is not documented is answered in one plausible way, marked "inferred" where it is done.
"""

from __future__ import annotations

from ..kit.faults import Fault
from .app import create_app
from .seed import OrderLine, add_users, order_lines, seeded_world
from .world import World

__all__ = ["Fault", "OrderLine", "World", "add_users", "create_app", "order_lines", "seeded_world"]
