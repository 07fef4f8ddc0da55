"""Cost centres: the codes of one account segment."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ml_connector.flow import Broken, Page
from ml_connector.records import CostCenter
from ml_connector.systems.kit.masters import Masters
from ml_connector.systems.sage_300.client import WebApi
from ml_connector.systems.sage_300.masters import declared
from ml_connector.systems.sage_300.names import plain, text
from ml_connector.systems.sage_300.paging import Query
from ml_connector.systems.sage_300.reads import NotOffered
from ml_connector.systems.sage_300.segments import accounts_query

log = logging.getLogger("ml_connector")


class Centers:
    """The source of cost centres; where the server offers no segment codes, those that its accounts have."""

    def __init__(self, api: WebApi, segment: int) -> None:
        self._api, self._segment, self._codes = api, segment, _codes(api, segment)

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[CostCenter]]:
        """Read all of them; they carry no stamp."""
        try:
            yield from self._codes.pages(since, position)
        except NotOffered as error:
            log.warning("Sage 300 does not offer GLSegmentCodes, so the accounts' own codes are taken: %s", error)
            yield self._of_accounts()

    def reread(self, keys: Sequence[str]) -> Iterator[Page[CostCenter]]:
        """Read these very cost centres."""
        try:
            yield from self._codes.reread(keys)
        except NotOffered:
            page = self._of_accounts()
            yield Page([one for one in page.records if one.key in set(keys)], page.broken)

    def _of_accounts(self) -> Page[CostCenter]:
        codes: set[str] = set()
        broken: list[Broken] = []
        for batch in self._api.pages(accounts_query()):
            broken += batch.broken
            codes |= {code for row in batch.rows if (code := row.segment(self._segment))}
        return Page([CostCenter(key=code, code=code, name=code) for code in sorted(codes)], broken)


def _codes(api: WebApi, segment: int) -> Masters[dict[str, object], CostCenter]:
    """Read the codes of one segment. They are few, so they are read whole: the names of their fields are inferred."""
    wanted = str(segment)

    def convert(row: dict[str, object]) -> CostCenter | None:
        number, code = text(row, "segment"), text(row, "segment_code")
        if number is None or code is None:
            raise ValueError("The segment code has no SegmentNumber or no SegmentCode.")
        if plain("".join(c for c in number if c.isdigit()) or number) != wanted:
            return None
        return CostCenter(key=code, code=code, name=text(row, "segment_text") or code)

    def key(row: dict[str, object]) -> str:
        return f"{text(row, 'segment')}~{text(row, 'segment_code')}"

    return declared(api, lambda _: Query("GL/GLSegmentCodes", None, key), convert)
