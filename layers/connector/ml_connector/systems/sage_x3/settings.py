"""The secret of a Sage X3 folder."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StrictBool, StringConstraints
from pydantic import model_validator as checked

from ml_connector.engine.access.chain import Pairing
from ml_connector.systems.kit.logins import Auth, Filled, Part, UserPassword
from ml_connector.systems.settings import SystemSettings, Url, authority, server

SOAP_PATH = "/soap-generic/syracuse/collaboration/syracuse/CAdxWebServiceXmlCC"
_SURFACE = re.compile(r"/(api1|xtrem|sdata|soap-generic)(/.*)?$", re.IGNORECASE)


def is_gateway(url: object) -> bool:
    """Tell a regional gateway, `https://api.<region>-sagex3.com/v1`, by its address."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        named = re.search(r"(^|[.-])sagex3\.com\.?$", parts.hostname or "", re.IGNORECASE)
    except ValueError:
        return False
    return named is not None and parts.path.rstrip("/").lower().endswith("/v1")


def _root(url: str) -> str:
    if found := _SURFACE.search(url):
        raise ValueError(f"this address must end before /{found[1]}, such as https://x3.example.com:8124")
    return url


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
"""A folder or an endpoint: it is part of addresses."""
Class = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,60}$")]
Entity = Literal[
    "supplier",
    "account",
    "dimension",
    "purchase_order",
    "receipt",
    "supplier_invoice",
    "open_item",
    "journal",
    "payment",
]


class ClassOf(Part):
    """Under which class and representation an entity is published, and which of its fields shows a change."""

    name: Class | None = Field(default=None, alias="class")
    representation: Class | None = None
    changed_field: Class | None = None


class Templates(Part):
    """Import templates, by what they import."""

    journal: Filled | None = None
    payment: Filled | None = None


class Soap(Part):
    """The SOAP service, and what is imported through it."""

    url: Url
    pool_alias: Filled
    language: Filled = "ENG"
    auth: UserPassword | None = None
    templates: Templates = Templates()

    @property
    def address(self) -> str:
        """Give the address of the service itself; an address that ends before it is completed."""
        return self.url if self.url.endswith("/CAdxWebServiceXmlCC") else f"{self.url}{SOAP_PATH}"


class Journal(Part):
    """How an invoice becomes a journal entry of the general ledger."""

    entry_type: Filled
    journal: Filled
    site: Filled | None = None
    payable_account: Filled
    control: Filled | None = None
    tax_account: Filled | None = None
    rounding_account: Filled | None = None


class Payment(Part):
    """How a payment is entered."""

    type: Filled
    bank: Filled
    site: Filled | None = None
    journal: Filled | None = None


class Settings(SystemSettings):
    """How to reach one folder (`docs/vendors/sage_x3.md`).

    On a regional gateway, `api` and `write_via` are graphql where they are left out: there is neither api1 nor SOAP.
    """

    url: Annotated[Url, AfterValidator(_root)]
    folder: Name
    endpoint_name: Name | None = Field(default=None, alias="endpoint")  # every system has an `endpoint()`
    auth: Auth
    api: Literal["api1", "graphql"] = "api1"
    company_code: Filled | None = Field(default=None, alias="company")  # and a `company()`
    chart: Filled | None = None
    site: Filled | None = None
    classes: dict[Entity, ClassOf] = Field(default_factory=dict)
    write_via: Literal["api1", "graphql", "soap"] = "api1"
    soap: Soap | None = None
    journal: Journal | None = None
    payment: Payment | None = None
    cost_center_dimension: Filled | None = None
    invoice_status_field: Class | None = None
    hold_in_x3: StrictBool = False

    @checked(mode="before")
    @classmethod
    def _of_a_gateway(cls, found: Any) -> Any:
        if isinstance(found, dict) and is_gateway(found.get("url")):
            return {"api": "graphql", "write_via": "graphql", **found}
        return found

    @checked(mode="after")
    def _fits_together(self) -> Settings:
        if self.write_via == "soap" and self.soap is None:
            raise ValueError("the field 'soap' is missing: 'write_via' is soap; add it, or choose another 'write_via'")
        if self.gateway:
            self._fits_a_gateway()
        return self

    def _fits_a_gateway(self) -> None:
        if self.auth.type != "oauth2":
            raise ValueError(
                f"'auth.type' is {self.auth.type}, and a regional gateway takes only the tokens of a pairing: set it "
                "to oauth2"
            )
        for name in ("api", "write_via"):
            if getattr(self, name) == "api1":
                raise ValueError(f"'{name}' is api1, which a regional gateway does not have: set it to graphql")
        if self.write_via == "soap" and self.soap is not None:
            if is_gateway(self.soap.url) or authority(self.soap.url) == authority(self.url):
                raise ValueError("'soap.url' is the regional gateway's, which has no SOAP: name the X3 server itself")
            if self.soap.auth is None:
                raise ValueError(
                    "the field 'soap.auth' is missing: a regional gateway's tokens are not taken by SOAP; add user and "
                    "password"
                )

    @property
    def gateway(self) -> bool:
        """Whether this is a regional gateway: GraphQL only."""
        return is_gateway(self.url)

    @property
    def endpoint_code(self) -> str:
        """Name the endpoint, as it stands in addresses and headers."""
        return self.endpoint_name or self.folder

    @property
    def api1_path(self) -> str:
        """Give the path of api1 below `url`; a class follows."""
        return f"/api1/x3/erp/{self.endpoint_code}"

    @property
    def graphql_path(self) -> str:
        """Give the path of GraphQL below `url`."""
        return f"/service/{self.endpoint_code}/api" if self.gateway else "/xtrem/api"

    @property
    def graphql_headers(self) -> dict[str, str]:
        """Give the header that names the endpoint, where the address does not."""
        return {} if self.gateway else {"x-xtrem-endpoint": self.endpoint_code}

    def pairing(self, warn: timedelta) -> Pairing | None:
        """Say what this secret says of a pairing; None where it logs in otherwise. `warn`: before a token's end."""
        return self.auth.pairing(warn)

    def secret_values(self) -> list[str]:
        """List what is masked: passwords, secrets and tokens, and users with passwords as their header carries them."""
        own = self.soap.auth.secret_values() if self.soap and self.soap.auth else []
        return [*self.auth.secret_values(), *own]

    def endpoint(self) -> dict[str, str]:
        """Name server, folder and company."""
        return {"server": server(self.url), "folder": self.folder, "company": self.company_code or ""}

    def shown(self) -> dict[str, tuple[str, str | None]]:
        """Give what each journal entry shows of the secret: field and value, by setting."""
        kind, site = self.journal, ("journal.site" if self.journal and self.journal.site else "site")
        own = {"journal.entry_type": ("TYP", kind.entry_type), "journal.journal": ("JOU", kind.journal)} if kind else {}
        return {"company": ("CPY", self.company_code), site: ("FCY", (kind and kind.site) or self.site), **own}

    def company(self) -> str:
        """Name the company as mappings of companies do: its code, else the folder's."""
        return self.company_code or self.folder

    def owns(self) -> dict[str, str]:
        """Name the pairing, where there is one."""
        return self.auth.owned("Sage X3")

    def urls(self) -> list[str]:
        """List the addresses of the server, of its tokens and of SOAP."""
        return [url for url in (self.url, self.auth.token_url, self.soap and self.soap.url) if url]
