"""Ledger codes that are made of sections, of which one is the cost center: the second of `10-5500` is 5500."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ml_connector.flow import Page
from ml_connector.records import Account, CostCenter

_SECTION = re.compile(r"[^\s-]+")


class LedgerSection(BaseModel):
    """The cost center is a section of the ledger code, counted from 1: the second of `10-5500` is 5500."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    source: Literal["ledger_code"] = Field(alias="from")
    section: int = Field(ge=1, le=10)


def center_of(code: str, section: int) -> str | None:
    """Give a section of a ledger code, counted from 1; None where it has fewer."""
    parts = _SECTION.findall(code)
    return parts[section - 1] if len(parts) >= section else None


def with_center(code: str, section: int, center: str) -> str:
    """Put a cost center into its section of a ledger code; as it is where the code has fewer sections."""
    found = list(_SECTION.finditer(code))
    if len(found) < section:
        return code
    place = found[section - 1]
    return code[: place.start()] + center + code[place.end() :]


class SectionCenters:
    """The source of cost centers that are a section of the ledger code: each once, and known by its code alone."""

    def __init__(self, accounts: Callable[[], Iterable[Page[Account]]], section: int) -> None:
        """`accounts` reads all accounts: any of them may be of any cost center."""
        self._accounts, self._section = accounts, section

    def pages(self, since: str | None, position: str | None) -> Iterator[Page[CostCenter]]:  # noqa: ARG002 - no stamp
        """Read all of them: all accounts are read before one is given."""
        read = list(self._accounts())
        codes = {code for page in read for one in page.records if (code := center_of(one.code, self._section))}
        broken = [bad for page in read for bad in page.broken]
        yield Page([CostCenter(key=code, code=code, name=code) for code in sorted(codes)], broken)

    def reread(self, keys: Sequence[str]) -> Iterator[Page[CostCenter]]:
        """Read these very cost centers."""
        for page in self.pages(None, None) if keys else ():
            yield Page([one for one in page.records if one.key in set(keys)], page.broken)
