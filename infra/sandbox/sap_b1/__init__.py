"""A strict, in-memory SAP Business One Service Layer: `create_app(seeded_world())` (`docs/vendors/sap_b1.md`)."""

from __future__ import annotations

from infra.sandbox.sap_b1.app import create_app
from infra.sandbox.sap_b1.faults import Fault
from infra.sandbox.sap_b1.seed import OrderLine, order_lines, seeded_world
from infra.sandbox.sap_b1.world import World

__all__ = ["Fault", "OrderLine", "World", "create_app", "order_lines", "seeded_world"]
