"""Whether Basware knows the company codes of the secret: an unknown one refuses every record of a load.

No API tells the companies of P2P itself. `GET /v1/companies` lists those that were posted through the API, needs a
right of its own, and is deprecated; where it lists none, the codes in what
Basware holds are compared. Master data counts less than documents: it may be our own, posted under the wrong code.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ml_connector.connection import Check
from ml_connector.errors import ConnectorError
from ml_connector.systems.basware.client import Basware

WHAT = "companies"
SCOPE, PATH = "companies.read", "/v1/companies"
MADE_THERE = frozenset({"accountingDocuments", "exportedPurchaseOrders", "exportedPurchaseRequisitions"})
"""What comes from Basware's own users, and so names companies that exist."""
MOST = 20
RARE = 10
"""So many times more documents of other companies are worth a question."""


@dataclass
class Companies:
    """The company codes met while `ping` reads: in documents of Basware's own, and in anything."""

    wanted: tuple[str, ...]
    own: Counter[str] = field(default_factory=Counter)
    any: set[str] = field(default_factory=set)

    def note(self, api: str, rows: Iterable[Any]) -> None:
        """Remember the codes in the rows of a list."""
        codes = list(_codes(rows))
        self.any |= set(codes)
        if api in MADE_THERE:
            self.own.update(codes)

    def check(self, client: Basware) -> Check:
        """Tell of each code of the secret whether Basware knows it, as far as anything shows it."""
        listed = _listed(client)
        if listed:
            return self._against(listed)
        missing = [code for code in self.wanted if not self.own[code]]
        if not missing:
            return self._rare() or Check(WHAT, True, f"{', '.join(self.wanted)} known to Basware")
        others = (set(self.own) | self.any) - set(self.wanted)
        if others:
            said = self._unknown(missing, others, "Basware lists no companies to this client, but holds records of")
            return Check(WHAT, True, said, warning=True)
        return Check(
            WHAT,
            True,
            f"Basware lists no companies to this client, and nothing it holds shows whether it knows "
            f"{', '.join(missing)}; the first import does",
        )

    def _against(self, listed: set[str]) -> Check:
        """Judge by the list. One that is missing there is spared where Basware has documents of it, and others are
        listed: then the list is not whole.
        """
        missing = [code for code in self.wanted if code not in listed]
        if not missing:
            return Check(WHAT, True, f"{', '.join(self.wanted)} known to Basware")
        spared = len(missing) < len(self.wanted) and all(self.own[code] for code in missing)
        return Check(WHAT, spared, self._unknown(missing, listed, "Basware lists"), warning=spared)

    def _rare(self) -> Check | None:
        """Warn where most documents are another company's: a wrong code may have some of its own."""
        ours = sum(self.own[code] for code in self.wanted)
        others = {code: n for code, n in self.own.items() if code not in self.wanted}
        if ours * RARE >= sum(others.values()):
            return None
        most = max(others, key=lambda code: others[code])
        said = (
            f"of the documents Basware shows {ours} are of {', '.join(self.wanted)}, and {others[most]} of {most}: "
            "is 'companies' in the secret right? Every record sent for an unknown company is refused"
        )
        return Check(WHAT, True, said, warning=True)

    def _unknown(self, missing: Iterable[str], known: Iterable[str], there: str) -> str:
        names, every = list(missing), sorted(known)
        near = dict.fromkeys(n for code in names for n in difflib.get_close_matches(code, every, 1))
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        listed = ", ".join(every[:MOST]) + (f" and {len(every) - MOST} more" if len(every) > MOST else "")
        return (
            f"company {' and '.join(names)} of 'companies' is not known to Basware as far as it shows; {there} "
            f"{listed}.{meant} Every record sent for an unknown company is refused: correct 'companies' in the secret."
        )


def _listed(client: Basware) -> set[str]:
    """List the companies that were posted to Basware; none where the client may not read them."""
    try:
        with client.auth.lent(client.credentials.token(SCOPE)):
            return {code for rows in client.list(PATH, "companies", {"pageSize": "500"}) for code in _codes(rows)}
    except ConnectorError:
        return set()


def _codes(rows: Iterable[Any]) -> Iterable[str]:
    """Give the company codes of the rows of a list: each row's own, and those that it is valid for."""
    for row in (one for one in rows if isinstance(one, dict)):
        for holder in (row, *(row.get("companies") or ())):
            code = holder.get("companyCode") if isinstance(holder, dict) else None
            if isinstance(code, str) and code:
                yield code
