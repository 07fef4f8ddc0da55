"""The bearer token: client credentials with as many scopes as are granted (`docs/vendors/basware.md`)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import httpx

from ml_connector.engine.access.sessions import Session
from ml_connector.ports import Clock
from ml_connector.systems.basware import rights
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.http import Http
from ml_connector.systems.kit.credentials import ClientCredentials, ScopesRefused

log = logging.getLogger("ml_connector")
MARK = "\n"
"""Between a token and the scopes that it lacks, in what the sessions keep: who takes a token over must know them."""


def lacking(session: Session) -> frozenset[str]:
    """Name the optional scopes that a token goes without."""
    return frozenset(session.value.partition(MARK)[2].split())


class Tokens(ClientCredentials):
    """Gets tokens without the scopes that no flow needs, where the server grants none with them."""

    def __init__(
        self, http: Http, settings: Settings, clock: Clock, scopes: Callable[[], tuple[str, ...]], tenant: str = ""
    ) -> None:
        """`scopes` is asked at each login."""
        secret = settings.client_secret.get_secret_value()
        super().__init__(http, clock, settings.client_id, secret, "/v1/tokens", setting="'base_url' or 'region'")
        self._wanted = scopes
        self._tenant = tenant

    def grants(self, scope: str) -> bool:
        """Tell whether the client gets a token for one scope; the token is not kept."""
        try:
            self.token(scope)
        except ScopesRefused:
            return False
        return True

    def token(self, scope: str) -> Session:
        """Get a token for one scope that no flow needs; raises `ScopesRefused` where it is not granted."""
        return self.ask((scope,))[0]

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Put the token on a request."""
        super().sign(request, replace(session, value=session.value.partition(MARK)[0]))

    def log_in(self, *, tell: bool = True) -> Session:
        """Log in; without the scopes that no flow needs where the server grants no token with them.

        It is asked for all again with each new token, so that a right granted since is found within its lifetime.
        """
        wanted = self._wanted()
        session, self.granted = self._most(wanted)
        lacking = sorted(rights.OPTIONAL & set(wanted) - self.granted)
        if not lacking:
            return session
        if tell:
            log.warning("%s: %s", self._tenant, rights.lack(lacking), extra={"tenant": self._tenant})
        return replace(session, value=f"{session.value}{MARK}{' '.join(lacking)}")

    def _most(self, wanted: tuple[str, ...]) -> tuple[Session, frozenset[str]]:
        """Get a token with as many scopes as the server grants; credentials that are refused are tried once only."""
        try:
            return self.ask(wanted)
        except ScopesRefused:
            for scopes in rights.fewer(wanted):
                with suppress(ScopesRefused):
                    return self.ask(scopes)
            raise
