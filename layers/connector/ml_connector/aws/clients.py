"""The AWS clients, each made when it is first asked for and then shared by all threads.

From botocore itself: boto3 hands out the same clients, and adds resources and a transfer manager that nobody here
uses and every cold start would pay for.
"""

from __future__ import annotations

import threading
from typing import Any

import botocore.session
from botocore.config import Config

CONNECT_TIMEOUT, READ_TIMEOUT = 3.0, 10.0
"""Seconds; far below a function's own, so that a lost connection is tried again within it."""
ATTEMPTS = 5
POOL = 32


class Clients:
    """Clients of one account and region: `Clients().get("dynamodb")`."""

    def __init__(
        self, region: str | None = None, endpoint_url: str | None = None, *, read_timeout: float = READ_TIMEOUT
    ) -> None:
        """Take region, address and credentials from the environment where they are not given; calls nothing."""
        self._region, self._endpoint_url = region, endpoint_url
        self._config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=POOL,
        )
        self._lock = threading.Lock()  # making a client is not safe for threads; using one is
        self._session: Any = None
        self._made: dict[str, Any] = {}

    def get(self, service: str) -> Any:
        """Give the client of a service, by botocore's name for it."""
        with self._lock:
            if service not in self._made:
                self._session = self._session or botocore.session.get_session()
                self._made[service] = self._session.create_client(
                    service, self._region, endpoint_url=self._endpoint_url, config=self._config
                )
            return self._made[service]
