"""The bearer token: client credentials, shared by all workers, renewed by one of them (`docs/vendors/basware.md`)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from ml_connector.engine.sessions import MARGIN, Session, Sessions
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.systems.basware.settings import Settings
from ml_connector.systems.http import Call, Http, Reply, listed

_ORDERS = {
    "matching_orders": ("matchingOrders.read", "matchingOrders.write", "matchingOrderLines.read",
                        "matchingOrderLines.write"),
    "purchase_requisitions": ("purchaseRequisitions.read", "purchaseRequisitions.write"),
}  # fmt: skip
_DOCUMENTS = ("accountingDocuments.read", "accountingDocuments.write")
_FLOWS: dict[str, tuple[str, ...]] = {
    "suppliers": ("vendors.read", "vendors.write"),
    "vendors": ("vendors.read", "vendors.write"),
    "accounts": ("accounts.read", "accounts.write"),
    "cost_centers": ("costCenters.read", "costCenters.write"),
    "dimensions": ("costCenters.read", "costCenters.write", "lists.read", "lists.write"),
    "invoices": _DOCUMENTS,
    "payments": _DOCUMENTS,
    "alignment": ("vendors.read", "accounts.read", "costCenters.read", "lists.read"),
    "supplier_enrichment": ("vendors.read", "vendors.write", "paymentTerms.read", "paymentTerms.write",
                            "taxCodes.read", "taxCodes.write"),
    "order_notices": ("exportedPurchaseOrders.read",),
}  # fmt: skip
"""Which scopes a flow's calls need. Reading belongs to every one: where no verdict comes, the entity is read."""
_USUAL = ("vendors", "accounts", "cost_centers", "purchase_orders", "invoices")


def scopes_of(settings: Settings, flows: Iterable[str]) -> tuple[str, ...]:
    """List the scopes to ask for: those of the secret, else exactly what the active flows call.

    `flows` are names as in `invoices` or `sap_b1-basware/invoices`; without any, the usual ones count.
    """
    if settings.scopes:
        return tuple(dict.fromkeys(settings.scopes))
    orders = _ORDERS[settings.purchase_order_target or "matching_orders"]
    table = {**_FLOWS, "purchase_orders": orders}
    wanted = {"requestStatus.read"}
    heard = tuple(f for f in flows if f != "order_notices" or settings.webhook_secret)  # unheard without a secret
    for flow in heard or _USUAL:
        wanted.update(table.get(flow.rpartition("/")[2], ()))
    if settings.dimension_lists and "costCenters.write" in wanted:
        wanted.update(("lists.read", "lists.write"))
    if settings.webhook_url:
        wanted.update(("subscriptions.read", "subscriptions.write"))
    return tuple(sorted(wanted))


LONGEST = 86_400.0
"""Seconds that a token is kept at most, whatever a server says of its life."""


class BaswareAuth(httpx.Auth):
    """Puts the token on a request, and renews it once for a request that was refused with it."""

    def __init__(
        self, settings: Settings, sessions: Sessions, clock: Clock, scopes: Callable[[], tuple[str, ...]]
    ) -> None:
        """`scopes` is asked at each login; `http` must be set before the first request."""
        self._settings, self._sessions, self._clock, self._scopes = settings, sessions, clock, scopes
        self.http: Http
        self._own: Session | None = None

    def ready(self) -> None:
        """Log in where there is no token yet. Outside a request, so that two loops of tries do not multiply."""
        if self._own is None:
            self._sessions.get(self._login)

    def prove(self) -> None:
        """Log in for this connection alone, so that `ping` tries the secret and not yesterday's token.

        A refusal closes the door for the workers too, without a second try.
        """
        try:
            self._own = self._login()
        except LoginRefused as refusal:
            self._tell_all(refusal)
            raise

    def _tell_all(self, refusal: LoginRefused) -> None:
        def refused() -> Session:
            raise refusal

        self._sessions.renew(self._sessions.get(refused), refused)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token; 401, or 403 for a right granted since, is worth one new token and never a second."""
        session = self._own or self._sessions.get(self._login)
        request.headers["Authorization"] = f"Bearer {session.value}"
        response = yield request
        if response.status_code in {401, 403} and self._own is None:
            response.read()  # gives its connection back: with one connection only, the login would wait for it
            session = self._sessions.renew(session, self._login)
            request.headers["Authorization"] = f"Bearer {session.value}"
            yield request

    def _login(self) -> Session:
        scopes = self._scopes()
        secret = self._settings.client_secret.get_secret_value()
        pair = base64.b64encode(f"{self._settings.client_id}:{secret}".encode()).decode()
        form = urlencode({"grant_type": "client_credentials", "scope": " ".join(scopes)})
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        asked = self._clock.now()
        reply = self.http.call(
            Call("POST", "/v1/tokens", content=form.encode(), headers=headers, auth=False,
                 expect=(200, 201, 301, 302, 307, 308, 400, 401, 403, 404, 405, 422))
        )  # fmt: skip
        if reply.status not in {200, 201}:
            _refuse(reply, scopes, self.http.base_url)
        value, seconds = _token(reply)
        return Session(value, asked + _lifetime(seconds) if seconds else None)


def _token(reply: Reply) -> tuple[str, float | None]:
    """Read token and lifetime in seconds. The documentation says minutes, its own example proves seconds."""
    body = reply.json()
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token or not token.isascii():
        raise Transient(f"Basware answered a login with 200 but without an access_token: {_said(reply)[:200]}")
    try:
        seconds = float(body.get("expires_in") or 0)
    except (TypeError, ValueError, OverflowError):
        return token, None
    return token, min(seconds, LONGEST) if seconds > 0 else None


def _lifetime(seconds: float) -> timedelta:
    """Tell how long to keep a token: sessions are renewed `MARGIN` early, which would eat up a short one whole."""
    end = timedelta(seconds=seconds)
    return end if end > 2 * MARGIN else end / 2 + MARGIN


def _refuse(reply: Reply, scopes: tuple[str, ...], base: str) -> None:
    """Say in words why there is no token. Raises `LoginRefused` or `Misconfigured`."""
    said, asked = _said(reply), " ".join(scopes)
    if reply.status in {301, 302, 307, 308, 404, 405}:
        raise Misconfigured(f"{base} has no /v1/tokens (status {reply.status}): correct 'base_url' or 'region'.")
    if "scope" in said.lower():
        raise LoginRefused(
            f"Basware refused the scopes asked for ({asked}): {said}. Let Basware grant them to this client, or list "
            "in 'scopes' those that it has."
        )
    if reply.status == 401 or "client" in said.lower():
        raise LoginRefused(
            f"Basware refused the login: {said}. Check 'client_id' and 'client_secret', and that they belong to the "
            f"region and environment of {base}."
        )
    raise LoginRefused(f"Basware refused the login with status {reply.status}: {said}. It was asked for: {asked}.")


def _said(reply: Reply) -> str:
    """Read any of the dialects in which a login is refused; never shows what we sent."""
    try:
        body: Any = reply.json()
    except ValueError:
        return reply.text(200) or "no text"
    if not isinstance(body, dict):
        return reply.text(200)
    words = [str(body[name]) for name in ("error", "error_description", "message") if body.get(name)]
    words += [
        f"{'.'.join(map(str, listed(d.get('loc'))))}: {d.get('msg')}"
        for d in listed(body.get("detail"))
        if isinstance(d, dict)
    ]
    return reply.clean(": ".join(words))[:500] or reply.text(200)
