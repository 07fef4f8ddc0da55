"""What the product relies on when it runs on the local stack, shown with a throw-away template."""

import base64
import json
import os
import signal
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from infra.local import ministack

pytestmark = pytest.mark.stack

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ministack.start(tmp_path_factory.mktemp("stack")) as running:
        running.deploy(HERE / "template.yaml", name="probe")
        yield running


def send(stack, system, group, **body):
    url = stack.outputs[f"QueueUrl{system}"]
    key = uuid.uuid4().hex
    arguments = {"MessageGroupId": group, "MessageDeduplicationId": key}
    stack.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"key": key} | body), **arguments)
    return key


def rows(stack, key):
    condition = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": key}}}
    return stack.client("dynamodb").query(TableName=stack.outputs["Table"], ConsistentRead=True, **condition)["Items"]


def eventually(read, within=15.0):
    deadline = time.monotonic() + within
    while not (found := read()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def post(stack, body, content_type="application/json"):
    headers = {"Content-Type": content_type, "X-BWAPI-Signature-256": "AbC="}
    url = f"{stack.api_url(stack.outputs['ApiId'])}/webhooks/basware/acme"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=15) as answer:
        return json.load(answer)["event"]


def test_a_function_sees_its_layer_and_boto3_and_no_other_package(stack):
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs["FunctionOne"], Payload=b"{}")
    seen = json.loads(json.load(answer["Payload"])["body"])
    assert seen["greeting"] == "from the layer"
    assert seen["importable"] == ["boto3"]
    assert seen["environment"]["AWS_ENDPOINT_URL"] == stack.endpoint_url
    assert "VIRTUAL_ENV" not in seen["environment"]


def test_a_function_may_do_what_its_role_says_and_nothing_else(stack):
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs["FunctionOne"], Payload=b"{}")
    assert json.loads(json.load(answer["Payload"])["body"])["secrets"] == "AccessDeniedException"


def test_the_loop_over_the_systems_and_its_names_are_resolved(stack):
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs["FunctionTwoB"], Payload=b"{}")
    environment = json.loads(json.load(answer["Payload"])["body"])["environment"]
    assert environment["NAME"] == "two_b"
    assert environment["PATTERN"] == "prefix/*/two_b-*"


def test_a_message_of_a_fifo_queue_becomes_a_row_one_message_to_a_call(stack):
    keys = [send(stack, "One", "a") for _ in range(5)]
    found = [eventually(lambda key=key: rows(stack, key)) for key in keys]
    assert [row[0]["together"]["N"] for row in found] == ["1"] * 5
    assert found[0][0]["attributes"]["M"]["MessageGroupId"]["S"] == "a"


def test_a_message_that_is_reported_as_failed_ends_in_the_dead_letter_queue_and_holds_up_its_group_only(stack):
    failing = send(stack, "One", "b", fail=True)
    behind, beside = send(stack, "One", "b"), send(stack, "One", "c")
    assert eventually(lambda: rows(stack, beside))
    assert not rows(stack, behind)
    assert eventually(lambda: rows(stack, behind))
    queue = {"QueueUrl": stack.outputs["DeadUrlOne"], "WaitTimeSeconds": 1}
    dead = eventually(lambda: stack.client("sqs").receive_message(**queue).get("Messages"))
    assert [json.loads(message["Body"])["key"] for message in dead] == [failing]


def test_the_message_of_a_killed_function_comes_again(stack):
    key = send(stack, "TwoB", "d", sleep=1.2)
    worker = eventually(lambda: [pid for pid, name in stack.workers().items() if "ProbeTwoB" in name])[0]
    time.sleep(0.5)
    assert not rows(stack, key)
    os.kill(worker, signal.SIGKILL)
    again = eventually(lambda: rows(stack, key))
    assert again[0]["attributes"]["M"]["ApproximateReceiveCount"]["S"] == "2"


def test_the_http_api_hands_over_the_raw_body_and_lower_case_headers(stack):
    event = post(stack, '{"é": 1}'.encode())
    assert (event["body"], event["isBase64Encoded"]) == ('{"é": 1}', False)
    assert event["pathParameters"] == {"tenant": "acme"}
    assert event["headers"]["x-bwapi-signature-256"] == "AbC="
    binary = post(stack, b"\xff\x00", "application/octet-stream")
    assert binary["isBase64Encoded"]
    assert base64.b64decode(binary["body"]) == b"\xff\x00"


def test_what_a_function_prints_is_in_its_log_group(stack):
    stack.client("lambda").invoke(FunctionName=stack.outputs["FunctionOne"], Payload=b"{}")
    group = {"logGroupName": f"/aws/lambda/{stack.outputs['FunctionOne']}"}
    lines = [event["message"] for event in stack.client("logs").filter_log_events(**group)["events"]]
    assert '{"seen": true}' in lines
