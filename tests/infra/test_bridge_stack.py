import json
import re
import shlex
import subprocess
from dataclasses import replace
from typing import Any, Protocol

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from config.bridge_toml import Config, Queues, Receiver, Worker
from functions import telemetry
from functions.adapters.aws.json_client import CONNECT_SECONDS, FIRST_BACK_OFF, READ_SECONDS, TRIES
from functions.adapters.aws.ledger import KEPT_SECONDS
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.conversation import ConversationOptions
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.settle import LONGEST_WAIT_FOR_APP
from functions.settings import AgentSettings, MemoryBy, Settings
from infra.bridge_stack import BridgeStack
from infra.code_asset import ROOT
from infra.monitoring import QUERIES

OPERATOR = "arn:aws:iam::123456789012:role/operator"


class Synthesise(Protocol):
    def __call__(self, config: Config) -> Template: ...


def of_type(template: Template, resource_type: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in template.find_resources(resource_type).values()]


def test_every_function_runs_python_3_13_on_arm64_from_one_asset(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    assert len(functions) == 5
    for function in functions:
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["Code"] == functions[0]["Code"]


def test_functions_are_traced_only_where_the_operator_says_so(
    synthesise: Synthesise, config: Config, template: Template
) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    assert [function for function in functions if "TracingConfig" in function] == []
    traced = synthesise(replace(config, tracing=True))
    functions = of_type(traced, "AWS::Lambda::Function")
    assert [function["TracingConfig"] for function in functions] == [{"Mode": "Active"}] * 5


def test_every_function_logs_json_to_a_group_of_its_own(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    for function in functions:
        assert (function["LoggingConfig"]["LogFormat"], function["LoggingConfig"]["ApplicationLogLevel"]) == (
            "JSON",
            "INFO",
        )
    groups = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions}
    assert len(groups) == 5
    assert groups < template.find_resources("AWS::Logs::LogGroup").keys()


def test_every_log_group_but_the_audit_log_keeps_a_month_and_goes_with_the_stack(template: Template) -> None:
    groups = template.find_resources("AWS::Logs::LogGroup")
    assert len(groups) == 7
    for logical_id, group in groups.items():
        if not logical_id.startswith("Audit"):
            assert group["Properties"]["RetentionInDays"] == 30
            assert group["DeletionPolicy"] == "Delete"


def test_audit_records_are_kept_a_year_in_a_group_that_outlives_the_stack(template: Template) -> None:
    name = template.find_outputs("AuditLogGroup")["AuditLogGroup"]["Value"]["Ref"]
    group = template.find_resources("AWS::Logs::LogGroup")[name]
    assert group["Properties"] == {"RetentionInDays": 365}
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_a_question_expires_before_its_record(template: Template) -> None:
    # In the dead-letter queue its time begins anew.
    longest = max(queue["MessageRetentionPeriod"] for queue in of_type(template, "AWS::SQS::Queue"))
    assert 2 * longest < KEPT_SECONDS


def test_a_question_that_slack_refuses_for_two_weeks_never_comes_to_its_last_receive(
    template: Template,
) -> None:
    queues = template.find_resources("AWS::SQS::Queue")
    [questions] = [queue["Properties"] for name, queue in queues.items() if "Questions" in name]
    usual_wait = LONGEST_WAIT_FOR_APP * 3 / 4  # half of it to all of it
    receives = questions["MessageRetentionPeriod"] / usual_wait
    assert receives < 0.95 * questions["RedrivePolicy"]["maxReceiveCount"]


def test_the_receivers_timeout_exceeds_its_calls_and_the_api_waits_for_it(
    functions: dict[str, tuple[str, dict[str, Any]]],
) -> None:
    pauses = sum(FIRST_BACK_OFF * 2**number for number in range(1, TRIES))
    call = TRIES * (CONNECT_SECONDS + READ_SECONDS) + pauses
    _, receiver = functions["receiver"]
    # Secrets Manager and SQS; docs.aws.amazon.com/apigateway/latest/developerguide/limits.html: 30 s
    assert 2 * call < receiver["Timeout"] < 30


def test_both_routes_lead_to_the_receiver_in_payload_format_2(
    template: Template, functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    receiver, _ = functions["receiver"]
    routes = of_type(template, "AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"] for route in routes} == {"POST /slack/events", "POST /slack/interactivity"}
    template.resource_count_is("AWS::ApiGatewayV2::Integration", 1)
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Integration",
        {
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {"Fn::GetAtt": [receiver, "Arn"]},
            "PayloadFormatVersion": "2.0",
        },
    )


