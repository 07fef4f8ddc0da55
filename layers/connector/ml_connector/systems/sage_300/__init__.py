"""Sage 300, through its Web API."""

from ml_connector.flow import Chunking
from ml_connector.systems.sage_300.connection import connect
from ml_connector.systems.sage_300.settings import Settings

CHUNKING: Chunking = {}
"""No record travels to Sage 300 in bulk: its Web API takes one record to a request."""

__all__ = ["CHUNKING", "Settings", "connect"]
