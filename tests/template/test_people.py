"""What people may do who work with the command line on a stack: two policies, each as narrow as IAM allows."""

import json

import pytest

from tests.template.loading import every

POLICIES = ("OperatorPolicy", "PurgePolicy")


def statements(of_type, name):
    return list(every(of_type("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"]["Statement"]))


def listed(value):
    return value if isinstance(value, list) else [value]


def actions(of_type, name):
    return {action for statement in statements(of_type, name) for action in listed(statement["Action"])}


def test_there_is_a_policy_for_operators_and_one_for_purges(of_type, written):
    assert set(of_type("AWS::IAM::ManagedPolicy")) == set(POLICIES)
    for name in POLICIES:
        assert written["Outputs"][name]["Value"] == {"Ref": name}
        assert "ManagedPolicyName" not in of_type("AWS::IAM::ManagedPolicy")[name]  # CAPABILITY_IAM is enough
        # A changed description would replace the policy, and detach it from everybody.
        assert "Description" not in of_type("AWS::IAM::ManagedPolicy")[name]


@pytest.mark.parametrize("name", POLICIES)
def test_no_action_is_a_wildcard_and_only_listing_secrets_has_no_narrower_resource(of_type, name):
    for statement in statements(of_type, name):
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in listed(statement["Action"]))
        if "*" in listed(statement["Resource"]):
            assert listed(statement["Action"]) == ["secretsmanager:ListSecrets"]


def test_an_operator_can_delete_no_object_no_secret_and_no_resource(of_type):
    found = actions(of_type, "OperatorPolicy")
    assert not [a for a in found if a.startswith(("s3:Put", "s3:Delete", "secretsmanager:Put", "lambda:", "iam:"))]
    assert {a for a in found if "Delete" in a} == {"dynamodb:DeleteItem", "sqs:DeleteMessage"}
    assert {a for a in found if a.startswith("cloudformation:")} == {"cloudformation:DescribeStacks"}


def test_an_operator_takes_letters_of_the_dead_letter_queue_only_and_rings_records_only(of_type):
    queues = {
        action: json.dumps(statement["Resource"])
        for statement in statements(of_type, "OperatorPolicy")
        for action in listed(statement["Action"])
        if action.startswith("sqs:")
    }
    assert "RecordsQueue" in queues.pop("sqs:SendMessage")
    assert all("RecordsDlq" in resource for resource in queues.values())


def test_a_purge_touches_the_audit_objects_and_nothing_else(of_type):
    assert all(action.startswith("s3:") for action in actions(of_type, "PurgePolicy"))
    for statement in statements(of_type, "PurgePolicy"):
        assert "AuditBucket" in json.dumps(statement["Resource"])