def test_only_the_apis_routes_and_the_schedule_may_call_a_function(
    template: Template, functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    (rule,) = template.find_resources("AWS::Events::Rule")
    allowed = {
        (
            permission["FunctionName"]["Fn::GetAtt"][0],
            permission["Principal"],
            json.dumps(
                permission["SourceArn"].get("Fn::GetAtt") or permission["SourceArn"]["Fn::Join"][1][-1]
            ),
        )
        for permission in of_type(template, "AWS::Lambda::Permission")
    }
    (receiver, _), (heartbeat, _) = functions["receiver"], functions["heartbeat"]
    assert allowed == {
        (receiver, "apigateway.amazonaws.com", '"/*/*/slack/events"'),
        (receiver, "apigateway.amazonaws.com", '"/*/*/slack/interactivity"'),
        (receiver, "events.amazonaws.com", f'["{rule}", "Arn"]'),
        (heartbeat, "events.amazonaws.com", f'["{rule}", "Arn"]'),
    }


def test_the_api_is_throttled(template: Template) -> None:
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Stage",
        {
            "StageName": "$default",
            "AutoDeploy": True,
            "DefaultRouteSettings": {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100},
        },
    )


def test_the_access_log_is_json_without_query_headers_or_body(template: Template) -> None:
    (stage,) = of_type(template, "AWS::ApiGatewayV2::Stage")
    log_format = json.loads(stage["AccessLogSettings"]["Format"])
    assert log_format["requestId"] == "$context.requestId"
    for variable in log_format.values():
        assert re.fullmatch(
            r"\$context\.(requestId|requestTime|identity\.sourceIp|routeKey|status|responseLatency"
            r"|integrationErrorMessage)",
            variable,
        )
    arn = stage["AccessLogSettings"]["DestinationArn"]["Fn::Join"][1]
    assert arn[-2] == ":log-group:"
    assert arn[-1]["Ref"] in template.find_resources("AWS::Logs::LogGroup")


def test_the_access_log_is_where_the_accounts_resource_policy_cannot_be_full(template: Template) -> None:
    (stage,) = of_type(template, "AWS::ApiGatewayV2::Stage")
    group = stage["AccessLogSettings"]["DestinationArn"]["Fn::Join"][1][-1]["Ref"]
    stack_uuid = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert template.find_resources("AWS::Logs::LogGroup")[group]["Properties"]["LogGroupName"] == {
        "Fn::Join": [
            "",
            ["/aws/vendedlogs/agent-bridge-", {"Fn::Select": [0, {"Fn::Split": ["-", stack_uuid]}]}],
        ]
    }


def test_all_queues_are_fifo_in_high_throughput_mode_and_encrypted(template: Template) -> None:
    template.resource_count_is("AWS::SQS::Queue", 3)
    template.all_resources_properties(
        "AWS::SQS::Queue",
        {
            "FifoQueue": True,
            "FifoThroughputLimit": "perMessageGroupId",
            "DeduplicationScope": "messageGroup",
            "ContentBasedDeduplication": Match.absent(),
            "SqsManagedSseEnabled": True,
        },
    )


def test_each_queue_refuses_what_does_not_come_over_tls(template: Template) -> None:
    policies = of_type(template, "AWS::SQS::QueuePolicy")
    assert {policy["Queues"][0]["Ref"] for policy in policies} == template.find_resources(
        "AWS::SQS::Queue"
    ).keys()
    for policy in policies:
        assert policy["PolicyDocument"]["Statement"][0] == {
            "Action": "sqs:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Resource": {"Fn::GetAtt": [policy["Queues"][0]["Ref"], "Arn"]},
        }


def senders(template: Template) -> dict[str, Any]:
    """The roles that the queues' policies let send, by queue."""
    allowed = {}
    for policy in of_type(template, "AWS::SQS::QueuePolicy"):
        for statement in policy["PolicyDocument"]["Statement"][1:]:
            queue = policy["Queues"][0]["Ref"]
            roles = statement["Condition"].pop("ArnNotEquals")["aws:PrincipalArn"]
            assert statement == {
                "Action": "sqs:SendMessage",
                "Condition": {},
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Resource": {"Fn::GetAtt": [queue, "Arn"]},
            }
            allowed[queue[: -len("01234567")]] = roles
    return allowed


