"""AvidXchange: vendors, GL codes and supplier invoices in, invoice status and payments out, by a profile of paths."""

from ml_connector.flow import Chunking
from ml_connector.records import Account, Supplier
from ml_connector.systems.avidxchange.connection import connect
from ml_connector.systems.avidxchange.settings import Settings

CHUNKING: Chunking = {Supplier: (50, lambda _: 1), Account: (50, lambda _: 1)}
"""Each record is a call of its own; of fifty that fail for one, the others are sent again."""

__all__ = ["CHUNKING", "Settings", "connect"]
