"""SYSPRO, through e.net and OData."""

from ml_connector.flow import Chunking
from ml_connector.systems.syspro.connection import connect
from ml_connector.systems.syspro.settings import Settings

CHUNKING: Chunking = {}
"""No record travels to SYSPRO in bulk."""

__all__ = ["CHUNKING", "Settings", "connect"]