def test_the_receiver_alone_may_send_what_functions_act_upon(template: Template) -> None:
    roles = [name for name in template.find_resources("AWS::IAM::Role") if name.startswith("ReceiverRole")]
    receiver = {"Fn::GetAtt": [*roles, "Arn"]}
    assert senders(template) == {"QueuesQuestions": [receiver], "QueuesControl": [receiver]}


def test_roles_that_redrive_may_send_when_a_setting_names_them(other_template: Template) -> None:
    assert {tuple(roles[1:]) for roles in senders(other_template).values()} == {(OPERATOR,)}


def test_what_cannot_be_finished_moves_to_the_one_dead_letter_queue(template: Template) -> None:
    policies = {
        logical_id[: -len("01234567")]: queue["Properties"].get("RedrivePolicy")
        for logical_id, queue in template.find_resources("AWS::SQS::Queue").items()
    }
    dead_letters = {"Fn::GetAtt": ["QueuesDeadLettersF0D5D2AD", "Arn"]}
    assert policies == {
        "QueuesQuestions": {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 1000},
        "QueuesControl": {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 5},
        "QueuesDeadLetters": None,
    }


def test_what_a_deployment_must_never_replace_keeps_its_logical_id(template: Template) -> None:
    """With another id, queued questions, records, secrets and the address that Slack knows would be gone."""
    kept = (
        "AWS::SQS::Queue",
        "AWS::DynamoDB::GlobalTable",
        "AWS::SecretsManager::Secret",
        "AWS::ApiGatewayV2::Api",
    )
    assert {name for kind in kept for name in template.find_resources(kind)} == {
        "QueuesQuestions67F4E4BB",
        "QueuesControlE02988EC",
        "QueuesDeadLettersF0D5D2AD",
        "LedgerTable9343E4AA",
        "SecretsSigningSecret9F952B20",
        "SecretsBotToken3C5E3BC9",
        "IngressApiFA053807",
    }


def test_messages_are_handed_over_one_by_one_and_failures_reported_by_message(template: Template) -> None:
    template.resource_count_is("AWS::Lambda::EventSourceMapping", 3)
    template.all_resources_properties(
        "AWS::Lambda::EventSourceMapping",
        {"BatchSize": 1, "FunctionResponseTypes": ["ReportBatchItemFailures"]},
    )


def test_the_table_is_on_demand_with_a_day_of_recovery_and_goes_with_the_stack(
    template: Template,
) -> None:
    template.has_resource(
        "AWS::DynamoDB::GlobalTable",
        {
            "DeletionPolicy": "Delete",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "Replicas": [
                    {
                        "Region": {"Ref": "AWS::Region"},
                        "PointInTimeRecoverySpecification": {
                            "PointInTimeRecoveryEnabled": True,
                            "RecoveryPeriodInDays": 1,
                        },
                    }
                ],
            },
        },
    )


