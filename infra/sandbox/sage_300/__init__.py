"""A strict, in-memory Sage 300 Web API: `create_app(seeded_world())` (`docs/vendors/sage_300.md`).

What is not documented is answered in one plausible way, marked "inferred" where it is done.
"""

from __future__ import annotations

from infra.sandbox.sage_300.app import create_app
from infra.sandbox.sage_300.faults import Fault
from infra.sandbox.sage_300.seed import OrderLine, order_lines, seeded_world
from infra.sandbox.sage_300.world import World

__all__ = ["Fault", "OrderLine", "World", "create_app", "order_lines", "seeded_world"]
