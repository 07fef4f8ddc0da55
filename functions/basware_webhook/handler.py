"""Receives Basware's notifications. It reads no secret and calls nobody before the signature is right."""

from __future__ import annotations

import base64
import json
from typing import Any

from ml_connector.aws import emf
from ml_connector.aws.assembly import Aws, Names
from ml_connector.receive import Receiver
from ml_connector.systems.basware.webhook import HEADER

aws = Aws(Names.from_environment())
receiver = Receiver(
    aws.store, aws.queue, aws.vault, aws.clock, lambda tenant: emf.tenant_fault(aws.names.stack, tenant, "webhook key")
)


def raw_body(event: dict[str, Any]) -> bytes:
    """Give the bytes as they came; a body that is no base64 although it says so is taken as it is."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True)
        except ValueError:
            pass
    return str(body).encode("utf-8", "surrogatepass")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request of API Gateway."""
    headers = {k.lower(): v for k, v in (event.get("headers") or {}).items()}
    tenant = str((event.get("pathParameters") or {}).get("tenant", ""))
    status, body = receiver.receive(tenant, raw_body(event), headers.get(HEADER))
    if status != 200:
        print(json.dumps({"level": "WARNING", "message": "webhook refused", "status": status}))  # noqa: T201
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
