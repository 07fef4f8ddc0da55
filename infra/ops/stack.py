"""A deployed stack as a workspace: its CloudFormation outputs name the table, the queues, the bucket and the key.

Region, credentials and addresses come from the environment as everywhere with AWS (`AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL` for a local stack).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, NoRegionError, ProfileNotFound

from ml_connector.aws.blobs import S3Blobs
from ml_connector.aws.clients import Clients
from ml_connector.aws.errors import code_of, translated
from ml_connector.aws.queue import SqsQueue
from ml_connector.aws.secrets import SecretsManagerSecrets
from ml_connector.aws.session_vault import SessionVault
from ml_connector.aws.store import DynamoStore
from ml_connector.aws.vault import KmsVault
from ml_connector.embedded.clock import SystemClock, SystemRandom
from ml_connector.engine.runtime import Runtime
from ml_connector.errors import Misconfigured
from ml_connector.tenant import BootstrapOptions

from .erasure import S3Eraser
from .workspace import DeadLetter, Workspace

NEEDED = ("TableName", "RecordsQueueUrl", "RecordsDlqUrl", "AuditBucketName", "KeyArn", "SecretPrefix")
HIDDEN = 120
"""Seconds for which a message in hand is hidden from others; what is kept is shown again at the end."""
ROUNDS = 1000


def open_stack(name: str) -> Workspace:
    """Open a deployed stack. Raises `Misconfigured` where there is none of that name, or it is another product's."""
    clients, clock, rng = Clients(os.environ.get("AWS_REGION")), SystemClock(), SystemRandom()
    stack = _describe(clients, name)
    out = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
    missing = [key for key in NEEDED if key not in out]
    if missing:
        raise Misconfigured(f"The stack {name} has no output {', '.join(missing)}: it is no ml-connector, or too old.")
    parameters = {p["ParameterKey"]: p.get("ParameterValue") for p in stack.get("Parameters", [])}
    sqs, kms = clients.get("sqs"), clients.get("kms")
    runtime = Runtime(
        store=DynamoStore(out["TableName"], clients.get("dynamodb"), clock),
        queue=SqsQueue(sqs, out["RecordsQueueUrl"], out["RecordsDlqUrl"], rng),
        blobs=S3Blobs(clients.get("s3"), out["AuditBucketName"]),
        clock=clock,
        rng=rng,
        boot=str(rng.uuid4()),
    )
    return Workspace(
        runtime,
        SecretsManagerSecrets(clients.get("secretsmanager"), out["SecretPrefix"], clock),
        BootstrapOptions(
            KmsVault(kms, out["KeyArn"], clock),
            parameters.get("AllowInsecureEndpoints") == "true",
            shadow_ledger=True,
            session_vault=SessionVault(kms, out["KeyArn"], runtime.store, clock),
        ),
        f"the stack {name}",
        SqsDeadLetters(sqs, out["RecordsDlqUrl"]),
        S3Eraser(clients.get("s3"), out["AuditBucketName"]),
        registered=True,
    )


def _describe(clients: Clients, name: str) -> dict[str, Any]:
    what = f"the stack {name}"
    with translated(what):
        try:
            found: dict[str, Any] = clients.get("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if code_of(error) != "ValidationError":
                raise
            raise Misconfigured(f"There is no stack {name} in this account and region; check AWS_REGION.") from None
        except NoRegionError:
            raise Misconfigured(
                f"No region is set to look for {what} in; set AWS_REGION, or `region` in the profile."
            ) from None
        except ProfileNotFound as error:
            raise Misconfigured(f"{error}; check AWS_PROFILE.") from None
    return found


class SqsDeadLetters:
    """The dead-letter queue of records.fifo."""

    def __init__(self, client: Any, url: str) -> None:
        """`client` is boto3's for `sqs`."""
        self._client, self._url = client, url

    def count(self) -> int | None:
        """Tell about how many messages there are."""
        with translated("the dead-letter queue"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def clear(self, stale: Callable[[DeadLetter], bool]) -> int:
        """Delete the messages that say nothing any more; tells how many.

        Best effort: behind a message that is kept, SQS shows at most ten of its group. The rest is found next time.
        """
        kept: list[str] = []
        cleared = 0
        with translated("the dead-letter queue"):
            for _ in range(ROUNDS):
                answer = self._client.receive_message(
                    QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=HIDDEN, WaitTimeSeconds=1
                )
                dead_letters = answer.get("Messages", [])
                if not dead_letters:
                    break
                for message in dead_letters:
                    if _says_nothing(message["Body"], stale):
                        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                        cleared += 1
                    else:
                        kept.append(message["ReceiptHandle"])
            for handle in kept:
                self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0)
        return cleared


def _says_nothing(body: str, stale: Callable[[DeadLetter], bool]) -> bool:
    """Keep what cannot be read: a person must see it."""
    try:
        return stale(json.loads(body))
    except (ValueError, KeyError, TypeError):
        return False
