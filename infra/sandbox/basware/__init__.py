"""Basware P2P, simulated strictly: `create_app(World())` is a WSGI application that refuses a wrong client."""

from infra.sandbox.basware.app import create_app
from infra.sandbox.basware.world import World

__all__ = ["World", "create_app"]
