"""What people change of vendors in Basware: read for the ERP, and left alone where the ERP's suppliers are written.

A POST overwrites a whole vendor, and a PATCH does not change what its lists hold (`docs/vendors/basware.md`). So a
vendor that is there is read first; it goes by PATCH where that is enough, and else by a POST with what stands there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ml_connector.enrichment import TERM
from ml_connector.errors import Rejected
from ml_connector.flow import Broken, Page
from ml_connector.records import SupplierEnrichment
from ml_connector.systems.basware.client import Basware, quoted
from ml_connector.systems.basware.invoice_document import text
from ml_connector.systems.http import dumps, listed
from ml_connector.systems.kit.bodies import one_of
from ml_connector.systems.kit.compare import bare, comparable, overlay
from ml_connector.systems.kit.paging import content_of, only_asked_for

PATH, KEY, NAME = "/v1/vendors", "vendorEntities", "vendors"
SCHEMES = {"vat": "vat_number", "taxid": "tax_id"}
"""Our schemes of identifiers; those of others are other numbers."""
CLEARED = frozenset({"paymentTerms", "identifiers", "addresses", "contacts"})
LISTS = CLEARED | {"paymentMeans"}
"""What a PATCH may add to a vendor and not change; bank details are never cleared."""
OVERLAP = timedelta(hours=2)
FEW = 5
"""Vendors that are read one by one; more are looked for in the list."""


class Enrichments:
    """The `MasterSource` of what people entered of the tenant's vendors; those without any of it are left out."""

    record = SupplierEnrichment

    def __init__(self, client: Basware) -> None:
        """Read the vendors of the tenant's companies."""
        self._client, self._companies = client, client.settings.companies

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[SupplierEnrichment]]:
        """Read what was updated since a stamp, less two hours; a position is Basware's own token."""
        for rows, token in self._client.pages(PATH, KEY, self._params(since), position):
            page = self._page(rows, token)
            yield Page([r for r in page.records if r != SupplierEnrichment(key=r.key)], page.broken, token, page.stamp)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[SupplierEnrichment]]:
        """Read these very vendors: ours by their external code, others by a look through the list."""
        found = [row for key in keys if (row := self._ours(key))] if len(keys) <= FEW else []
        left = set(keys) - {str(row.get("vendorCode")) for row in found}
        pages = self._client.list(PATH, KEY, self._params(None)) if left else ()
        yield from only_asked_for((self._page(rows, None) for rows in (found, *pages)), keys)

    def _ours(self, key: str) -> dict[str, Any] | None:
        code = self._client.context.outward("vendor", key)
        found = one_of(self._client.get(f"{PATH}/{quoted(code)}"), NAME)
        return found if found and found.get("vendorCode") == key and found.get("externalCode") == code else None

    def _params(self, since: str | None) -> dict[str, str]:
        params = {"pageSize": "500", **({"companyCode": self._companies[0]} if len(self._companies) == 1 else {})}
        if since is not None:
            params["lastUpdated"] = f"{datetime.fromisoformat(since[:19]) - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
        return params

    def _page(self, rows: Sequence[Any], token: str | None) -> Page[SupplierEnrichment]:
        records, broken, stamps = [], [], []
        for row in rows:
            if not self._is_ours(row):
                continue
            try:
                records.append(enrichment(row))
            except Rejected as error:
                broken.append(
                    Broken(code_in(row, "vendorCode") or f"?{content_of([row])}", str(error), dumps(row)[:20_000])
                )
            if isinstance(row, dict) and (stamp := comparable(text(row, "lastUpdated"))):
                stamps.append(stamp)
        return Page(records, broken, token, max(stamps, default=None))

    def _is_ours(self, row: Any) -> bool:
        codes = [one.get("companyCode") for one in _objects(row.get("companies"))] if isinstance(row, dict) else []
        return not codes or not set(self._companies).isdisjoint(codes)


def code_in(row: Any, field: str) -> str | None:
    """Read the code of a record; None where it has none, or something that is no code (a list, an object)."""
    value = row.get(field) if isinstance(row, dict) else None
    return text(row, field) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def enrichment(row: Any) -> SupplierEnrichment:
    """Read what people may change of a vendor. Raises `Rejected` for what cannot be read as one."""
    code = code_in(row, "vendorCode")
    if code is None:
        raise Rejected("Basware listed a vendor without a vendorCode; look at it in P2P.")
    terms, numbers = row.get("paymentTerms") or {}, row.get("identifiers") or []
    if not isinstance(terms, dict) or not isinstance(numbers, list) or not all(isinstance(n, dict) for n in numbers):
        raise Rejected(f"The paymentTerms or identifiers of vendor {code} are not as documented; ask Basware about it.")
    return SupplierEnrichment(
        key=code,
        payment_term=text(terms, "paymentTermCode"),
        **{name: text(number, "id") for number in reversed(numbers) if (name := _field(number))},
    )


def around(entity: Mapping[str, Any], present: Mapping[str, Any], kept: frozenset[str]) -> tuple[bool, dict[str, Any]]:
    """Make what changes a vendor and leaves the rest of it as it stands; tells whether it is a PATCH."""
    others = [bare(one) for one in _objects(present.get("identifiers")) if _field(one) in {None, *kept}]
    numbers = [*others, *(one for one in _objects(entity.get("identifiers")) if _field(one) not in kept)]
    left = {"identifiers", *(("paymentTerms",) if TERM in kept else ())}
    made = {name: value for name, value in entity.items() if name not in left}
    made |= {"identifiers": numbers} if numbers else {}
    return overlay(made, present, LISTS, cleared=CLEARED - (left - {"identifiers"}), unsent={"buvid"})


def _field(identifier: Mapping[str, Any]) -> str | None:
    return SCHEMES.get(str(identifier.get("schemeId")).strip().lower())


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in listed(value) if isinstance(one, dict)]
