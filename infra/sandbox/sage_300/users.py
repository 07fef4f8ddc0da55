"""Who may do what: Basic credentials, rights for each module, ADMIN (`docs/vendors/sage_300.md`)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from .errors import forbidden, unauthorized
from .fields import MODULES

ADMIN = "ADMIN"
LOCK_AFTER = 5


@dataclass
class User:
    """A user; `password` is compared as it is stored. modules: those with the right "Sage 300 Web API"."""

    password: str = field(repr=False)
    modules: set[str] = field(default_factory=lambda: set(MODULES))
    failures: int = 0


@dataclass
class Users:
    """All users by their id, which is stored in upper case.

    fold_ids: whether an id in lower case is taken for the stored one; the strict default refuses it (only samples
    say so). lock_after: refused logins in a row that lock a user (an option of the product; 0: none).
    allow_admin: AllowWebApiAccessForAdmin of both web.config files.
    """

    known: dict[str, User] = field(default_factory=dict)
    fold_ids: bool = False
    allow_admin: bool = False
    lock_after: int = LOCK_AFTER
    refused: int = 0

    def add(self, name: str, password: str, modules: set[str] | None = None) -> User:
        """Make a user, or replace one."""
        user = User(password) if modules is None else User(password, set(modules))
        self.known[name.upper()] = user
        return user

    def check(self, credentials: tuple[str, str] | None, module: str) -> str:
        """Return the id of the user who may use this module; raises `Refusal` (401 or 403)."""
        name, password = credentials or ("", "")
        name = name.upper() if self.fold_ids else name
        user = self.known.get(name)
        if user is None or self.locked(name) or not hmac.compare_digest(password.encode(), user.password.encode()):
            self.refused += 1
            if user is not None:
                user.failures += 1
            raise unauthorized()
        user.failures = 0
        if name == ADMIN and not self.allow_admin:
            raise forbidden("The user ADMIN has no access to the Web API")
        if module in MODULES and module not in user.modules:
            raise forbidden(f"The user {name} has no right to use the Sage 300 Web API of {module}")
        return name

    def locked(self, name: str) -> bool:
        """Whether this user was locked by refused logins."""
        user = self.known.get(name)
        return user is not None and 0 < self.lock_after <= user.failures

    def unlock(self, name: str) -> None:
        """Lift the lock, as an administrator does."""
        self.known[name].failures = 0
