"""Logins by headers that a secret holds: tokens that people made, or a gateway's key beside a user's own token.

A refused login may lock a person's account, so that it is tried once (`login.py`). What a user's login was sent and
answers is neither kept nor told: a failing server may say back user name and password in clear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import httpx

from ml_connector.engine.access.sessions import Session
from ml_connector.errors import LoginRefused, Misconfigured, Transient
from ml_connector.ports import Clock
from ml_connector.systems.http import Call, Http, Reply
from ml_connector.systems.kit.absence import ABSENT_STATUS, unproven
from ml_connector.systems.kit.credentials import TOLD, code_of
from ml_connector.systems.kit.login import Doubt, knock, lifetime
from ml_connector.systems.kit.results import named

REFUSED = (400, 401, 403, 422)


class FixedHeaders:
    """Tokens on each call, which are proven by one small read before anything else is asked."""

    def __init__(self, http: Http, headers: Mapping[str, str], proof: Callable[[], Call | None], hint: str) -> None:
        """`proof` makes a read that hands back 401; None where nothing can be read. `hint` ends a refusal's message."""
        self._http, self._headers, self._proof, self._hint = http, headers, proof, hint

    def sign(self, request: httpx.Request, _: Session) -> None:
        """Put the headers on a request."""
        request.headers.update(self._headers)

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a refusal of the tokens."""
        return Doubt.DEAD if response.status_code == 401 else None

    def log_in(self) -> Session:
        """Read something with them, where there is anything to read. Raises `LoginRefused` or `Transient`."""
        call = self._proof()
        if call is not None and (reply := self._http.call(call)).status == 401:
            said = reply.text(120) or "without a text"
            raise LoginRefused(f"{self._http.vendor} does not accept the fixed tokens ({said}). {self._hint}")
        return Session("proven")


class UserLogin:
    """A token for a user's password (`grant_type=password`), in a header of its own beside fixed ones."""

    def __init__(
        self,
        http: Http,
        clock: Clock,
        pair: tuple[str, str],
        *,
        path: str,
        header: str,
        headers: Mapping[str, str],
        setting: str,
        hint: str,
    ) -> None:
        """`setting` names the field with the path; `hint` ends the message of a refusal."""
        self._http, self._clock, self._pair, self._path = http, clock, pair, path
        self._header, self._headers, self._setting, self._hint = header, headers, setting, hint

    def sign(self, request: httpx.Request, session: Session) -> None:
        """Put both tokens on a request."""
        request.headers.update(self._headers)
        request.headers[self._header] = f"Bearer {session.value}"

    def doubt(self, response: httpx.Response) -> Doubt | None:
        """Tell a token that is refused."""
        return Doubt.DEAD if response.status_code == 401 else None

    def log_in(self) -> Session:
        """Get a token. Raises `LoginRefused`, `Misconfigured` or `Transient`, none of them with the answer's words."""
        user, password = self._pair
        form = {"grant_type": "password", "username": user, "password": password}
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        call = Call(
            "POST",
            self._path,
            content=urlencode(form).encode(),
            headers=headers,
            auth=False,
            expect=TOLD,
            judge=self._there,
            shown=False,
        )
        asked, reply = self._clock.now(), knock(self._http, call, self._nowhere)
        if reply.status in REFUSED:
            raise LoginRefused(f"{self._http.vendor} refused user '{user}' ({code_of(reply)}). {self._hint}")
        if reply.status not in {200, 201}:
            raise self._nowhere(f"It answers {reply.status}.")
        told = named(reply.json())
        token = told.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii():
            raise Transient(f"{self._http.vendor} answered a login with {reply.status} but without an access_token.")
        lasts = lifetime(told.get("expires_in"))
        return Session(token, asked + lasts if lasts else None)

    def _there(self, reply: Reply) -> None:
        if reply.status in ABSENT_STATUS:
            raise unproven(self._http.vendor, "a login", f"status {reply.status}")

    def _nowhere(self, said: object) -> Misconfigured:
        return Misconfigured(f"{self._http.base_url} has no {self._path}: correct {self._setting}. {said}")
