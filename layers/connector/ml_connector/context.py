"""What an adapter is given to work with: everything that is injected, for one tenant and one system."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from ml_connector import currencies
from ml_connector.deadline import Deadline
from ml_connector.ports import Clock, Random

if TYPE_CHECKING:
    from ml_connector.engine.access.sessions import Sessions


class TenantSettings(BaseModel):
    """The optional third secret, `{prefix}/{tenant}/settings`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    schedules: dict[str, str] = Field(default_factory=dict)
    start_dates: dict[str, date] = Field(default_factory=dict)
    paused: StrictBool = False
    shadow: StrictBool = False
    closed_period: Literal["hold", "next_open"] = "hold"
    rounding_tolerance: Decimal = Field(default=Decimal("0.05"), ge=0, le=10)
    send_bank_details: StrictBool = False
    alert_days_before_refresh_token_end: int = Field(default=7, ge=1, le=29)

    def tolerance(self, currency: str | None) -> Decimal:
        """Give `rounding_tolerance`, which is said in cents, in a currency: 0.05 is 5 JPY and 0.005 KWD."""
        return currencies.scaled(self.rounding_tolerance, currencies.unit(currency))

    def start(self, integration: str, flow: str) -> date | None:
        """Tell from which day on a flow's documents count; None where all do."""
        return self.start_dates.get(f"{integration}/{flow}") or self.start_dates.get(flow)


@dataclass(frozen=True)
class AdapterContext:
    """One tenant's side of one integration, as its two adapters see it.

    `transport` is an `httpx.BaseTransport` or None for the real network; `erp_company` is the identity of the
    ERP's company, for the mapping of companies. `kept` is what all connections of the process share
    (`kit.shelf`), `dimensions` are those for which the platform has lists of their own.
    """

    tenant: str
    integration: str
    clock: Clock
    rng: Random
    sessions: Sessions
    options: TenantSettings = field(default_factory=TenantSettings)
    transport: Any = None
    insecure: bool = False
    flows: Callable[[], tuple[str, ...]] = tuple
    deadline: Deadline = field(default_factory=Deadline)
    dimensions: tuple[str, ...] = ()
    kept: MutableMapping[tuple[str, ...], tuple[datetime, Any]] = field(default_factory=dict, repr=False, compare=False)

    def outward(self, *parts: str, limit: int = 36) -> str:
        """Make a key for the target from (tenant, integration, parts): deterministic, unique, and still readable.

        At most `limit` characters, of letters, digits, `.`, `_` and `-`.
        """
        whole = "\x1f".join((self.tenant, self.integration, *parts))
        digest = hashlib.blake2b(whole.encode(), digest_size=8).hexdigest()
        readable = re.sub(r"[^A-Za-z0-9._-]+", "_", parts[-1])[: limit - len(digest) - 1]
        return f"{readable}-{digest}"


def in_our_shape(key: str | None) -> bool:
    """Tell whether a key may be one that `AdapterContext.outward` made, here or in another installation."""
    return re.fullmatch(r"[A-Za-z0-9._-]+-[0-9a-f]{16}", key or "") is not None
