"""Sage X3, through its api1, GraphQL and SOAP imports."""

from ml_connector.flow import Chunking
from ml_connector.systems.sage_x3.connection import connect
from ml_connector.systems.sage_x3.settings import Settings

CHUNKING: Chunking = {}
"""No record travels to Sage X3 in bulk."""

__all__ = ["CHUNKING", "Settings", "connect"]
