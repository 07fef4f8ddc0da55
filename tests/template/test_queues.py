"""Queues and what reads them."""

import pytest

from tests.template.loading import expanded

QUEUES = expanded()["Resources"]
SOURCES = [name for name, r in QUEUES.items() if r["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in r["Properties"]]
FOURTEEN_DAYS = 14 * 24 * 3600


def test_there_is_a_queue_for_records_and_one_of_runs_for_each_system(written):
    systems = written["Mappings"]["SystemNames"]
    assert set(SOURCES) == {"RecordsQueue", *(f"RunsQueue{system}" for system in systems)}


@pytest.mark.parametrize("name", SOURCES)
def test_a_queue_has_a_dead_letter_queue_of_its_own(of_type, name):
    dead = of_type("AWS::SQS::Queue")[name]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    others = {of_type("AWS::SQS::Queue")[s]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] for s in SOURCES}
    assert dead not in SOURCES
    assert len(others) == len(SOURCES)


def test_every_queue_is_fifo_encrypted_and_keeps_messages_for_14_days(of_type):
    for name, queue in of_type("AWS::SQS::Queue").items():
        assert queue["FifoQueue"] is True, name
        assert queue["SqsManagedSseEnabled"] is True, name
        assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS, name


def test_every_source_queue_is_read_by_exactly_one_function(of_type):
    read = [
        mapping["EventSourceArn"]["Fn::GetAtt"][0] for mapping in of_type("AWS::Lambda::EventSourceMapping").values()
    ]
    assert sorted(read) == sorted(SOURCES)


def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_run(of_type):
    functions, queues = of_type("AWS::Lambda::Function"), of_type("AWS::SQS::Queue")
    for mapping in of_type("AWS::Lambda::EventSourceMapping").values():
        queue = queues[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
        timeout = functions[mapping["FunctionName"]["Ref"]]["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout


def test_every_mapping_takes_one_message_reports_failures_and_is_bounded(of_type, written):
    for name, mapping in of_type("AWS::Lambda::EventSourceMapping").items():
        assert mapping["BatchSize"] == 1, name
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        most = mapping["ScalingConfig"]["MaximumConcurrency"]
        bounds = written["Parameters"][most["Ref"]] if isinstance(most, dict) else {"MinValue": most, "MaxValue": most}
        assert 2 <= bounds["MinValue"] <= bounds["MaxValue"] <= 1000, name
        assert "MaximumBatchingWindowInSeconds" not in mapping, name
