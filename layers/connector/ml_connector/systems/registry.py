"""Every vendor, once: what the rest of the product must know of one stands here, and nothing else names a vendor.

Nothing is imported of a vendor before it is needed: the functions import this at every cold start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, Protocol, cast


class Notification(Protocol):
    """What a platform's notification says: `document` is the id of what it is about, `task_id` its own."""

    @property
    def kind(self) -> str:
        """`documents`, `exported_order`, `exported_requisition`, `verdict`, `test` or `unknown`."""

    @property
    def task_id(self) -> str:
        """The notification's own id."""

    @property
    def document(self) -> str:
        """The id of an invoice, an order or a request."""


class Webhook(Protocol):
    """A vendor's module for notifications; it imports no HTTP client."""

    HEADER: str

    def verify(self, body: bytes, signature: str | None, secrets: Sequence[bytes]) -> bool:
        """Tell whether the raw body was signed with one of the secrets."""

    def parse(self, body: bytes) -> Notification:
        """Read a body; raises `ValueError` where it is no notification."""


@dataclass(frozen=True, slots=True)
class VendorSpec:
    """One vendor. Without a `module` this release has no adapter for it, and only knows the name.

    `lanes`: documents written side by side, which is the system's default concurrency less one for the poll.
    `shapeless`: fields of its secret, beside those of every secret, that do not shape records which are sent again
    when they change: credentials, and what concerns documents alone.
    `webhook`: the module that verifies and reads its notifications. `seats`: each session takes a licence that people
    need too, so one that nobody uses is ended (`leaving`). `pairs`: it may be logged in to by a pairing, which ends
    unless it is used (`keeping`).
    """

    name: str
    side: Literal["erp", "platform"]
    lanes: int
    title: str
    module: str = ""
    shapeless: frozenset[str] = frozenset()
    webhook: str = ""
    seats: bool = False
    pairs: bool = False


_FOLDER = "ml_connector.systems"
VENDORS = (
    VendorSpec(
        "basware",
        "platform",
        7,
        "Basware",
        f"{_FOLDER}.basware",
        frozenset(
            {
                "client_id",
                "client_secret",
                "scopes",
                "webhook_url",
                "webhook_secret",
                "previous_webhook_secret",
                "invoice_source",
            }
        ),
        f"{_FOLDER}.basware.webhook",
    ),
    VendorSpec(
        "sap_b1",
        "erp",
        3,
        "SAP Business One",
        f"{_FOLDER}.sap_b1",
        frozenset({"user_name", "password", "external_id_field", "rounding_account"}),  # the last two: of documents
    ),
    VendorSpec(
        "sage_300",
        "erp",
        1,
        "Sage 300",
        f"{_FOLDER}.sage_300",
        frozenset({"user", "password", "uppercase_password", "post_batches", "date_literal"}),
    ),
    VendorSpec(
        "avidxchange",
        "platform",
        3,
        "AvidXchange",
        f"{_FOLDER}.avidxchange",
        frozenset(
            {
                "auth",
                "token_url",
                "client_id",
                "client_secret",
                "scope",
                "client_auth",
                "token_headers",
                "login",
                "idempotency_header",
            }
        ),
    ),
    VendorSpec(
        "sage_x3",
        "erp",
        2,
        "Sage X3",
        f"{_FOLDER}.sage_x3",
        frozenset({"auth", "api", "write_via", "soap", "journal", "payment", "invoice_status_field", "hold_in_x3"}),
        pairs=True,
    ),
    VendorSpec(
        "syspro",
        "erp",
        1,
        "SYSPRO",
        f"{_FOLDER}.syspro",
        frozenset(
            {
                "operator",
                "operator_password",
                "company_password",
                "read_via",
                "odata_url",
                "odata_user",
                "odata_password",
                "post_as",
                "payable_account",
            }
        ),
        seats=True,
    ),
)
BY_NAME = {vendor.name: vendor for vendor in VENDORS}
SYSTEMS = tuple(vendor.name for vendor in VENDORS if vendor.module)
"""The systems that this release has an adapter for."""
PLATFORMS = frozenset(vendor.name for vendor in VENDORS if vendor.side == "platform")
NOTIFYING = next(vendor.name for vendor in VENDORS if vendor.webhook)
"""The platform whose notifications the webhook receives."""


def module(system: str) -> Any:
    """Import a vendor's folder when it is first needed."""
    return import_module(BY_NAME[system].module)


def webhook(system: str) -> Webhook:
    """Import what verifies and reads a vendor's notifications. Raises `KeyError` for one that sends none."""
    name = BY_NAME[system].webhook
    if not name:
        raise KeyError(system)
    return cast("Webhook", import_module(name))


def notifies(system: str) -> bool:
    """Tell whether a vendor sends notifications, and so wants to be subscribed to."""
    return bool(BY_NAME[system].webhook)
