"""A strict, in-memory Sage X3 with api1, GraphQL, the regional gateway and SOAP: `create_app(seeded_world())`.

What is not documented is answered in one plausible way, marked "inferred" where it is done.
"""

from __future__ import annotations

from ..kit.faults import Fault
from .app import create_app
from .seed import OrderLine, add_users, order_lines, seeded_world
from .world import World

__all__ = ["Fault", "OrderLine", "World", "add_users", "create_app", "order_lines", "seeded_world"]
