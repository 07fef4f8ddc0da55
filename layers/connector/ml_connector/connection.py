"""One vendor's server for one tenant, and what it hands out, under the type that a flow's `manner` tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from ml_connector.enrichment import SupplierFields
from ml_connector.flow import DocumentSource, DocumentTarget, MasterSource
from ml_connector.master_target import MasterTarget
from ml_connector.records import Record, SupplierEnrichment

R = TypeVar("R", bound=Record)

Source = MasterSource[Any] | DocumentSource[Any]
Target = MasterTarget[Any] | DocumentTarget[Any] | SupplierFields
"""What a connection hands out for a record type. Which of them it is, its flow tells."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `ping`: what was tried, whether it worked, and how to fix it."""

    what: str
    ok: bool
    detail: str = ""
    warning: bool = False


class Connection(Protocol):
    """One vendor's server for one tenant."""

    def source(self, record: type[Record]) -> Source:
        """Hand out the source of a record type."""

    def target(self, record: type[Record]) -> Target:
        """Hand out the target of a record type."""

    def ping(self) -> Iterator[Check]:
        """Log in and read one record of each kind."""

    def close(self) -> None:
        """End the session and the connections."""


class Seated(Protocol):
    """The connection of a system whose sessions take a licence each."""

    def log_off(self) -> None:
        """End the session that all workers share, where there is one; the next call makes another."""


class Paired(Protocol):
    """The connection of a system that may be logged in to by a pairing, which ends unless it is used."""

    def keep_alive(self) -> None:
        """Refresh the pairing; does nothing where the login is another one. Raises the classes of `errors`."""


def master_source(connection: Connection, record: type[R]) -> MasterSource[R]:
    """Give the source of a type of master records or orders."""
    return cast("MasterSource[R]", connection.source(record))


def master_target(connection: Connection, record: type[R]) -> MasterTarget[R]:
    """Give the target of a type of master records or orders."""
    return cast("MasterTarget[R]", connection.target(record))


def document_source(connection: Connection, record: type[R]) -> DocumentSource[R]:
    """Give the source of a type of documents."""
    return cast("DocumentSource[R]", connection.source(record))


def document_target(connection: Connection, record: type[R]) -> DocumentTarget[R]:
    """Give the target of a type of documents."""
    return cast("DocumentTarget[R]", connection.target(record))


def supplier_fields(connection: Connection) -> SupplierFields:
    """Give the ERP's side of the enrichment of suppliers."""
    return cast("SupplierFields", connection.target(SupplierEnrichment))
