"""Every function has a role of its own, with what it uses and nothing else."""

import json
import re

from tests.template.loading import ROOT, every

MANAGED = {"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"}


def statements(of_type, role):
    for policy in of_type("AWS::IAM::Role")[role].get("Policies", []):
        yield from every(policy["PolicyDocument"]["Statement"])


def listed(value):
    return value if isinstance(value, list) else [value]


def actions(of_type, role):
    return {action for statement in statements(of_type, role) for action in listed(statement["Action"])}


def secrets(of_type, role):
    """The secret names that a role can read, as patterns below the prefix."""
    return {
        json.dumps(resource).split("${SecretPrefix}")[1].rstrip('"}')
        for statement in statements(of_type, role)
        if "secretsmanager:GetSecretValue" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def test_each_function_has_a_role_that_no_other_has(of_type):
    roles = [function["Role"]["Fn::GetAtt"][0] for function in of_type("AWS::Lambda::Function").values()]
    assert sorted(roles) == sorted(of_type("AWS::IAM::Role"))


def test_no_action_is_a_wildcard_and_only_listing_secrets_has_no_narrower_resource(of_type):
    for role in of_type("AWS::IAM::Role"):
        for statement in statements(of_type, role):
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in listed(statement["Action"])), role
            if "*" in listed(statement["Resource"]):
                assert listed(statement["Action"]) == ["secretsmanager:ListSecrets"], role


def test_managed_policies_are_those_for_logs_and_the_vpc(of_type):
    for role, properties in of_type("AWS::IAM::Role").items():
        names = {json.dumps(arn).rstrip('"}]').rsplit("/", 1)[1] for arn in every(properties["ManagedPolicyArns"])}
        assert names <= MANAGED, role
        assert "AWSLambdaVPCAccessExecutionRole" not in names or role.startswith(("Poll", "Write")), role


def test_rights_of_a_vpc_are_given_only_where_there_is_one(of_type):
    for role, properties in of_type("AWS::IAM::Role").items():
        outright = json.dumps([arn for arn in properties["ManagedPolicyArns"] if "Fn::If" not in arn])
        assert "AWSLambdaVPCAccessExecutionRole" not in outright, role


def test_secrets_under_a_key_of_the_customers_own_are_read_by_whoever_reads_secrets(of_type):
    for role in of_type("AWS::IAM::Role"):
        given = [s for s in statements(of_type, role) if s["Resource"] == {"Ref": "SecretsKmsKeyArn"}]
        assert bool(given) == bool(secrets(of_type, role)), role
        assert all("secretsmanager" in json.dumps(s["Condition"]["StringEquals"]["kms:ViaService"]) for s in given)


def test_the_webhook_opens_webhook_keys_only_and_touches_no_session(of_type):
    (table,) = [s for s in statements(of_type, "BaswareWebhookRole") if "dynamodb:PutItem" in listed(s["Action"])]
    assert table["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["tenants", "tasks#*", "f#*"]}}
    assert sorted(table["Action"]) == ["dynamodb:GetItem", "dynamodb:PutItem"]
    opened = [s for s in statements(of_type, "BaswareWebhookRole") if "kms:Decrypt" in listed(s["Action"])]
    assert all("kms:EncryptionContext" in json.dumps(s) or "dynamodb." in json.dumps(s) for s in opened)


def test_what_is_granted_is_what_the_code_calls(of_type):
    """AWS names a permission after what is done: a batch sent is messages sent, a batch of statements its kinds."""
    named = {
        "BatchExecuteStatement": {"PartiQLInsert", "PartiQLUpdate"},
        "SendMessageBatch": {"SendMessage"},
        "ListObjectsV2": {"ListBucket"},
    }
    called = {name for call in calls() for name in named.get(call, {call})}
    by_the_service = {"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"}
    for role in of_type("AWS::IAM::Role"):
        granted = {action.split(":")[1] for action in actions(of_type, role)}
        assert granted <= called | by_the_service, role


def calls():
    """The operations of AWS that the functions' side of the product calls, as botocore names them."""
    found = set()
    for file in [*(ROOT / "layers/connector/ml_connector/aws").glob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        text = file.read_text("utf-8")
        names = set(re.findall(r"(?:client|get\(\"\w+\"\))\.([a-z_]+)\(", text))
        names |= set(re.findall(r"get_paginator\(\"([a-z_]+)\"\)", text))
        found |= {"".join(part.capitalize() for part in name.split("_")) for name in names}
    return found


def test_a_poll_function_reads_its_own_systems_secrets_and_the_settings(written, of_type):
    for key, value in written["Mappings"]["SystemNames"].items():
        assert secrets(of_type, f"Poll{key}Role") == {f"/*/{value['Name']}-*", "/*/settings-*"}


def test_the_writer_and_enroll_read_all_secrets_and_maintain_and_the_webhook_none(of_type):
    assert secrets(of_type, "WriteRole") == {"/*"}
    assert secrets(of_type, "EnrollRole") == {"/*"}
    for role in ("BaswareWebhookRole", "MaintainRole"):
        assert not [action for action in actions(of_type, role) if action.startswith("secretsmanager:")]


def test_only_the_writer_writes_the_audit_and_whoever_writes_many_rows_together_may(of_type):
    def may(action):
        return {role for role in of_type("AWS::IAM::Role") if action in actions(of_type, role)}

    assert may("s3:PutObject") == {"WriteRole"}
    assert may("dynamodb:PartiQLInsert") == {"WriteRole", "EnrollRole"}  # rows that are new
    assert may("dynamodb:PartiQLUpdate") == {"WriteRole", "EnrollRole", "MaintainRole"}


def test_nobody_sends_to_a_queue_while_handling_its_messages(of_type):
    # A poll function sends to its own runs queue, but on a tick, never from a run; the writer to the dead letters.
    sends = [s["Resource"] for s in statements(of_type, "WriteRole") if "sqs:SendMessage" in listed(s["Action"])]
    assert sends == [{"Fn::GetAtt": ["RecordsDlq", "Arn"]}]


def test_nobody_deletes_secrets_objects_or_the_key(of_type):
    for role in of_type("AWS::IAM::Role"):
        forbidden = ("secretsmanager:Put", "secretsmanager:Delete", "s3:Delete", "kms:Schedule", "dynamodb:DeleteTable")
        assert not [action for action in actions(of_type, role) if action.startswith(forbidden)], role
