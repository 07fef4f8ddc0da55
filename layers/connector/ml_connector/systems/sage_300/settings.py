"""The secret of a Sage 300 company."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from ml_connector.systems.kit.credentials import basic
from ml_connector.systems.settings import SystemSettings, Url, server

_END = re.compile(r"/v\d+(\.\d+)?/-$", re.IGNORECASE)


def _api_url(url: str) -> str:
    if not _END.search(url):
        raise ValueError(
            "this address must end in /v1.0/- (the version, then the dash that stands for the tenant), such as "
            "https://erp.example.com/Sage300WebApi/v1.0/-"
        )
    return url


def _company(code: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,12}", code):
        raise ValueError("this is no company id; write the one of the sign-on window, such as SAMLTD")
    return code.upper()


def _segment(text: str) -> str:
    if not re.fullmatch(r"0*([1-9]|10)", text):
        raise ValueError('this is no segment number; write one from 1 to 10 in quotes, such as "2"')
    return text.lstrip("0")


class Settings(SystemSettings):
    """How to reach one company through the Web API (`docs/vendors/sage_300.md`).

    `cost_center_segment` is the number of the account segment that holds cost centers.
    """

    api_url: Annotated[Url, AfterValidator(_api_url)]
    company_id: Annotated[str, AfterValidator(_company)] = Field(alias="company")  # every system has a `company()`
    user: str = Field(min_length=1)
    password: SecretStr
    uppercase_password: bool = True
    post_batches: bool = False
    date_literal: Literal["iso", "datetime"] = "iso"
    cost_center_segment: Annotated[str, AfterValidator(_segment)] | None = None

    def credentials(self) -> tuple[str, str]:
        """Give user and password as they are sent: in capitals, as the product wants them."""
        password = self.password.get_secret_value()
        return self.user.upper(), password.upper() if self.uppercase_password else password

    def basic(self) -> str:
        """Give user and password as the header carries them."""
        return basic(*self.credentials())

    def secret_values(self) -> list[str]:
        """List what is masked: the password in both spellings, and as the header carries it, which servers echo."""
        return [*super().secret_values(), self.credentials()[1], self.basic()]

    def endpoint(self) -> dict[str, str]:
        """Name server and company; another version of the API is the same place."""
        return {"server": server(_END.sub("", self.api_url)), "company": self.company_id}

    def company(self) -> str:
        """Name the company as mappings of companies do: its id."""
        return self.company_id

    def urls(self) -> list[str]:
        """List the one address that is called."""
        return [self.api_url]
