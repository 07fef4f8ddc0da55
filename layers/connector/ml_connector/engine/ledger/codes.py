"""Translates codes between the two systems: a person's mapping first, then what was delivered, then nothing.

Inward (platform to ERP) a person's mapping wins. Outward, the code under which a master record was delivered is
the one to refer to it by; people's mappings are read backwards for what was never delivered.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from ml_connector.engine.ledger.first_delivery import on_their_way
from ml_connector.engine.ledger.ledger import Ledger
from ml_connector.engine.ledger.mappings import AS_IT_IS, Mappings
from ml_connector.engine.ledger.rows import Row
from ml_connector.errors import Held
from ml_connector.folding import fold


class Asked:
    """Codes that only notes what is asked of it, as (kind, code): a rehearsal."""

    def __init__(self) -> None:
        """Note nothing yet."""
        self.codes: dict[tuple[str, str], None] = {}

    def erp(self, kind: str, code: str) -> str:
        """Give the code back as it is."""
        return self.platform(kind, code)

    def platform(self, kind: str, code: str) -> str:
        """Give the code back as it is, or any other where it is too short to pass, as that of the ERP's own company."""
        self.codes[kind, code] = None
        return code if len(code) > 1 else "any"

    def named(self, kind: str, code: str) -> str:  # noqa: ARG002 - no row is read for it
        """Give the code back as it is."""
        return code


