"""The doors that are tried, and the share of the inputs that each gets."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz.operations import BASWARE, SAP
from tests.fuzz.operations_sage_300 import SAGE
from tests.fuzz.runner import Campaign
from tests.fuzz.secret_files import SecretFiles
from tests.fuzz.vendors import Vendor
from tests.fuzz.webhooks import Webhooks

CAMPAIGNS: dict[str, tuple[Callable[[], Campaign], int]] = {
    "webhooks": (Webhooks, 20),
    "secrets": (SecretFiles, 14),
    "sap_b1": (lambda: Vendor(SAP), 22),
    "basware": (lambda: Vendor(BASWARE), 22),
    "sage_300": (lambda: Vendor(SAGE), 22),
}
"""For each campaign how it is made, and its share in percent."""
