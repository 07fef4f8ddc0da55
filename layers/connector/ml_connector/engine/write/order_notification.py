"""Notices: the platform exports an order or a requisition. It is read, and kept with the history of the ERP's order.

Nothing is sent on, and nothing acknowledged: another system may be waiting for that very one.
"""

from __future__ import annotations

from typing import Any

from ml_connector.engine.write.attempt import Attempt
from ml_connector.errors import LoginRefused

KINDS = {"": ("exported_orders", "order"), "exported_requisition": ("exported_requisitions", "requisition")}
"""By what a notice is about: where a connection has it, and how people call it."""
TRIES = 3
"""A platform that grants no right to read the order is asked this often; the notice is kept without it."""


class OrderNotification:
    """One attempt at a notice."""

    def __init__(self, attempt: Attempt) -> None:
        """Have the chunk at hand; `refers` is the platform's id of what it is about."""
        self.attempt, self.chunk = attempt, attempt.chunk

    def advance(self) -> None:
        """Read it, and settle. Raises what the platform raises."""
        flow, document = self.attempt.flow, self.chunk.refers or self.chunk.id
        name, what = KINDS[self.chunk.about]
        self.attempt.pair.check(flow.target)
        connection: Any = self.attempt.pair.connection(flow.target)
        try:
            order = getattr(connection, name)().fetch(document)
        except LoginRefused as error:
            if self.chunk.attempts < TRIES:
                raise
            self.attempt.done(None, f"A notification came of {what} {document}, which could not be read: {error}")
            return
        if order is None:
            self.attempt.done(None, f"A notification came of {what} {document}, which is not there for this tenant.")
            return
        self.chunk.key, self.chunk.number, self.chunk.stamp = self._key(order), order.number, order.stamp
        shown = ", ".join(filter(None, (order.status, order.export)))
        shows = f"{self.attempt.pair.title(flow.target)} shows {what} {order.number}"
        self.attempt.done(None, f"{shows} as {shown or 'having no status'}.")

    def _key(self, order: Any) -> str:
        """Find the order of ours that has the ERP's number; one that is not ours is kept under its own number."""
        if order.erp_number is None:
            return str(order.number)
        ledger, number = self.attempt.ledger, str(order.erp_number)
        return ledger.alias(number) or (number if ledger.rows([number]) else str(order.number))
