"""What is kept, and what watches over it."""

OURS = {
    "OldestDueSeconds",
    "OldestHeldSeconds",
    "OldestDeferredSeconds",
    "OldestFailedSeconds",
    "FailedRecords",
    "Failed",
    "PassOverdueSeconds",
    "FailingFlows",
    "Unauthorized",
}
OF_THE_STACK = {"RegistryAgeSeconds", "RefreshTokensEnding", "TenantFaults"}


def test_there_is_one_table_with_a_sparse_due_index(of_type):
    (table,) = of_type("AWS::DynamoDB::Table").values()
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "due"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["due_pk", "due_at"]
    assert {a["AttributeType"] for a in table["AttributeDefinitions"]} == {"S"}


def test_the_table_forgets_by_ttl_can_be_restored_and_is_encrypted(of_type):
    (table,) = of_type("AWS::DynamoDB::Table").values()
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table["SSESpecification"]["SSEEnabled"] is True
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_what_cannot_be_made_again_survives_the_stack(template):
    for name in ("Table", "Key", "AuditBucket"):
        # a failed first deploy leaves none of them behind
        assert template["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert template["Resources"][name]["UpdateReplacePolicy"] == "Retain"


def test_the_audit_bucket_is_private_encrypted_versioned_and_forgets(of_type):
    (bucket,) = of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["BucketKeyEnabled"] is True
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == {"Ref": "AuditRetentionDays"}


def test_the_key_rotates_and_serves_no_other_accounts_alarms(of_type):
    (key,) = of_type("AWS::KMS::Key").values()
    assert key["EnableKeyRotation"] is True
    services = [s for s in key["KeyPolicy"]["Statement"] if "Service" in s["Principal"]]
    assert all(s["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}} for s in services)


def test_every_alarm_reaches_the_topic_when_it_goes_and_when_it_ends(of_type):
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["OKActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm["AlarmDescription"], name


def test_every_dead_letter_queue_has_an_alarm_at_its_first_message(of_type):
    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" and alarm["Threshold"] == 0
    }
    assert watched == {name for name in of_type("AWS::SQS::Queue") if "Dlq" in name}


def test_each_of_our_metrics_has_an_alarm_for_each_system_by_stack_and_system_only(written, of_type):
    systems = {value["Name"] for value in written["Mappings"]["SystemNames"].values()}
    alarms = [alarm for alarm in of_type("AWS::CloudWatch::Alarm").values() if alarm["Namespace"] == "MlConnector"]
    alarms = [alarm for alarm in alarms if alarm["MetricName"] != "Returned"]  # of functions
    assert {alarm["MetricName"] for alarm in alarms} == OURS | OF_THE_STACK
    seen = set()
    for alarm in alarms:
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        assert dimensions.pop("stack") == {"Ref": "AWS::StackName"}
        assert set(dimensions) == (set() if alarm["MetricName"] in OF_THE_STACK else {"system"})
        seen.add((alarm["MetricName"], dimensions.get("system")))
    assert seen == {(metric, system) for metric in OURS for system in systems} | {(m, None) for m in OF_THE_STACK}


def test_the_outputs_are_those_that_the_command_line_reads(written):
    runs = {f"RunsQueueUrl{system}" for system in written["Mappings"]["SystemNames"]}
    fixed = {"TableName", "RecordsQueueUrl", "RecordsDlqUrl", "AuditBucketName", "KeyArn", "SecretPrefix", "WebhookUrl"}
    policies = {"OperatorPolicy", "PurgePolicy"}
    assert set(written["Outputs"]) == runs | fixed | policies | {"WebhookApiId"}
