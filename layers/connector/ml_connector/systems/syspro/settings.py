"""The secret of a SYSPRO company."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, SecretStr, StringConstraints, model_validator

from ml_connector.systems.kit.credentials import basic
from ml_connector.systems.kit.sections import LedgerSection
from ml_connector.systems.settings import SystemSettings, Url, server

_END = re.compile(r"/SYSPROWCFService/Rest$", re.IGNORECASE)


def _enet_url(url: str) -> str:
    if not _END.search(url):
        raise ValueError(
            "this address must end in /SYSPROWCFService/Rest, such as https://erp.example.com:31002/SYSPROWCFService/Rest"
        )
    return url


Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,20}$")]
Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(SystemSettings):
    """How to reach one company through e.net and OData (`docs/vendors/syspro.md`).

    `ledger_company` names the company whose database holds GenMaster; the accounts are those of `company_id` all the
    same. `cost_centers` is a section of the ledger code, or a table that holds them.
    """

    enet_url: Annotated[Url, AfterValidator(_enet_url)]
    operator: Filled
    operator_password: SecretStr
    company_id: Code
    ledger_company: Code | None = None
    company_password: SecretStr = SecretStr("")
    read_via: Literal["odata", "enet"] = "odata"
    odata_url: Url | None = None
    odata_user: Filled | None = None
    odata_password: SecretStr | None = None
    post_as: Literal["ap_invoice", "gl_journal"] = "ap_invoice"
    cost_centers: LedgerSection | Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+]{0,60}$")] | None = (
        None
    )
    payable_account: Filled | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.read_via == "odata":
            for name in ("odata_url", "odata_user", "odata_password"):
                if getattr(self, name) is None:
                    raise ValueError(
                        f"the field '{name}' is missing: 'read_via' is odata; add it, or set 'read_via' to enet"
                    )
        elif self.ledger_company not in {None, self.company_id}:
            raise ValueError(
                "'ledger_company' is another company than 'company_id', which only OData reads: an e.net session sees "
                "one company; set 'read_via' to odata"
            )
        if self.post_as == "gl_journal" and self.payable_account is None:
            raise ValueError("the field 'payable_account' is missing: 'post_as' is gl_journal; add the GL account")
        return self

    @property
    def ledger(self) -> str:
        """Name the company whose database holds GenMaster."""
        return self.ledger_company or self.company_id

    def odata_pair(self) -> tuple[str, str]:
        """Give OData's user and password; empty where there are none."""
        return self.odata_user or "", self.odata_password.get_secret_value() if self.odata_password else ""

    def secret_values(self) -> list[str]:
        """List what is masked: the passwords, and OData's pair as its header carries it."""
        return [*super().secret_values(), basic(*self.odata_pair())]

    def endpoint(self) -> dict[str, str]:
        """Name server and company."""
        return {"server": server(_END.sub("", self.enet_url)), "company": self.company_id}

    def company(self) -> str:
        """Name the company as mappings of companies do: its id."""
        return self.company_id

    def owns(self) -> dict[str, str]:
        """Name the operator: it has one session, and two tenants would end each other's."""
        operator = self.operator.upper()
        return {f"{server(self.enet_url)}|{operator}": f"operator {operator} of this SYSPRO server"}

    def urls(self) -> list[str]:
        """List the addresses of e.net and of OData."""
        return [url for url in (self.enet_url, self.odata_url) if url]
