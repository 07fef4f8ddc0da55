"""A table brought back in the emulator: which restores a table as it is now, so "then" is made before "since then"."""

import pytest

from infra.local import ministack
from infra.restore import Restore
from tests.template.loading import ROOT

pytestmark = pytest.mark.stack


def row(pk, sk, text, **more):
    return {"pk": {"S": pk}, "sk": {"S": sk}, "data": {"S": text}, **more}


def test_a_table_comes_back_as_it_was_while_nothing_runs(tmp_path):
    with ministack.start(tmp_path / "stack") as stack:
        outputs = stack.deploy(ROOT / "template.yaml", {"AllowInsecureEndpoints": "true"})
        table, dynamo, functions = outputs["TableName"], stack.client("dynamodb"), stack.client("lambda")
        name = next(f["FunctionName"] for f in functions.list_functions()["Functions"] if "-write" in f["FunctionName"])
        stack_name, said = name.removesuffix("-write"), []
        restore = Restore(stack_name, stack.client, said.append)

        def allowed():
            found = {f: functions.get_function_concurrency(FunctionName=f) for f in restore.functions}
            return {f: one.get("ReservedConcurrentExecutions") for f, one in found.items()}

        def rows():
            return {(r["pk"]["S"], r["sk"]["S"]): r for r in restore._rows(table) if r["pk"]["S"].startswith("x")}

        webhook = next(f for f in restore.functions if "webhook" in f)  # the emulator deploys no share of its own
        functions.put_function_concurrency(FunctionName=webhook, ReservedConcurrentExecutions=10)
        before = allowed()
        assert len(before) == 10
        assert sorted(before.values(), key=str) == [10, *[None] * 9]
        for key in ("same", "changed", "gone"):
            dynamo.put_item(TableName=table, Item=row("x", key, "then", rev={"N": "3"}))
        with pytest.raises(RuntimeError, match="--step stop"):
            restore.copy(table)
        restore.stop()
        restore.stop()  # again, after it was cut short: what was allowed before is not forgotten
        assert set(allowed().values()) == {0}
        then = rows()
        dynamo.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName="then", UseLatestRestorableTime=True
        )
        dynamo.put_item(TableName=table, Item=row("x", "changed", "since then", rev={"N": "4"}))
        dynamo.put_item(TableName=table, Item=row("x", "new", "since then"))
        dynamo.put_item(TableName=table, Item=row("breaker#acme", "sap_b1", "refused since then"))
        dynamo.delete_item(TableName=table, Key={"pk": {"S": "x"}, "sk": {"S": "gone"}})
        stack.client("sqs").send_message(
            QueueUrl=outputs["RecordsQueueUrl"], MessageGroupId="g", MessageBody="{}", MessageDeduplicationId="d"
        )
        assert restore.copy("then") == (2, 1)
        assert rows() == then
        assert restore.copy("then") == (0, 0)
        kept = dynamo.get_item(TableName=table, Key={"pk": {"S": "breaker#acme"}, "sk": {"S": "sap_b1"}})
        assert kept["Item"]["data"] == {"S": "refused since then"}
        restore.empty_queues()
        depth = stack.client("sqs").get_queue_attributes(
            QueueUrl=outputs["RecordsQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert depth["Attributes"]["ApproximateNumberOfMessages"] == "0"
        restore.start()
        assert allowed() == before
        assert restore._noted() == {}
