"""Functions, their code, their ticks, and the way in from outside."""

from infra.local.layer import RUNTIME
from ml_connector.systems.registry import SYSTEMS
from tests.template.loading import ROOT, code_folder

COMMON = {
    "ML_STACK",
    "ML_STAGE",
    "ML_TABLE",
    "ML_RECORDS_QUEUE",
    "ML_RECORDS_DLQ",
    "ML_AUDIT_BUCKET",
    "ML_KMS_KEY",
    "ML_SECRET_PREFIX",
    "ML_ALLOW_INSECURE",
    "POWERTOOLS_METRICS_NAMESPACE",
}


def test_there_is_a_poll_function_for_each_system_and_one_of_each_other_kind(written, of_type):
    polls = {f"Poll{system}" for system in written["Mappings"]["SystemNames"]}
    assert set(of_type("AWS::Lambda::Function")) == polls | {"Write", "Maintain", "Enroll", "BaswareWebhook"}


def test_the_template_has_each_system_that_has_an_adapter_and_no_other(written):
    """One that is missing there is never polled on AWS, and nothing else would show it."""
    assert {value["Name"] for value in written["Mappings"]["SystemNames"].values()} == set(SYSTEMS)


def test_each_handler_is_a_file_of_this_repository(of_type):
    for name, function in of_type("AWS::Lambda::Function").items():
        module, attribute = function["Handler"].rsplit(".", 1)
        file = code_folder(function) / f"{module}.py"
        assert file.is_file(), f"{name}: {file.relative_to(ROOT)} is missing"
        assert f"def {attribute}(" in file.read_text("utf-8") or f"{attribute} = " in file.read_text("utf-8"), name


def test_all_run_python_3_13_on_arm64_with_the_one_layer(template, of_type):
    layers = of_type("AWS::Lambda::LayerVersion")
    assert len(layers) == 1
    for name, function in of_type("AWS::Lambda::Function").items():
        assert function["Runtime"] == f"python{RUNTIME}", name  # what the layer's bytecode is made for
        assert function["Architectures"] == ["arm64"], name
        assert [layer["Ref"] for layer in function["Layers"]] == list(layers), name
    assert next(iter(layers.values()))["CompatibleArchitectures"] == ["arm64"]


def test_only_the_webhook_has_a_share_of_its_own(of_type):
    reserved = [n for n, f in of_type("AWS::Lambda::Function").items() if "ReservedConcurrentExecutions" in f]
    assert reserved == ["BaswareWebhook"]


def test_timeouts_are_those_that_the_queues_count_on(of_type):
    timeouts = {name: function["Timeout"] for name, function in of_type("AWS::Lambda::Function").items()}
    assert timeouts == {
        "PollSapB1": 300,
        "PollSage300": 300,
        "PollSyspro": 300,
        "PollSageX3": 300,
        "PollAvidXchange": 300,
        "PollBasware": 300,
        "Write": 120,
        "Maintain": 50,
        "Enroll": 120,
        "BaswareWebhook": 10,
    }


def test_each_function_is_told_where_everything_is(written, of_type):
    systems = {f"Poll{key}": value["Name"] for key, value in written["Mappings"]["SystemNames"].items()}
    for name, function in of_type("AWS::Lambda::Function").items():
        variables = function["Environment"]["Variables"]
        assert variables.keys() - {"ML_SYSTEM", "ML_RUNS_QUEUE"} == COMMON, name
        assert variables.get("ML_SYSTEM") == systems.get(name), name
        assert ("ML_RUNS_QUEUE" in variables) == (name in systems), name


def test_poll_maintain_and_enroll_tick_every_minute_and_nothing_else_does(of_type):
    rules = of_type("AWS::Events::Rule").values()
    assert {rule["ScheduleExpression"] for rule in rules} == {"rate(1 minute)"}
    ticked = {rule["Targets"][0]["Arn"]["Fn::GetAtt"][0] for rule in rules}
    assert ticked == {
        name for name in of_type("AWS::Lambda::Function") if name.startswith(("Poll", "Maintain", "Enroll"))
    }


def test_only_poll_and_write_can_stand_in_a_vpc(of_type):
    inside = {name for name, function in of_type("AWS::Lambda::Function").items() if "VpcConfig" in function}
    assert inside == {name for name in of_type("AWS::Lambda::Function") if name.startswith(("Poll", "Write"))}


def test_the_only_way_in_is_the_webhook_and_it_is_throttled(of_type):
    assert [r["RouteKey"] for r in of_type("AWS::ApiGatewayV2::Route").values()] == ["POST /webhooks/basware/{tenant}"]
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    (integration,) = of_type("AWS::ApiGatewayV2::Integration").values()
    assert integration["IntegrationUri"]["Fn::GetAtt"] == ["BaswareWebhook", "Arn"]
    assert integration["PayloadFormatVersion"] == "2.0"
    assert not of_type("AWS::ApiGateway::RestApi")
    assert not of_type("AWS::Lambda::Url")


def test_each_function_logs_to_a_group_that_forgets(of_type):
    groups = of_type("AWS::Logs::LogGroup")
    for name, function in of_type("AWS::Lambda::Function").items():
        group = groups[function["LoggingConfig"]["LogGroup"]["Ref"]]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
    assert all("RetentionInDays" in group for group in groups.values())