def test_the_tables_items_are_keyed_by_turn_and_expire(template: Template) -> None:
    (table,) = of_type(template, "AWS::DynamoDB::GlobalTable")
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("turn_id", "HASH"),
        ("item", "RANGE"),
    ]
    types = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    assert types == {"turn_id": "S", "item": "S"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_there_are_two_secrets_and_no_value_of_theirs_in_the_template(template: Template) -> None:
    secrets = template.find_resources("AWS::SecretsManager::Secret")
    assert len(secrets) == 2
    assert [name for name in secrets if "Signing" in name]
    assert [name for name in secrets if "Token" in name]
    for secret in secrets.values():
        assert secret["DeletionPolicy"] == "Delete"
        assert secret["Properties"].keys() == {"Description", "GenerateSecretString"}
        assert secret["Properties"]["Description"].endswith(", for agent-bridge")
        assert secret["Properties"]["GenerateSecretString"] == {}
    text = json.dumps(template.to_json())
    assert not re.search("xox[a-z]-", text)
    assert "resolve:secretsmanager" not in text


def test_no_parameter_asks_for_anything(template: Template) -> None:
    # CDK's own parameter reads the version of the bootstrap stack.
    assert list(template.find_parameters("*")) == ["BootstrapVersion"]


def test_functions_learn_secrets_table_and_queue_by_reference(
    template: Template, functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    secrets = template.find_resources("AWS::SecretsManager::Secret")
    (signing,) = (name for name in secrets if "Signing" in name)
    (token,) = (name for name in secrets if "Token" in name)
    (table,) = template.find_resources("AWS::DynamoDB::GlobalTable")
    (audit,) = (name for name in template.find_resources("AWS::Logs::LogGroup") if "Audit" in name)
    control, dead_letters, questions = sorted(template.find_resources("AWS::SQS::Queue"))
    environments = {
        name: properties["Environment"]["Variables"] for name, (_, properties) in functions.items()
    }
    assert environments == {
        "receiver": {
            "QUEUE_URL": {"Ref": questions},
            "CONTROL_QUEUE_URL": {"Ref": control},
            "SIGNING_SECRET_ID": {"Ref": signing},
            "FOLLOW_UPS": "",
            "SERVICE_NAME": "agent-bridge",
        },
        "worker": {
            "QUEUE_URL": {"Ref": questions},
            "BOT_TOKEN_SECRET_ID": {"Ref": token},
            "LEDGER_TABLE": {"Ref": table},
            "AUDIT_LOG_GROUP": {"Ref": audit},
            "SETTINGS_FILE": "/opt/slack-agent-bridge.json",
            "SERVICE_NAME": "agent-bridge",
        },
        "control": {
            "QUEUE_URL": {"Ref": control},
            "QUESTIONS_QUEUE_URL": {"Ref": questions},
            "BOT_TOKEN_SECRET_ID": {"Ref": token},
            "LEDGER_TABLE": {"Ref": table},
            "AUDIT_LOG_GROUP": {"Ref": audit},
            "SETTINGS_FILE": "/opt/slack-agent-bridge.json",
            "SERVICE_NAME": "agent-bridge",
        },
        "dead_letters": {
            "QUEUE_URL": {"Ref": dead_letters},
            "BOT_TOKEN_SECRET_ID": {"Ref": token},
            "LEDGER_TABLE": {"Ref": table},
            "AUDIT_LOG_GROUP": {"Ref": audit},
            "SETTINGS_FILE": "/opt/slack-agent-bridge.json",
            "SERVICE_NAME": "agent-bridge",
        },
        "heartbeat": {
            "BOT_TOKEN_SECRET_ID": {"Ref": token},
            "SETTINGS_FILE": "/opt/slack-agent-bridge.json",
            "SERVICE_NAME": "agent-bridge",
        },
    }


def test_outputs_are_the_request_url_the_secrets_and_the_queues(template: Template) -> None:
    outputs = template.find_outputs("*")
    assert outputs.keys() == {
        "MakeManifest",
        "StoreSigningSecret",
        "StoreBotToken",
        "SlackRequestUrl",
        "SigningSecretName",
        "BotTokenSecretName",
        "QueueUrl",
        "ControlQueueUrl",
        "DeadLetterQueueUrl",
        "WorkerRoleArn",
        "HeartbeatRoleArn",
        "LogGroups",
        "AuditLogGroup",
        "SavedQueries",
        "AlarmTopicArn",
        "DashboardName",
    }
    (api,) = template.find_resources("AWS::ApiGatewayV2::Api")
    assert outputs["SlackRequestUrl"]["Value"] == {
        "Fn::Join": ["", [{"Fn::GetAtt": [api, "ApiEndpoint"]}, "/slack/events"]]
    }


def test_a_command_among_the_outputs_puts_the_address_into_the_whole_manifest(template: Template) -> None:
    begin, api, end = template.find_outputs("MakeManifest")["MakeManifest"]["Value"]["Fn::Join"][1]
    assert api["Fn::GetAtt"][1] == "ApiEndpoint"
    command = shlex.split(f"{begin}https://abc.example{end}")
    made = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    assert made["settings"]["event_subscriptions"]["request_url"] == "https://abc.example/slack/events"
    assert made["settings"]["interactivity"]["request_url"] == "https://abc.example/slack/interactivity"
    assert "REPLACE-ME" not in json.dumps(made)


def test_the_manifest_has_the_scope_of_user_groups_where_an_agents_approvers_are_one(
    synthesise: Synthesise, config: Config
) -> None:
    groups = Approvers(ApproverRule.LISTED, groups=("S0123456789",))
    agent = replace(config.settings.agents["default"], approvers=groups)
    with_groups = synthesise(replace(config, settings=Settings({"default": agent})))
    usual = json.loads((ROOT / "slack-app-manifest.json").read_text())["oauth_config"]["scopes"]["bot"]
    begin, _, end = with_groups.find_outputs("MakeManifest")["MakeManifest"]["Value"]["Fn::Join"][1]
    command = shlex.split(f"{begin}https://abc.example{end}")
    made = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    assert {*made["oauth_config"]["scopes"]["bot"]} == {*usual, "usergroups:read"}
    assert made["settings"]["event_subscriptions"]["request_url"] == "https://abc.example/slack/events"


def test_a_session_that_may_end_before_a_decision_is_warned_of(
    cdk_context: dict[str, Any], config: Config
) -> None:
    agent = replace(config.settings.agents["default"], approval_seconds=3600)
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    stack = BridgeStack(app, "bridge", config=replace(config, settings=Settings({"default": agent})))
    warned = Match.string_like_regexp(r"agents\.default\.approval_seconds is 3600.* 600 idle seconds")
    Annotations.from_stack(stack).has_warning("*", warned)


@pytest.mark.parametrize(
    ("follow_ups", "events"),
    [
        (("C0123456789",), {"message.channels", "message.groups"}),
        (("dm",), {"message.mpim"}),
        (("C0123456789", "dm"), {"message.channels", "message.groups", "message.mpim"}),
    ],
)
def test_where_people_need_not_mention_the_bot_its_app_hears_of_every_message(
    synthesise: Synthesise, config: Config, follow_ups: tuple[str, ...], events: set[str]
) -> None:
    conversation = ConversationOptions(follow_ups=follow_ups)
    template = synthesise(replace(config, settings=replace(config.settings, conversation=conversation)))
    begin, _, end = template.find_outputs("MakeManifest")["MakeManifest"]["Value"]["Fn::Join"][1]
    command = shlex.split(f"{begin}https://abc.example{end}")
    made = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    plain = json.loads((ROOT / "slack-app-manifest.json").read_text())
    heard = [one["settings"]["event_subscriptions"].pop("bot_events") for one in (made, plain)]
    assert {*heard[0]} - {*heard[1]} == events
    assert {*heard[1]} <= {*heard[0]}
    assert made["oauth_config"] == plain["oauth_config"]
    its = {"Properties": {"Handler": "functions.receiver.handler"}}
    [function] = template.find_resources("AWS::Lambda::Function", its).values()
    assert function["Properties"]["Environment"]["Variables"]["FOLLOW_UPS"] == " ".join(follow_ups)


@pytest.mark.parametrize(
    ("command", "name"),
    [("StoreSigningSecret", "SigningSecretName"), ("StoreBotToken", "BotTokenSecretName")],
)
def test_a_command_among_the_outputs_stores_each_secret_in_the_bridges_region(
    template: Template, command: str, name: str
) -> None:
    outputs = template.find_outputs("*")
    parts = outputs[command]["Value"]["Fn::Join"][1]
    assert parts == [
        "aws secretsmanager put-secret-value --region ",
        {"Ref": "AWS::Region"},
        " --secret-id ",
        outputs[name]["Value"],
        " --secret-string file:///dev/stdin",
    ]


def test_every_functions_log_is_named_and_can_be_asked(template: Template) -> None:
    groups = {
        function["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type(template, "AWS::Lambda::Function")
    }
    _, parts = template.find_outputs("LogGroups")["LogGroups"]["Value"]["Fn::Join"]
    assert {part["Ref"] for part in parts if part != ", "} == groups
    queries = {query["Name"]: query for query in of_type(template, "AWS::Logs::QueryDefinition")}
    assert queries.keys() == {f"agent-bridge/{name}" for name in QUERIES}
    for query in queries.values():
        assert {group["Ref"] for group in query["LogGroupNames"]} == groups
        asked = {parameter["Name"] for parameter in query.get("Parameters", [])}
        assert {*re.findall(r"\{\{(\w+)\}\}", query["QueryString"])} == asked


WORDS_OF_QUERIES = {
    *("fields", "filter", "sort", "stats", "count", "latest", "ispresent", "and", "or", "by", "desc", "limit")
}


def test_queries_ask_for_what_the_functions_log(template: Template) -> None:
    lines = telemetry.declared(telemetry.Line)
    for query in of_type(template, "AWS::Logs::QueryDefinition"):
        text = query["QueryString"]
        named = {*re.findall('message = "(.+?)"', text)}
        assert named <= {line.message for line in lines}
        asked = [line for line in lines if line.message in named] or lines
        names = re.sub(r'"[^"]*"|as \w+|sort \w+|@\w+', "", text)
        fields = {*re.findall("[a-z_]+", names)} - WORDS_OF_QUERIES - {"message"}
        assert fields <= {field for line in asked for field in line.fields}


def test_the_workers_role_is_named_for_agents_of_other_accounts(
    template: Template, functions: dict[str, tuple[str, dict[str, Any]]]
) -> None:
    _, worker = functions["worker"]
    assert template.find_outputs("WorkerRoleArn")["WorkerRoleArn"]["Value"] == worker["Role"]


@pytest.mark.parametrize("protected", [True, False])
def test_cloudformation_keeps_the_bridge_where_the_settings_say_so(
    config: Config, cdk_context: dict[str, Any], protected: bool
) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    stack = BridgeStack(app, "bridge", config=replace(config, termination_protection=protected))
    assert stack.termination_protection is protected
    [artifact] = app.synth().stacks
    assert bool(artifact.termination_protection) is protected


# The properties by which a resource gets a name that no other in its account and region may have.
FIXED_NAMES = {
    "AlarmName",
    "DashboardName",
    "TopicName",
    "FunctionName",
    "LogGroupName",
    "PolicyName",
    "QueueName",
    "RoleName",
    "TableName",
    "Name",
}


def test_two_bridges_live_in_one_account(template: Template) -> None:
    for logical_id, resource in template.to_json()["Resources"].items():
        match resource["Type"]:
            case "AWS::ApiGatewayV2::Api":  # an API's name is a label
                assert resource["Properties"]["Name"] == "agent-bridge"
            case "AWS::IAM::Policy":  # the name of an inline policy is its role's own business
                pass
            case (
                "AWS::Lambda::Permission" | "AWS::Lambda::EventSourceMapping"
            ):  # names the function it is about
                pass
            case "AWS::Logs::QueryDefinition":  # the console's folder for it is the stack's name
                assert resource["Properties"]["Name"].startswith("agent-bridge/")
            case "AWS::Logs::LogGroup" if name := resource["Properties"].get("LogGroupName"):
                assert "AWS::StackId" in json.dumps(name), logical_id
            case _:
                assert not FIXED_NAMES & resource["Properties"].keys(), logical_id


HARNESS = "arn:aws:bedrock-agentcore:eu-central-1:123456789012:harness/finops-A1b2C3d4E5"
RUNTIME = "arn:aws:bedrock-agentcore:eu-central-1:123456789012:runtime/sales-A1b2C3d4E5"
ROLE = "arn:aws:iam::210987654321:role/legal"
SEVERAL = {
    "default": AgentSettings("bedrock-agent", agent_id="0123456789", alias_id="abcdefghij"),
    "finops": AgentSettings(
        "agentcore-harness",
        arn=HARNESS,
        memory_by=MemoryBy.PERSON,
        channels=("C0123456789",),
        description="what we spend",
    ),
    "sales": AgentSettings(
        "agentcore-runtime", arn=RUNTIME, qualifier="prod", tell_user_id=True, stop_session=True
    ),
    "far": AgentSettings("bedrock-agent", agent_id="FARAGENT10", alias_id="FARALIAS10", region="us-west-2"),
    "legal": AgentSettings(
        "bedrock-agent", agent_id="LEGALAGENT", alias_id="LEGALALIAS", role_arn=ROLE, external_id="42"
    ),
}


@pytest.fixture(scope="module")
def other_template(synthesise: Synthesise) -> Template:
    """A template in which everything that can be set is set otherwise than in the default file."""
    return synthesise(
        Config(
            name="weather",
            region="eu-central-1",
            settings=Settings(
                SEVERAL,
                routes={"C0123456789": "finops"},
                reply=ReplyOptions(Style.STREAM, show_rationale=True, notify_after_seconds=120),
            ),
            receiver=Receiver(reserved_concurrency=5),
            worker=Worker(timeout_seconds=1800, max_concurrency=7),
            queues=Queues((OPERATOR,)),
            termination_protection=True,
        )
    )


def test_settings_reach_the_worker(other_template: Template) -> None:
    other_template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "functions.worker.handler",
            "Timeout": 1800,
            "Environment": {"Variables": Match.object_like({"SERVICE_NAME": "weather"})},
        },
    )
    other_template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping", {"ScalingConfig": {"MaximumConcurrency": 7}}
    )


