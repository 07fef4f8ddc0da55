"""The deployed roles, enforced: each does what its function needs, and what is not granted is refused."""

import base64
import json
import os
import signal
import time
from urllib.parse import unquote

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local import layer, ministack
from ml_connector.aws.partiql import statement
from ml_connector.ports import Item

pytestmark = pytest.mark.stack

NAME = "roles"
SECRETS = {
    "sap_b1": {
        "service_layer_url": "http://127.0.0.1:9/b1s/v2",
        "company_db": "A",
        "user_name": "u",
        "password": "p",
        "timezone": "Europe/Berlin",
    },
    "basware": {
        "region": "EU",
        "client_id": "c",
        "client_secret": "s",
        "companies": ["1"],
        "source_system": "SAPB1",
        "base_url": "http://127.0.0.1:9",
    },
    "settings": {"shadow": False},
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    layer.refresh(ministack.LOCAL_LAYER)
    with ministack.start(tmp_path_factory.mktemp("roles")) as running:
        running.deploy(ministack.ROOT / "template.yaml", {"AllowInsecureEndpoints": "true"}, name=NAME)
        for system, secret in SECRETS.items():
            name = f"ml-connector/acme/{system}"
            running.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(secret))
        yield running


def role_of(stack, function):
    """The role's name and its policies, {name: document}, as IAM has them."""
    iam, configured = stack.client("iam"), stack.client("lambda").get_function_configuration
    role = configured(FunctionName=f"{NAME}-{function}")["Role"].rsplit("/", 1)[1]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return role, {n: document(iam.get_role_policy(RoleName=role, PolicyName=n)["PolicyDocument"]) for n in names}


def document(given):
    return json.loads(unquote(given)) if isinstance(given, str) else given


class Person:
    """Somebody who may do what a role may, with clients of their own."""

    def __init__(self, stack, name, policies):
        iam = stack.client("iam")
        iam.create_user(UserName=name)
        for number, policy in enumerate(policies):
            iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        self._key, self._stack = iam.create_access_key(UserName=name)["AccessKey"], stack

    def may(self, service, call, **arguments):
        """Tell whether a call is allowed; any other refusal than of the right is one of the call itself."""
        client = boto3.client(
            service,
            endpoint_url=self._stack.endpoint_url,
            region_name=ministack.REGION,
            aws_access_key_id=self._key["AccessKeyId"],
            aws_secret_access_key=self._key["SecretAccessKey"],
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        try:
            getattr(client, call)(**arguments)
        except ClientError as error:
            assert error.response["Error"]["Code"] in {"AccessDeniedException", "AccessDenied"}, error
            return False
        return True


@pytest.fixture(scope="module")
def people(stack):
    """{function: a person with its role's policies}."""
    functions = ["poll-sap_b1", "poll-sage_300", "write", "maintain", "enroll", "basware-webhook"]
    return {f: Person(stack, f, role_of(stack, f)[1].values()) for f in functions}


def row(stack, pk):
    return {"TableName": stack.outputs["TableName"], "Key": {"pk": {"S": pk}, "sk": {"S": "x"}}}


def test_the_webhook_reads_and_writes_the_partitions_that_it_is_for_and_no_other(stack, people):
    webhook = people["basware-webhook"]
    for pk in ("tenants", "tasks#acme", "f#acme#x"):
        assert webhook.may("dynamodb", "get_item", **row(stack, pk)), pk
        assert webhook.may("dynamodb", "put_item", TableName=stack.outputs["TableName"], Item=row(stack, pk)["Key"]), pk
        stack.client("dynamodb").delete_item(**row(stack, pk))  # it is no row that a function could read
    for pk in ("sessions#acme", "tenants#", "schedule#acme", "xf#acme"):
        assert not webhook.may("dynamodb", "get_item", **row(stack, pk)), pk
        assert not webhook.may("dynamodb", "put_item", TableName=stack.outputs["TableName"], Item=row(stack, pk)["Key"])
        condition = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
        assert not webhook.may("dynamodb", "query", TableName=stack.outputs["TableName"], **condition)
    assert not webhook.may("dynamodb", "delete_item", **row(stack, "tenants"))


def test_the_webhook_opens_what_is_sealed_as_a_webhook_key_and_nothing_else(stack, people):
    key, sealed = stack.outputs["KeyArn"], {}
    for context in ("webhook#acme", "session#acme"):
        made = stack.client("kms").generate_data_key(
            KeyId=key, KeySpec="AES_256", EncryptionContext={"context": context}
        )
        sealed[context] = {"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": {"context": context}}
    assert people["basware-webhook"].may("kms", "decrypt", **sealed["webhook#acme"])
    assert not people["basware-webhook"].may("kms", "decrypt", **sealed["session#acme"])
    assert people["write"].may("kms", "decrypt", **sealed["session#acme"])


def test_who_writes_rows_in_batches(stack, people):
    """The writer settles and enroll keeps the registry; maintain marks rows that are there."""
    table = stack.outputs["TableName"]
    new, changed = statement(table, Item("f#a", "r#1", {"n": 1})), statement(table, Item("f#a", "r#1", {"n": 2}, rev=1))

    def writes(one):
        return {
            f for f, person in people.items() if person.may("dynamodb", "batch_execute_statement", Statements=[one])
        }

    assert writes(new) == {"write", "enroll"}
    assert writes(changed) == {"write", "enroll", "maintain"}
    gone = {
        "Statement": f'DELETE FROM "{table}" WHERE "pk" = ? AND "sk" = ?',
        "Parameters": [{"S": "f#a"}, {"S": "r#1"}],
    }
    assert not people["write"].may("dynamodb", "batch_execute_statement", Statements=[changed, gone])
    stack.client("dynamodb").delete_item(TableName=table, Key={"pk": {"S": "f#a"}, "sk": {"S": "r#1"}})


def test_a_poll_function_reads_its_own_systems_secrets_and_the_webhook_none(people):
    def reads(function):
        may = people[function].may
        return {s for s in SECRETS if may("secretsmanager", "get_secret_value", SecretId=f"ml-connector/acme/{s}")}

    assert reads("poll-sap_b1") == {"sap_b1", "settings"}
    assert reads("poll-sage_300") == {"settings"}
    assert reads("basware-webhook") == set()
    assert reads("write") == reads("enroll") == set(SECRETS)
    assert reads("maintain") == set()


def test_who_rings_which_queue(stack, people):
    def sends(function, queue):
        one = {"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": function}
        return people[function].may("sqs", "send_message_batch", QueueUrl=stack.outputs[queue], Entries=[one])

    ringing = {f for f in people if sends(f, "RecordsQueueUrl")}
    assert ringing == {"poll-sap_b1", "poll-sage_300", "maintain", "basware-webhook"}
    assert {f for f in people if sends(f, "RecordsDlqUrl")} == {"write"}
    assert {f for f in people if sends(f, "RunsQueueUrlSapB1")} == {"poll-sap_b1"}


def test_only_the_writer_keeps_what_was_said_and_nobody_reads_it(stack, people):
    where = {"Bucket": stack.outputs["AuditBucketName"], "Key": "audit/x"}
    assert {f for f in people if people[f].may("s3", "put_object", **where, Body=b"x")} == {"write"}
    assert not {f for f in people if people[f].may("s3", "get_object", **where)}


def test_an_operator_reads_and_only_a_purger_removes(stack):
    def policy(output):
        iam, arn = stack.client("iam"), stack.outputs[output]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return document(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])

    where = {"Bucket": stack.outputs["AuditBucketName"], "Key": "audit/y"}
    stack.client("s3").put_object(**where, Body=b"x")
    operator = Person(stack, "operator", [policy("OperatorPolicy")])
    purger = Person(stack, "purger", [policy("OperatorPolicy"), policy("PurgePolicy")])
    assert operator.may("s3", "get_object", **where)
    assert not operator.may("s3", "put_object", **where, Body=b"")
    assert purger.may("s3", "put_object", **where, Body=b"")
    assert not purger.may("s3", "put_object", Bucket=where["Bucket"], Key="other", Body=b"")


