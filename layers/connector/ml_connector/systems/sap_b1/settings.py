"""The secret of a SAP Business One company."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from ml_connector.systems.settings import SystemSettings, Url, server

_VERSION = re.compile(r"/b1s/(v[12])$")


def _service_layer(url: str) -> str:
    if not _VERSION.search(url):
        raise ValueError(
            "the address must end in /b1s/v1 or /b1s/v2 (lower case), such as https://sap.example.com:50000/b1s/v2"
        )
    return url


def _user_field(name: str) -> str:
    if not re.fullmatch(r"U_\w{1,50}", name):
        raise ValueError("this is no user field; write its name as the Service Layer shows it, such as U_ExtId")
    return name


class Settings(SystemSettings):
    """How to reach one company through its Service Layer (`docs/vendors/sap_b1.md`).

    `rounding_account` is an account's `Code`; `branch_id` a number of Business Places in a company with branches.
    """

    service_layer_url: Annotated[Url, AfterValidator(_service_layer)]
    company_db: str = Field(min_length=1)
    user_name: str = Field(min_length=1)
    password: SecretStr
    branch_id: int | None = None
    tax_code_field: Literal["VatGroup", "TaxCode"] = "VatGroup"
    external_id_field: Annotated[str, AfterValidator(_user_field)] | None = None
    rounding_account: str | None = Field(default=None, min_length=1)

    def version(self) -> Literal["v1", "v2"]:
        """Tell the dialect: v1 speaks OData 3, v2 OData 4."""
        return "v1" if self.service_layer_url.endswith("/v1") else "v2"

    def endpoint(self) -> dict[str, str]:
        """Name server and company; a move from v1 to v2 stays in the same place."""
        return {"server": server(_VERSION.sub("", self.service_layer_url)), "company": self.company_db}

    def company(self) -> str:
        """Name the company as mappings of companies do: its database."""
        return self.company_db

    def urls(self) -> list[str]:
        """List the one address that is called."""
        return [self.service_layer_url]
