"""A strict, in-memory SAP Business One Service Layer: `create_app(seeded_world())` (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from ..kit.faults import Fault
from .app import create_app
from .seed import OrderLine, order_lines, seeded_world
from .world import World

__all__ = ["Fault", "OrderLine", "World", "create_app", "order_lines", "seeded_world"]
