"""Basware P2P, simulated strictly: `create_app(World())` is a WSGI application that refuses a wrong client."""

from .app import create_app
from .world import World

__all__ = ["World", "create_app"]
