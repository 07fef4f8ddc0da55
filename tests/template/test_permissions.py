"""Every function has a role of its own, with what it uses and nothing else."""

import json

MANAGED = {"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"}


def statements(of_type, role):
    for policy in of_type("AWS::IAM::Role")[role].get("Policies", []):
        found = policy["PolicyDocument"]["Statement"]
        yield from found if isinstance(found, list) else [found]


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
        names = {json.dumps(arn).rstrip('"}]').rsplit("/", 1)[1] for arn in properties["ManagedPolicyArns"]}
        assert names <= MANAGED, role
        assert "AWSLambdaVPCAccessExecutionRole" not in names or role.startswith(("Poll", "Write")), role


def test_a_poll_function_reads_its_own_systems_secrets_and_the_settings(written, of_type):
    for key, value in written["Mappings"]["SystemNames"].items():
        assert secrets(of_type, f"Poll{key}Role") == {f"/*/{value['Name']}-*", "/*/settings-*"}


def test_the_writer_and_maintain_read_all_secrets_and_the_webhook_none(of_type):
    assert secrets(of_type, "WriteRole") == {"/*"}
    assert secrets(of_type, "MaintainRole") == {"/*"}
    assert not [action for action in actions(of_type, "BaswareWebhookRole") if action.startswith("secretsmanager:")]


def test_only_the_writer_settles_records_and_writes_the_audit(of_type):
    for action in ("s3:PutObject", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLInsert"):
        assert [role for role in of_type("AWS::IAM::Role") if action in actions(of_type, role)] == ["WriteRole"]


def test_nobody_sends_to_a_queue_while_handling_its_messages(of_type):
    # A poll function sends to its own runs queue, but on a tick, never from a run; the writer to the dead letters.
    sends = [s["Resource"] for s in statements(of_type, "WriteRole") if "sqs:SendMessage" in listed(s["Action"])]
    assert sends == [{"Fn::GetAtt": ["RecordsDlq", "Arn"]}]


def test_nobody_deletes_secrets_objects_or_the_key(of_type):
    for role in of_type("AWS::IAM::Role"):
        forbidden = ("secretsmanager:Put", "secretsmanager:Delete", "s3:Delete", "kms:Schedule", "dynamodb:DeleteTable")
        assert not [action for action in actions(of_type, role) if action.startswith(forbidden)], role