def test_visibility_follows_the_workers_timeout(other_template: Template) -> None:
    other_template.has_resource_properties(
        "AWS::SQS::Queue", {"VisibilityTimeout": 1830, "RedrivePolicy": Match.any_value()}
    )


def test_executions_are_reserved_for_the_receiver_where_the_settings_say_so(
    template: Template, other_template: Template
) -> None:
    reserved = {"ReservedConcurrentExecutions": Match.any_value()}
    assert template.find_resources("AWS::Lambda::Function", {"Properties": reserved}) == {}
    [receiver] = other_template.find_resources("AWS::Lambda::Function", {"Properties": reserved}).values()
    assert receiver["Properties"]["Handler"] == "functions.receiver.handler"
    assert receiver["Properties"]["ReservedConcurrentExecutions"] == 5


def statements_of(function: str, template: Template) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy")
    [policy] = [policy for name, policy in policies.items() if name.startswith(f"{function}Role")]
    found: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_the_worker_may_invoke_exactly_the_configured_agents(other_template: Template) -> None:
    granted = {
        (action, json.dumps(resource))
        for statement in statements_of("Worker", other_template)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if action.startswith(("bedrock", "sts"))
    }
    written_out = {(action, resource.strip('"')) for action, resource in granted if resource.startswith('"')}
    assert written_out == {
        ("bedrock-agentcore:InvokeHarness", HARNESS),
        ("bedrock-agentcore:InvokeHarness", f"{HARNESS}/harness-endpoint/DEFAULT"),
        ("bedrock-agentcore:InvokeAgentRuntime", HARNESS),
        ("bedrock-agentcore:InvokeAgentRuntime", f"{HARNESS}/harness-endpoint/DEFAULT"),
        ("bedrock-agentcore:InvokeAgentRuntime", RUNTIME),
        ("bedrock-agentcore:InvokeAgentRuntime", f"{RUNTIME}/runtime-endpoint/prod"),
        ("bedrock-agentcore:InvokeAgentRuntimeForUser", RUNTIME),
        ("bedrock-agentcore:InvokeAgentRuntimeForUser", f"{RUNTIME}/runtime-endpoint/prod"),
        ("bedrock-agentcore:StopRuntimeSession", RUNTIME),
        ("bedrock-agentcore:StopRuntimeSession", f"{RUNTIME}/runtime-endpoint/prod"),
        ("sts:AssumeRole", ROLE),
    }
    [near, far] = sorted(pair for pair in granted if not pair[1].startswith('"'))
    assert far[0] == near[0] == "bedrock:InvokeAgent"
    assert re.search(
        '"arn:aws:bedrock:us-west-2:".*"AWS::AccountId".*":agent-alias/FARAGENT10/FARALIAS10"', far[1]
    )
    assert re.search('"arn:aws:bedrock:eu-central-1:".*":agent-alias/0123456789/abcdefghij"', near[1])


def test_the_heartbeat_may_look_at_exactly_the_configured_agents(other_template: Template) -> None:
    granted = {
        (action, resource if isinstance(resource, str) else resource["Fn::Join"][1][-1])
        for statement in statements_of("Heartbeat", other_template)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if action.startswith(("bedrock", "sts"))
    }
    assert granted == {
        ("bedrock:GetAgentAlias", ":agent-alias/0123456789/abcdefghij"),
        ("bedrock:GetAgentAlias", ":agent-alias/FARAGENT10/FARALIAS10"),
        ("bedrock-agentcore:GetHarness", HARNESS),
        ("bedrock-agentcore:GetAgentRuntimeEndpoint", RUNTIME),
        ("bedrock-agentcore:GetAgentRuntimeEndpoint", f"{RUNTIME}/runtime-endpoint/prod"),
        ("sts:AssumeRole", ROLE),
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
