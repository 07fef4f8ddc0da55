"""The doors that are tried, and the share of the inputs that each gets."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.operations import BASWARE, SAP
from tests.fuzz.runner import Campaign
from tests.fuzz.secret_files import SecretFiles
from tests.fuzz.vendors import Vendor
from tests.fuzz.webhooks import Webhooks

CAMPAIGNS: dict[str, tuple[Callable[[], Campaign], int]] = {
    "webhooks": (Webhooks, 25),
    "secrets": (SecretFiles, 15),
    "sap_b1": (lambda: Vendor(SAP), 30),
    "basware": (lambda: Vendor(BASWARE), 30),
}
"""For each campaign how it is made, and its share in percent."""
