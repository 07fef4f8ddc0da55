"""One account's server: the paths of its profile, its login, and the company that a tenant means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from urllib.parse import urlsplit

from ml_connector.context import AdapterContext
from ml_connector.errors import Misconfigured
from ml_connector.systems.avidxchange.faults import ABSENT, VENDOR, fault_in, judge
from ml_connector.systems.avidxchange.login import scheme
from ml_connector.systems.avidxchange.settings import Settings
from ml_connector.systems.http import Call
from ml_connector.systems.kit.connection import server
from ml_connector.systems.kit.login import SharedLogin
from ml_connector.systems.kit.profiled import READ, Dialect, ProfiledServer

PROOFS = ("companies.list", "payments.list", "codes.list", "vendors.list")
"""What may be read to prove tokens that have no login of their own."""


class Client(ProfiledServer):
    """Calls with the profile's paths. Raises the classes of `errors` only."""

    def __init__(self, settings: Settings, context: AdapterContext) -> None:
        """Call nothing yet."""
        self.settings, self.context, self.profile = settings, context, settings.profile
        http = server(settings, context, vendor=VENDOR, base_url=settings.base_url, connections=4, private=False)
        dialect = Dialect(fault_in, partial(judge, context.clock.now), lambda fault: bool(ABSENT.search(fault.text)))
        place = self.profile.company
        named = {str(place.name): settings.company_id or ""}
        super().__init__(
            http,
            dialect,
            self.profile.paths,
            self.profile.fields,
            self.profile.style(),
            headers=named if place.placement == "header" else {},
            params=named if place.placement == "query" else {},
            fill=lambda _: self.company(),
        )
        url = urlsplit(settings.token_url or "")
        base = f"{url.scheme}://{url.netloc}"
        tokens = partial(server, settings, context, vendor=VENDOR, base_url=base, connections=1, private=False)
        self._tokens = tokens() if settings.token_url else None
        path = (settings.token_url or "").removeprefix(base) or "/"
        http.auth = self.login = SharedLogin(
            context.sessions, scheme(settings, http, self._tokens, path, context.clock, self._proof)
        )
        self._company: str | None = None

    def close(self) -> None:
        """Close the connections; the token stays good for the others."""
        self.http.close()
        if self._tokens is not None:
            self._tokens.close()

    def today(self) -> date:
        """Tell the day in UTC, of which the filters are made."""
        return self.context.clock.now().date()

    def window(self, first: date, last: date) -> Iterator[tuple[str, str]]:
        """Give the parameters that list what was modified from a day to another, both whole."""
        filters = self.profile.filters
        timed = filters.format == "datetime"
        begins, ends = (f"{first}T00:00:00", f"{last}T23:59:59") if timed else (str(first), str(last))
        if filters.modified_from and filters.modified_to:
            yield from ((filters.modified_from, begins), (filters.modified_to, ends))
        elif filters.modified_since:
            yield filters.modified_since, begins

    def _proof(self) -> Call | None:
        """Make a small read that proves fixed headers; None where nothing can be read."""
        name = next((one for one in PROOFS if self.offers(one) and "{" not in self.needs(one)), None)
        if name is None:
            return None
        today = self.today()
        params = dict(self.window(today, today)) if name == "payments.list" else {}
        _, path, own = self.address(name, {})
        call = self.read(path, {self.style.name("size"): "1", **own, **params})
        headers = {**call.headers, **self.settings.fixed_headers()}
        return replace(call, headers=headers, auth=False, expect=(*READ, 401))

    def company(self) -> str:
        """Give the id of the company; where its name was given, find it in the list, which compares without case."""
        wanted = self.settings.company_id or ""
        if self._company is None and not self.offers("companies.list"):
            self._company = wanted
        if self._company is None:
            rows = list(self.rows("companies.list"))
            both = [(self.text(row, "company.id"), self.text(row, "company.name")) for row in rows]
            fits = {one[0] for one in both if not wanted or wanted.strip().casefold() in map(_fold, one)}
            if len(fits) != 1 or None in fits:
                shown = ", ".join(sorted(str(name) for _, name in both)) or "none"
                raise Misconfigured(
                    f"{VENDOR} has {len(fits)} companies for 'company_id' {wanted or '(not given)'}; write the name or "
                    f"the id of one of those that it shows: {shown}."
                )
            self._company = fits.pop()
        return self._company or ""


def _fold(name: str | None) -> str:
    return (name or "").strip().casefold()
