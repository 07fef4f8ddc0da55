"""Notices: the platform told of an order of its own making. It is read, and kept with the order's history.

Nothing is sent on, and nothing acknowledged: another system may be waiting for that very order.
"""

from __future__ import annotations

from typing import Any

from ml_connector.engine.write.attempt import Attempt
from ml_connector.errors import LoginRefused

TRIES = 3
"""A platform that grants no right to read the order is asked this often; the notice is kept without it."""


class OrderNotification:
    """One attempt at a notice."""

    def __init__(self, attempt: Attempt) -> None:
        """Have the chunk at hand; `refers` is the platform's id of the order."""
        self.attempt, self.chunk = attempt, attempt.chunk

    def advance(self) -> None:
        """Read the order, and settle. Raises what the platform raises."""
        flow, document = self.attempt.flow, self.chunk.refers or self.chunk.id
        self.attempt.pair.check(flow.target)
        connection: Any = self.attempt.pair.connection(flow.target)
        try:
            order = connection.exported_orders().fetch(document)
        except LoginRefused as error:
            if self.chunk.attempts < TRIES:
                raise
            self.attempt.done(None, f"A notification came of order {document}, which could not be read: {error}")
            return
        if order is None:
            self.attempt.done(None, f"A notification came of order {document}, which is not there for this tenant.")
            return
        self.chunk.key, self.chunk.number, self.chunk.stamp = self._key(order), order.number, order.stamp
        shown = ", ".join(filter(None, (order.status, order.export)))
        shows = f"{self.attempt.pair.title(flow.target)} shows order {order.number}"
        self.attempt.done(None, f"{shows} as {shown or 'having no status'}.")

    def _key(self, order: Any) -> str:
        """Find the order of ours that has the ERP's number; one that is not ours is kept under its own number."""
        if order.erp_number is None:
            return str(order.number)
        ledger, number = self.attempt.ledger, str(order.erp_number)
        return ledger.alias(number) or (number if ledger.rows([number]) else str(order.number))
