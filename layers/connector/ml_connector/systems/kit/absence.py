"""Whether an answer says in its vendor's own words that something is not there.

Gateways, proxies and load balancers answer 404 as well, in text, in HTML, in JSON of their own or with nothing. Whoever
believed them would take payments for gone, receipts for none, and would post a document again that stands. So absence
is concluded from the vendor's documented error alone; all else is passing trouble, and nothing follows from it.
"""

from __future__ import annotations

from ml_connector.errors import OutcomeUnknown, Transient

ABSENT_STATUS = frozenset({404, 410})
"""Statuses that may speak of absence; the body must say so too."""
NO_SUCH_STATUS = frozenset({*ABSENT_STATUS, 405})
"""Statuses of a read by which a server may say that it does not offer something at all."""


class Unproven(Transient):
    """Something answered, and nothing shows that it was the vendor."""


def unproven(vendor: str, what: str, said: object, *, safe: bool = True) -> Transient | OutcomeUnknown:
    """Make the error of an answer that may be anybody's: nothing is concluded from it.

    `what` names what was asked for, `said` shows the answer. Not `safe`: the request may have taken effect.
    """
    return (Unproven if safe else OutcomeUnknown)(
        f"Something else than {vendor} answered for {what}: {said}. Nothing is concluded from it, and it is asked "
        "again later; if it stays so, check the address in the secret and what stands in between (gateway, proxy)."
    )
