"""Translates codes between the two systems: a person's mapping first, then what was delivered, then nothing.

Inward (platform to ERP) a person's mapping wins. Outward, the code under which a master record was delivered is
the one to refer to it by; people's mappings are read backwards for what was never delivered.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from ml_connector.engine.ledger import Ledger
from ml_connector.engine.mappings import AS_IT_IS, Mappings
from ml_connector.errors import Held


class LedgerCodes:
    """Codes of one tenant and integration, remembered for one attempt."""

    def __init__(
        self,
        mappings: Mappings,
        masters: Mapping[str, Ledger],
        *,
        tenant: str,
        companies: Sequence[str],
        erp_company: str,
    ) -> None:
        """`masters`: for each mapping kind the ledger of the flow that provides it."""
        self._mappings, self._masters, self._tenant = mappings, masters, tenant
        self._companies, self._erp_company = companies, erp_company
        self._seen: dict[tuple[str, str, str], str] = {}

    def erp(self, kind: str, code: str) -> str:
        """Translate the platform's code into the ERP's; raises `Held` where there is none."""
        return self._remember("erp", kind, code)

    def platform(self, kind: str, code: str) -> str:
        """Translate the ERP's code into the platform's; an empty company code means the ERP's own company."""
        return self._remember("platform", kind, code)

    def _remember(self, way: str, kind: str, code: str) -> str:
        known = self._seen.get((way, kind, code))
        if known is None:
            known = self._inward(kind, code) if way == "erp" else self._outward(kind, code)
            self._seen[way, kind, code] = known
        return known

    def _inward(self, kind: str, code: str) -> str:
        mapping = self._mappings.get(kind, code)
        if mapping is not None:
            return mapping.target
        if kind in self._masters and (key := self._delivered(self._masters[kind], code)) is not None:
            return key
        if kind in AS_IT_IS:
            return code
        raise self._missing(kind, code)

    def _delivered(self, ledger: Ledger, code: str) -> str | None:
        row = ledger.rows([code], consistent=True).get(code)
        if row is not None and row[0].code == code:
            return code
        return ledger.alias(code)

    def _outward(self, kind: str, code: str) -> str:
        if kind == "company" and len(self._companies) == 1:
            return self._companies[0]
        code = code or self._erp_company
        if kind in self._masters:
            row = self._masters[kind].rows([code], consistent=True).get(code)
            if row is not None and row[0].code is not None:
                return row[0].code
        back = self._mappings.back(kind, code)
        if len(back) == 1:
            return back[0]
        if len(back) > 1:
            raise Held(
                f"{kind}:{code}",
                f"The ERP's {_words(kind)} {code} is mapped to several codes ({', '.join(sorted(back))}); "
                f"keep one: `ml-connector mappings list {self._tenant} {kind}`.",
            )
        if kind in AS_IT_IS:
            return code
        raise self._missing_outward(kind, code)

    def _missing(self, kind: str, code: str) -> Held:
        return Held(
            f"{kind}:{code}",
            f"The {_words(kind)} {code} has no counterpart in the ERP. Mend it with "
            f"`ml-connector mappings set {self._tenant} {kind} {shlex.quote(code)} TARGET`, TARGET being the ERP's "
            "code.",
        )

    def _missing_outward(self, kind: str, code: str) -> Held:
        return Held(
            f"{kind}:{code}",
            f"The ERP's {_words(kind)} {code} has not reached the platform. It goes on by itself once it has, or with "
            f"`ml-connector mappings set {self._tenant} {kind} CODE {shlex.quote(code)}`, CODE being the platform's "
            "code.",
        )


def _words(kind: str) -> str:
    return kind.replace("_", " ")