class LedgerCodes:
    """Codes of one tenant and integration, remembered for one attempt.

    `used` tells which codes were asked for outward since `begin`, and what they became, as far as mappings decide
    that: `{"tax:V1": "19"}`. What a delivered master record decides is left out.
    """

    def __init__(
        self,
        mappings: Mappings,
        masters: Mapping[str, Ledger],
        *,
        tenant: str,
        companies: Sequence[str],
        erp_company: str,
        is_currency: Callable[[str], bool] = lambda _: True,
        active: Collection[str] = (),
        names: tuple[str, str] = ("the ERP", "the AP platform"),
    ) -> None:
        """`masters`: for each mapping kind the ledger of the flow that provides it. `active`: flows that bring more.

        `is_currency` tells whether a code is one of ISO 4217: any other one crosses by a mapping only. `names` are
        those of the two systems, for people.
        """
        self._erp_name, self._platform_name = names
        self._active = active
        self._mappings, self._masters, self._tenant = mappings, masters, tenant
        self._companies, self._erp_company = companies, erp_company
        self._is_currency = is_currency
        self._seen: dict[tuple[str, str, str], str | Held] = {}
        self._rows: dict[tuple[str, str], Row | None] = {}
        self._on_their_way: dict[str, frozenset[str] | None] = {}
        self._backwards: dict[str, dict[str, list[str]]] = {}
        self._firm: set[tuple[str, str]] = set()
        self.used: dict[str, str] = {}

    def begin(self) -> None:
        """Note from here on what is used."""
        self.used = {}

    def erp(self, kind: str, code: str) -> str:
        """Translate the platform's code into the ERP's; raises `Held` where there is none.

        A company is the ERP's own, or raises `Held`: what belongs to another one is never written here.
        """
        return self._remember("erp", kind, code)

    def mapped(self, kind: str, code: str) -> str:
        """Give what a person mapped a code of the platform to; raises `Held` where nobody did, whatever its kind."""
        if (mapping := self._mappings.get(kind, code)) is None:
            raise self._missing(kind, code)
        return mapping.target

    def platform(self, kind: str, code: str) -> str:
        """Translate the ERP's code into the platform's; an empty company code means the ERP's own company."""
        found = self._remember("platform", kind, code)
        if (kind, code) not in self._firm:
            self.used[f"{kind}:{code}"] = found
        return found

    def named(self, kind: str, code: str) -> str:
        """Give what people mapped to an ERP's code that is being delivered; itself where nobody did.

        Raises `Held` where several are mapped to it.
        """
        back = self._back(kind, code)
        if len(back) > 1:
            raise self._several(kind, code, back)
        found = back[0] if back else code
        self.used[f"{kind}:{code}"] = found
        return found

    def look_ahead(self, asked: Iterable[tuple[str, str]]) -> None:
        """Read at once what was delivered under ERP codes that will be asked for, given as (kind, code)."""
        wanted = defaultdict[str, list[str]](list)
        for kind, code in asked:
            if kind in self._masters and (kind, code) not in self._rows:
                wanted[kind].append(code)
        for kind, codes in wanted.items():
            found = self._masters[kind].rows(codes, consistent=True)
            self._rows |= {(kind, code): found[code][0] if code in found else None for code in codes}

    def _remember(self, way: str, kind: str, code: str) -> str:
        known = self._seen.get((way, kind, code))
        if known is None:
            try:
                known = self._inward(kind, code) if way == "erp" else self._outward(kind, code)
            except Held as error:
                known = error
            self._seen[way, kind, code] = known
        if isinstance(known, Held):
            raise known
        return known

    # ── platform to ERP ─────────────────────────────────────────────────────────────────────────────────────

    def _inward(self, kind: str, code: str) -> str:
        if kind == "company" and len(self._companies) < 2:
            return self._erp_company
        mapping = self._mappings.get(kind, code)
        if mapping is not None:
            if kind == "company":
                return self._own(code, mapping.target)
            self._wait_for(kind, mapping.target)
            return mapping.target
        for _ in range(2):  # twice, as in `_outward`
            if kind in self._masters and (key := self._delivered(self._masters[kind], code)) is not None:
                return key
            self._wait_for(kind, code)
        if self._crosses(kind, code):
            return code
        raise self._missing(kind, code)

    def _own(self, code: str, target: str) -> str:
        """Give the ERP's own company; raises `Held` where a company is mapped to another one."""
        if _same_company(target, self._erp_company):
            return self._erp_company
        raise Held(
            f"company:{code}",
            f"Company {code} is mapped to {target}, and this is {self._erp_company}. It is left to {target}. If it "
            f"belongs here: `{self._set('company', code, self._erp_company)}`.",
        )

    def _wait_for(self, kind: str, code: str) -> None:
        """Raise `Held` while the master record of a code is on its way to the platform for the first time."""
        ledger = self._masters.get(kind)
        if ledger is not None and ledger.flow in self._active and self._under_way(kind, ledger, code):
            raise Held(
                f"prerequisite:{ledger.flow}",
                f"{_words(kind).capitalize()} {code} is being sent to {self._platform_name} for the first time "
                f"({ledger.flow}). This resumes automatically once it has arrived.",
                soon=True,
                awaits=f"{kind}:{code}",
            )

    def _under_way(self, kind: str, ledger: Ledger, code: str) -> bool:
        if kind not in self._on_their_way:
            self._on_their_way[kind] = on_their_way(ledger)
        names = self._on_their_way[kind]
        if names is not None and code not in names:
            return False
        row = self._row(kind, code)
        return (row is None or row.code is None) and ledger.alias(code) is None

    def _row(self, kind: str, code: str) -> Row | None:
        self.look_ahead([(kind, code)])
        return self._rows[kind, code]

    def _delivered(self, ledger: Ledger, code: str) -> str | None:
        row = ledger.rows([code], consistent=True).get(code)
        if row is not None and row[0].code == code:
            return code
        return ledger.alias(code)

    # ── ERP to platform ─────────────────────────────────────────────────────────────────────────────────────

    def _outward(self, kind: str, code: str) -> str:
        if kind == "company" and len(self._companies) == 1:
            return self._companies[0]
        asked, code = code, code or (self._erp_company if kind == "company" else "")
        for _ in range(2):  # once more where it is not there: it may have arrived while we looked who is on the way
            if kind in self._masters and (row := self._row(kind, code)) is not None and row.code is not None:
                self._firm.add((kind, asked))
                return row.code
            self._wait_for(kind, code)
            self._rows.pop((kind, code), None)
        back = self._back(kind, code)
        if len(back) == 1:
            return back[0]
        if len(back) > 1:
            raise self._several(kind, code, back)
        if self._crosses(kind, code) or (kind == "cost_center" and kind not in self._masters):
            return code  # a dimension that no flow brings there is sent as it is
        raise self._missing_outward(kind, code)

    def _back(self, kind: str, target: str) -> list[str]:
        """List the platform's codes that people mapped to an ERP code; of companies only this tenant's."""
        if kind not in self._backwards:
            found = defaultdict[str, list[str]](list)
            for mapping in self._mappings.all(kind):
                found[_folded(kind, mapping.target)].append(mapping.code)
            self._backwards[kind] = dict(found)
        codes = self._backwards[kind].get(_folded(kind, target), [])
        return [code for code in codes if code in self._companies] if kind == "company" else codes

    # ── both ────────────────────────────────────────────────────────────────────────────────────────────────

    def _crosses(self, kind: str, code: str) -> bool:
        """Tell whether a code that nobody mapped is sent as it is."""
        return kind in AS_IT_IS and (kind != "currency" or self._is_currency(code))

    def _missing(self, kind: str, code: str) -> Held:
        if kind == "company":
            return Held(
                f"company:{code}",
                f"Company {code} is not mapped to {self._erp_company}, the company of {self._erp_name}. If it belongs "
                f"there: `{self._set(kind, code, self._erp_company)}`. If not, it is left to its own system.",
            )
        if kind == "currency":
            return Held(
                f"currency:{code}",
                f"Currency {code} is not a code of ISO 4217 and is not mapped. To fix: `{self._set(kind, code)}`",
            )
        found = self._mappings.proposal(kind, code)
        known = f" It may be {found.target} ({found.by})." if found is not None else ""
        return Held(
            f"{kind}:{code}",
            f"{_words(kind).capitalize()} {code} is not mapped.{known} To fix: "
            f"`{self._set(kind, code, found.target if found is not None else '')}`",
        )

    def _several(self, kind: str, code: str, back: Sequence[str]) -> Held:
        return Held(
            f"{kind}:{code}",
            f"{_words(kind).capitalize()} {code} of {self._erp_name} is mapped to several codes "
            f"({', '.join(sorted(back))}); keep one: `ml-connector mappings list {self._tenant} {kind}`.",
        )

    def _missing_outward(self, kind: str, code: str) -> Held:
        wanted = _placeholder(self._platform_name, kind)
        command = f"`ml-connector mappings set {self._tenant} {kind} {wanted} {shlex.quote(code)}`"
        if kind == "company":
            return Held(
                f"company:{code}",
                f"None of the companies {', '.join(self._companies)} is mapped to {code}, the company of "
                f"{self._erp_name}. To fix: {command}",
            )
        if kind == "currency":
            return Held(
                f"currency:{code}",
                f"Currency {code} of {self._erp_name} is not a code of ISO 4217 and is not mapped. To fix: {command}, "
                "such as EUR.",
            )
        return Held(
            f"{kind}:{code}",
            f"{_words(kind).capitalize()} {code} of {self._erp_name} is not in {self._platform_name} yet. This resumes "
            f"automatically once it is, or with {command}",
        )

    def _set(self, kind: str, code: str, target: str = "") -> str:
        there = shlex.quote(target) if target else _placeholder(self._erp_name, kind)
        return f"ml-connector mappings set {self._tenant} {kind} {shlex.quote(code)} {there}"


def _same_company(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _folded(kind: str, target: str) -> str:
    """Names of companies and suppliers are typed by people, in capitals or not; other codes count as they are."""
    return fold(target) if kind in {"company", "supplier"} else target


def _placeholder(system: str, kind: str) -> str:
    """Write what a person has to put into a command: SAP-ACCOUNT."""
    return f"{system.removeprefix('the ').split()[0]}-{kind.replace('_', '-')}".upper()


def _words(kind: str) -> str:
    return kind.replace("_", " ")
