"""The secret `{prefix}/{tenant}/basware`: its fields, and the hosts that its region stands for."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, model_validator

from ml_connector.systems.kit.secret_fields import none_if_blank, upper, words
from ml_connector.systems.settings import SystemSettings, Url, authority

Region = Literal["EU", "US", "AU", "CA"]
REGIONS = ("EU", "US", "AU", "CA")
VENDOR_DOMAIN = "basware.com"
REQUISITIONS = ("requisition_owner_email", "category_code")
"""What Basware's schema does not demand of a requisition, and its users nearly always do."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
DIMENSION_FIELDS = 10
"""How many dimension codes a coding row has."""


def host_of(region: str, environment: str) -> str:
    """Name the vendor's host of a region (`docs/vendors/basware.md`).

    The EU names are documented; those of the other regions follow the pattern of one observed host and can be
    overruled by `base_url`.
    """
    api = "api" if environment == "production" else "test-api"
    return f"{api}.{VENDOR_DOMAIN}" if region == "EU" else f"{api}.{region.lower()}.{VENDOR_DOMAIN}"


def region_of(url: str) -> str | None:
    """Tell to which region a vendor's host belongs; None where the host is not the vendor's."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    if host != VENDOR_DOMAIN and not host.endswith(f".{VENDOR_DOMAIN}"):
        return None
    words = re.split(r"[.-]", host.removesuffix(VENDOR_DOMAIN))
    return next((region for region in REGIONS if region.lower() in words), "EU")


def _without_version(url: str) -> str:
    """Cut a `/v1` that came along when the address was copied: every path of ours begins with it."""
    return url.removesuffix("/v1")


def _list_key(name: str) -> str:
    if not re.fullmatch(r"ACC_LIST_(?:[1-9]|[12]\d|3[0-5])", name):
        raise ValueError(f"'{name}' is no accounting list of Basware; write one of ACC_LIST_1 to ACC_LIST_35")
    return name


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]
WebhookSecret = Annotated[SecretStr | None, BeforeValidator(none_if_blank)]
Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(SystemSettings):
    """One tenant's Basware account. `companies` are Basware's company codes, the first one being the default."""

    private_network: ClassVar[bool] = False

    region: Annotated[Region, BeforeValidator(upper)]
    client_id: Filled
    client_secret: SecretStr
    companies: tuple[Code, ...] = Field(min_length=1)
    source_system: Code
    environment: Literal["production", "test"] = "production"
    base_url: Annotated[Url, AfterValidator(_without_version)] | None = None
    network_base_url: Url | None = None
    scopes: Annotated[tuple[Filled, ...], BeforeValidator(words)] | None = None
    webhook_secret: WebhookSecret = None
    previous_webhook_secret: WebhookSecret = None
    webhook_url: Url | None = None
    purchase_order_target: Literal["matching_orders", "purchase_requisitions"] | None = None
    requisition_owner_email: Annotated[str | None, BeforeValidator(none_if_blank)] = None
    category_code: Annotated[str | None, BeforeValidator(none_if_blank)] = None
    organization_element_code: str | None = None
    language: Annotated[str, StringConstraints(min_length=2, max_length=10)] = "en-US"
    dimension_lists: dict[Filled, Annotated[str, AfterValidator(_list_key)]] = Field(default_factory=dict)
    invoice_source: Literal["accounting_documents", "data_access"] = "accounting_documents"

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if not self.client_secret.get_secret_value().strip():
            raise ValueError("the field 'client_secret' is empty; copy it from Basware's API administration")
        if self.webhook_url and not self.webhook_secret:
            raise ValueError("'webhook_url' needs 'webhook_secret': Basware signs its notifications with it; add it")
        if self.requisition_owner_email and not _EMAIL.fullmatch(self.requisition_owner_email):
            raise ValueError("'requisition_owner_email' is no e-mail address; write that of a user of P2P Purchase")
        if len(set(self.dimension_lists.values())) < len(self.dimension_lists):
            raise ValueError("'dimension_lists' gives one list to two dimensions; give each dimension its own")
        there = region_of(self.base_url) if self.base_url else None
        if there is not None and there != self.region:
            raise ValueError(
                f"'base_url' is Basware's host of the region {there}, but 'region' says {self.region}; "
                "correct the one that is wrong, nothing is sent to another region"
            )
        return self

    @property
    def requisitions(self) -> bool:
        """Tell whether orders become purchase requisitions, and not matching orders."""
        return self.purchase_order_target == "purchase_requisitions"

    def dimension_fields(self) -> dict[str, int]:
        """Tell which coding field, 1 to 10, carries a dimension: ACC_LIST_n is taken for the list behind dimCode n."""
        numbers = {name: int(key.rpartition("_")[2]) for name, key in self.dimension_lists.items()}
        return {name: number for name, number in numbers.items() if number <= DIMENSION_FIELDS}

    @property
    def base(self) -> str:
        """The address that every call goes to: scheme and host, without a path."""
        return self.base_url or f"https://{host_of(self.region, self.environment)}"

    def endpoint(self) -> dict[str, str]:
        """Name server, region and environment. Companies are left out: adding one does not make another place."""
        return {"server": authority(self.base), "region": self.region, "environment": self.environment}

    def owns(self) -> dict[str, str]:
        """Name the companies of the account: whoever else has one would post the same invoices."""
        account = f"{self.identity()}|{self.client_id}"
        return {f"{account}|{code}": f"company {code} of the Basware account" for code in self.companies}

    def webhook_keys(self) -> list[bytes]:
        """List the keys of notifications, the present one first."""
        secrets = (self.webhook_secret, self.previous_webhook_secret)
        return [s.get_secret_value().encode() for s in secrets if s]

    def webhook_address(self) -> str | None:
        """Name the address that is subscribed."""
        return self.webhook_url

    def urls(self) -> list[str]:
        """List the address of the API, and of the Network where one is set."""
        return [url for url in (self.base, self.network_base_url) if url]
