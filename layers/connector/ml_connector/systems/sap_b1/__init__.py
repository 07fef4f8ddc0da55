"""SAP Business One, through its Service Layer."""

from ml_connector.flow import Chunking
from ml_connector.systems.sap_b1.connection import connect
from ml_connector.systems.sap_b1.settings import Settings

CHUNKING: Chunking = {}
"""No record travels to the Service Layer in bulk."""

__all__ = ["CHUNKING", "Settings", "connect"]
