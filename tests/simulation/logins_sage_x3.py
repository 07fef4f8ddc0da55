"""How Sage X3 is logged in to in the simulation: by Basic, a connected application, or a pairing at the gateway."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from infra.sandbox.sage_x3 import World
from infra.sandbox.sage_x3.logins import opened
from infra.sandbox.sage_x3.seed import APP_ID, APP_SECRET, CLIENT_ID, CLIENT_SECRET, USER
from ml_connector.engine.access.chain import chain_key

if TYPE_CHECKING:
    from tests.simulation.history import History
    from tests.simulation.worlds import Office

AUDIENCE = "https://x3.example/xtrem/api"


class Basic:
    """A user's password with each call; so SOAP is called, however the rest logs in."""

    kind = "basic"
    pairs = False

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.password = world.logins.users[USER] = f"hidden-password-{name}-0"

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"https://x3.{self.name}.test"

    def settings(self) -> dict[str, Any]:
        """Say who logs in, but for the secret part."""
        return {"type": "basic", "user": USER}

    def with_password(self, auth: dict[str, Any], password: str) -> dict[str, Any]:
        """Put the secret part in."""
        return {**auth, "password": password}

    def set_password(self, password: str) -> None:
        """Make another secret part the right one."""
        self.password = self.world.logins.users[USER] = password

    def shown(self, request: httpx.Request) -> str:
        """Give what a call shows, the same for the same secret."""
        said: str = request.headers.get("authorization", "")
        return said


class ConnectedApplication(Basic):
    """Tokens that the connector signs itself."""

    kind = "connected_app"

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.password = CLIENT_SECRET

    def settings(self) -> dict[str, Any]:
        return {"type": "connected_app", "client_id": CLIENT_ID, "user": USER, "audience": AUDIENCE}

    def with_password(self, auth: dict[str, Any], password: str) -> dict[str, Any]:
        return {**auth, "client_secret": password}

    def set_password(self, password: str) -> None:
        self.password = self.world.logins.applications[CLIENT_ID].secret = password


class Pairing(ConnectedApplication):
    """A gateway's access tokens, and refresh tokens: each is good once, and each pairing begins with another."""

    kind = "oauth2"
    pairs = True

    def __init__(self, world: World, name: str) -> None:
        super().__init__(world, name)
        self.set_password("")

    @property
    def url(self) -> str:
        return f"https://api.{self.name}-sagex3.com/v1"

    def settings(self) -> dict[str, Any]:
        return {"type": "oauth2", "token_url": f"{self.url}/token", "client_id": APP_ID, "client_secret": APP_SECRET}

    def with_password(self, auth: dict[str, Any], password: str) -> dict[str, Any]:
        return {**auth, "refresh_token": password}

    def set_password(self, password: str) -> None:
        logins = self.world.logins
        logins.answer(logins.paired[APP_ID])
        self.password = logins.paired[APP_ID].refresh

    def shown(self, request: httpx.Request) -> str:
        if not request.url.path.endswith("/token"):
            return super().shown(request)
        body = json.loads(request.read())
        return str(opened(body["refresh_token"])[1].get("jti") or body["refresh_token"])


def drawn(dice: Random, world: World, name: str, *, graphql_only: bool) -> Basic:
    """Draw a way to log in; only who reads and writes by GraphQL or imports has a choice."""
    kinds: tuple[type[Basic], ...] = (Basic, ConnectedApplication, Pairing, Pairing)
    return (dice.choice(kinds) if graphql_only else Basic)(world, name)


def is_over(history: History, office: Office) -> bool:
    """Tell whether an office's pairing is over, as its operator is told."""
    row = history.plant.store.get(chain_key(office.name), office.erp.system)
    return row is not None and row.data.get("over") is not None


def pair_again(history: History, office: Office) -> None:
    """Somebody hears that the pairing is over, pairs again, and writes the new token into the secret."""
    if office.erp.pairs and not office.gone and is_over(history, office):
        history.machine.fault("sessions: paired again")
        office.erp.set_password("")
        history.plant.write_secrets(office)
