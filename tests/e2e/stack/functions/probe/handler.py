"""A function that says what it sees: the subject of the local stack's own tests."""

import importlib.util
import json
import os
import time

import boto3
from botocore.exceptions import ClientError
from probe_layer import GREETING

_TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE"])
_WATCHED = ("boto3", "ministack", "typer", "httpx", "ml_connector")


def handler(event, context):
    """A row for each record; {"fail": true} is reported as failed, {"sleep": s} takes that long."""
    return _records(event["Records"]) if "Records" in event else _seen(event, context)


def _records(records):
    failures = []
    for record in records:
        body = json.loads(record["body"])
        time.sleep(body.get("sleep", 0))
        if body.get("fail"):
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        row = {"pk": body["key"], "sk": record["messageId"], "attributes": record["attributes"]}
        _TABLE.put_item(Item=row | {"together": len(records)})
    print(json.dumps({"records": len(records), "failures": len(failures)}))
    return {"batchItemFailures": failures}


def _secrets():
    try:
        return boto3.client("secretsmanager").list_secrets()["SecretList"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def _seen(event, context):
    seen = {
        "greeting": GREETING,
        "importable": [name for name in _WATCHED if importlib.util.find_spec(name)],
        "environment": dict(os.environ),
        "secrets": _secrets(),
        "remaining_ms": context.get_remaining_time_in_millis(),
        "event": event,
    }
    print(json.dumps({"seen": True}))
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(seen)}