# ── a function whose role lacks a right ─────────────────────────────────────────────────────────────────────────


def webhook_event(body="{}"):
    return {
        "body": body,
        "isBase64Encoded": False,
        "pathParameters": {"tenant": "acme"},
        "headers": {"x-bwapi-signature-256": base64.b64encode(bytes(32)).decode()},
    }


CALLS = {"maintain": {}, "enroll": {"registry": True}, "poll-sap_b1": {}, "basware-webhook": webhook_event()}
NEEDED = [("enroll", "Tenants"), ("poll-sap_b1", "State"), ("basware-webhook", "TenantsAndOutbox")]
"""What the first call of a process needs."""


def refused(stack, function):
    """Call a function: what it said of a refused right, or nothing. A call that ended otherwise is made again."""
    call = {"FunctionName": f"{NAME}-{function}", "Payload": json.dumps(CALLS[function]), "LogType": "Tail"}
    for _ in range(4):
        answer = stack.client("lambda").invoke(**call)
        said = answer["Payload"].read().decode() + base64.b64decode(answer.get("LogResult", "")).decode()
        if "AWS refuses access" in said or not answer.get("FunctionError"):
            return said if "AWS refuses access" in said else ""
    raise AssertionError(f"{function} does not end: {said}")


def forget(stack, function):
    """End the processes of a function, with what they remember."""

    def running():
        return [pid for pid, name in stack.workers().items() if name == f"{NAME}-{function}"]

    for pid in running():
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while running() and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.mark.parametrize(("function", "sid"), NEEDED)
def test_a_function_whose_role_lacks_a_right_fails_and_says_so(stack, function, sid):
    iam, (role, policies) = stack.client("iam"), role_of(stack, function)
    name, whole = next((n, p) for n, p in policies.items() if any(s.get("Sid") == sid for s in p["Statement"]))
    less = {**whole, "Statement": [s for s in whole["Statement"] if s.get("Sid") != sid]}
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        forget(stack, function)
        assert refused(stack, function)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(whole))
    forget(stack, function)
    assert not refused(stack, function)
