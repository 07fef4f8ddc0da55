"""The secret of an AvidXchange account."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from ml_connector.systems.avidxchange.profile import Profile, laid_over
from ml_connector.systems.kit.credentials import basic
from ml_connector.systems.kit.secret_fields import none_if_blank, only_fields_of
from ml_connector.systems.settings import SystemSettings, Url, server

Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=8_000)]
Header = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
FIELDS_OF = {
    "oauth2": ("token_url", "client_id", "client_secret", "[scope]", "[client_auth]"),
    "token_headers": ("token_headers",),
    "login": ("login", "[token_headers]"),
}
"""What each way to log in demands, and in brackets what it takes beside that; the others' fields are refused."""


class Login(BaseModel):
    """A person's user name and password, and the header that carries the token given out for them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: Annotated[str, StringConstraints(pattern=r"^/[^\s?#]*$")]
    user: Filled
    password: Secret
    header: Header = "AvidAuthorization"


class Settings(SystemSettings):
    """How to reach one account (`docs/vendors/avidxchange.md`)."""

    private_network: ClassVar[bool] = False

    base_url: Url
    auth: Literal["oauth2", "token_headers", "login"] = "oauth2"
    token_url: Url | None = None
    client_id: Filled | None = None
    client_secret: Secret | None = None
    scope: Filled | None = None
    client_auth: Literal["basic", "body"] = "basic"
    token_headers: Annotated[dict[Header, Secret], Field(min_length=1, max_length=10)] | None = None
    login: Login | None = None
    company_id: Filled | None = None
    idempotency_header: Annotated[Header | None, BeforeValidator(none_if_blank)] = "Idempotency-Key"
    profile: Annotated[Profile, BeforeValidator(laid_over)] = Field(default="proposal", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _without_a_key(cls, found: Any) -> Any:
        """Send no idempotency header by the older interface unless the secret names one: nothing speaks of it there."""
        name = found.get("profile") if isinstance(found, dict) else None
        name = name.get("extends") if isinstance(name, dict) else name
        if name == "avidsuite_v1" and "idempotency_header" not in found:
            return {**found, "idempotency_header": None}
        return found

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        only_fields_of(self, "auth", FIELDS_OF)
        if self.login is not None and self.login.header.lower() in {name.lower() for name in self.token_headers or ()}:
            raise ValueError("'login.header' is one of 'token_headers' as well; give each its own header")
        first = self._version_of_paths()
        if first and urlsplit(self.base_url).path.lower().endswith(f"/{first}"):
            raise ValueError(f"'base_url' ends in /{first}, and so begin the profile's paths; take /{first} out of it")
        for fault in self.profile.faults(self.company_id):
            raise ValueError(fault)
        return self

    def _version_of_paths(self) -> str:
        """Name the version with which paths begin, such as v1; empty where they begin with none."""
        paths = [path.partition(" ")[2] for path in self.profile.paths.values() if path]
        first = {path.split("/")[1].lower() for path in [*paths, self.login.path if self.login else "/"]}
        return next((one for one in first if one[:1] == "v" and one[1:].isdecimal()), "")

    def token_pair(self) -> tuple[str, str]:
        """Give the client's id and secret; empty where there are none."""
        return self.client_id or "", self.client_secret.get_secret_value() if self.client_secret else ""

    def fixed_headers(self) -> dict[str, str]:
        """Give the headers that each call carries, as they are sent."""
        return {name: value.get_secret_value() for name, value in (self.token_headers or {}).items()}

    def secret_values(self) -> list[str]:
        """List what is masked: secret, password, and tokens with and without the word before them."""
        tokens = [value for whole in self.fixed_headers().values() for value in (whole, whole.rpartition(" ")[2])]
        password = [self.login.password.get_secret_value()] if self.login else []
        return [*super().secret_values(), *tokens, *password, *([basic(*self.token_pair())] if self.client_id else [])]

    def endpoint(self) -> dict[str, str]:
        """Name server and company."""
        return {"server": server(self.base_url), "company": self.company_id or ""}

    def owns(self) -> dict[str, str]:
        """Name the account and its company: whoever else has it would submit the same invoices."""
        who = self.client_id or (self.login.user if self.login else None) or self.company_id
        said = f"company {self.company_id or who} of this AvidXchange account"
        return {f"{self.identity()}|{who}": said} if who else {}

    def urls(self) -> list[str]:
        """List the addresses of the API and of its tokens."""
        return [url for url in (self.base_url, self.token_url) if url]
