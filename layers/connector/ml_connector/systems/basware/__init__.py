"""Basware P2P: master data and orders out, approved invoices in (`docs/vendors/basware.md`).

The names are loaded when they are first asked for: the webhook function imports `webhook` from here and must not
pay for an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_connector.systems.basware.connection import connect
    from ml_connector.systems.basware.limits import CHUNKING
    from ml_connector.systems.basware.settings import Settings

__all__ = ["CHUNKING", "Settings", "connect"]
_HOMES = {"CHUNKING": "limits", "Settings": "settings", "connect": "connection"}


def __getattr__(name: str) -> Any:
    """Load the names of `__all__` on demand (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
