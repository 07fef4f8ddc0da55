"""What to do about an error of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import ConnectionError as LinkError

from ml_connector.errors import ConnectorError, Denied, Misconfigured, Transient

PASSING = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "KMSInternalException",
        "KeyUnavailableException",
        "DependencyTimeoutException",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
"""Codes of throttling and of trouble at AWS; the batch statements of DynamoDB have shorter ones."""

DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "KMSAccessDeniedException", "KmsAccessDenied"}
)
"""A policy forbids the one thing that was asked for."""
REFUSED = DENIED | {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
"""Or AWS does not know who asks."""
MISSING = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "DisabledException",
        "KMSInvalidStateException",
        "KmsDisabled",
        "NoSuchBucket",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
    }
)


def code_of(error: ClientError) -> str:
    """Give the code by which AWS names an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_passing(error: ClientError) -> bool:
    """Tell whether the same call may succeed later: throttling, or a server error."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in PASSING or status >= 500 or status == 429


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn errors of AWS about `what` into ours; those that only a programmer can fix pass.

    botocore has tried again by then. A write that raised `Transient` may have taken effect, its answer being lost:
    the next conditional write of that row finds out.
    """
    try:
        yield
    except ClientError as error:
        ours: ConnectorError | None = _named(code_of(error), what)
        if ours is None and is_passing(error):
            ours = Transient(f"AWS throttles or has trouble with {what}; it is tried again later.")
        if ours is None:
            raise
        raise ours from error
    except (NoCredentialsError, NoRegionError) as error:
        raise Misconfigured(f"AWS cannot be called for {what}: {error}") from error
    except (LinkError, HTTPClientError, IncompleteReadError, CredentialRetrievalError) as error:
        raise Transient(f"AWS was not reached for {what}; it is tried again later.") from error


def _named(code: str, what: str) -> Misconfigured | None:
    if code in REFUSED:
        kind = Denied if code in DENIED else Misconfigured
        return kind(f"AWS refuses access to {what} ({code}); check the policy of the role that asks.")
    if code in MISSING:
        return Misconfigured(f"AWS has no usable {what} ({code}); check the stack and its settings.")
    return None
