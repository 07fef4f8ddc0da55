"""A strict, in-memory Sage 300 Web API: `create_app(seeded_world())` (`docs/vendors/sage_300.md`).

What is not documented is answered in one plausible way, marked "inferred" where it is done.
"""

from __future__ import annotations

from ..kit.faults import Fault
from .app import create_app
from .seed import OrderLine, order_lines, seeded_world
from .world import World

__all__ = ["Fault", "OrderLine", "World", "create_app", "order_lines", "seeded_world"]
