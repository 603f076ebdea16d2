"""The shipped template and code, deployed into an AWS on loopback, and used there."""

import json
import shlex
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.bridge_toml import Worker
from simulator import wiring
from simulator.agent.service import AgentService
from simulator.journal import Journal
from simulator.simulation import AGENTS, GENEROUS, MANIFEST, ROUTES
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.deploy.cloud import ACCOUNT_CONCURRENCY, Checkout, Cloud
from tests.e2e.person import PATIENCE, Operator

SIGNING_SECRET = "8f742231b10e8888abcd99aebfcd85a5"
BOT_TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
CHANNELS = ("agent-classic", "agent-harness", "agent-runtime")


@dataclass
class Deployment:
    """A bridge in the cloud, and everything that it talks with.

    Attributes:
        outputs: the stack's, by name.
        resources: physical ids by logical id.
        bootstrapped: what was in the account before anything of ours.
        said: what the check has seen, for its last line.
    """

    cloud: Cloud
    checkout: Checkout
    slack: SlackService
    agent: AgentService
    journal: Journal
    said: list[str] = field(default_factory=list)
    operator: Operator = field(init=False)
    outputs: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    bootstrapped: set[str] = field(default_factory=set)

    def deploy(self) -> None:
        """`make deploy`, and what the stack's outputs say afterwards."""
        self.checkout.run("make", "deploy", "YES=1")
        cloudformation = self.cloud.client("cloudformation")
        [stack] = cloudformation.describe_stacks(StackName="agent-bridge")["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        resources = cloudformation.describe_stack_resources(StackName="agent-bridge")["StackResources"]
        self.resources = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}

    def resource(self, beginning: str) -> str:
        """The physical id of the one resource whose logical id is `beginning` and a hash."""
        [found] = [
            physical
            for logical, physical in self.resources.items()
            if logical.startswith(beginning) and len(logical) == len(beginning) + 8
        ]
        return found


@contextmanager
def deployment(folder: Path, *, auth: bool) -> Iterator[Deployment]:
    """The stand-ins, an empty account, and a checkout that is configured for them but not deployed yet."""
    journal = Journal()
    slack = SlackService(
        journal=journal,
        manifest=json.loads(MANIFEST.read_text()),
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        time_scale=0.1,
    )
    # A cold function takes longer to answer here than in Lambda, which gives it a whole processor to start.
    slack.events.answer_seconds = 30.0
    agent = AgentService(journal=journal, time_scale=0.1)
    variables = {
        "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": agent.url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE": agent.url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENT": agent.url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE_CONTROL": agent.url,
        "SLACK_API_URL": slack.api_url,
        "SLACK_FILES_ORIGIN": slack.files_origin,
    }
    with ExitStack() as stack:
        for service in (slack, agent):
            service.start()
            stack.callback(service.stop)
        cloud = stack.enter_context(Cloud(folder, variables=variables, auth=auth))
        checkout = Checkout(folder / "checkout", cloud.environment)
        checkout.write("bridge.toml", bridge_toml(notify_after_seconds=800))
        yield Deployment(cloud, checkout, slack, agent, journal)


def bridge_toml(*, notify_after_seconds: int, max_concurrency: int = Worker.max_concurrency) -> str:
    """All three kinds of agents: the simulator's.

    With a long `notify_after_seconds` an answer on a slow machine stays one message: a mention is one more.
    """
    lines = ['name = "agent-bridge"', 'sample = "none"']
    for name, agent in {"default": AGENTS["classic"], **AGENTS}.items():
        lines += [f"[agents.{name}]", *(f"{key} = {_toml(value)}" for key, value in agent.items())]
    for channel, name in ROUTES.items():
        lines += ["[[routes]]", f'channel = "{channel}"', f'agent = "{name}"']
    lines += ["[reply]", f"notify_after_seconds = {notify_after_seconds}"]
    lines += ["[fairness]", *(f"{key} = {most}" for key, most in GENEROUS.items())]
    lines += ["[worker]", f"max_concurrency = {max_concurrency}"]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A text, or a table of texts on one line."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{ " + ", ".join(f"{json.dumps(key)} = {json.dumps(text)}" for key, text in value.items()) + " }"


# --- the steps, in their order ---


def bootstrap(bridge: Deployment) -> None:
    bridge.checkout.run("make", "bootstrap")
    bridge.bootstrapped = inventory(bridge.cloud)


def ask_for_more_than_the_account_has(bridge: Deployment) -> None:
    """`make deploy` asks the account for its limits first, and stops."""
    settings = bridge_toml(notify_after_seconds=800)
    bridge.checkout.write("bridge.toml", bridge_toml(notify_after_seconds=800, max_concurrency=21))
    with pytest.raises(RuntimeError, match=f"max_concurrency is 21,.*: at most {ACCOUNT_CONCURRENCY - 6}"):
        bridge.deploy()
    bridge.checkout.write("bridge.toml", settings)
    bridge.said.append("refused to take the whole account")


def deploy(bridge: Deployment) -> None:
    """Deploy, then do what README asks the operator for: store the secrets, tell Slack the address."""
    bridge.deploy()
    secrets = bridge.cloud.client("secretsmanager")
    for name, value in (("StoreSigningSecret", SIGNING_SECRET), ("StoreBotToken", BOT_TOKEN)):
        words = shlex.split(bridge.outputs[name])
        secrets.put_secret_value(SecretId=words[words.index("--secret-id") + 1], SecretString=value + "\n")
    manifest = json.loads(bridge.checkout.run(*shlex.split(bridge.outputs["MakeManifest"])))["settings"]
    assert manifest["event_subscriptions"]["request_url"] == bridge.outputs["SlackRequestUrl"]
    bridge.slack.request_url = bridge.cloud.api_url(manifest["event_subscriptions"]["request_url"])
    bridge.slack.interactivity_url = bridge.cloud.api_url(manifest["interactivity"]["request_url"])
    bridge.operator = Operator(
        bridge.slack.url,
        bridge.journal,
        dynamodb=bridge.cloud.client("dynamodb"),
        table=bridge.resource("LedgerTable"),
    )


def ask_each_kind_of_agent(bridge: Deployment) -> None:
    operator = bridge.operator
    for channel in CHANNELS:
        question = operator.say("@agent what's the weather in Chicago today?", channel=channel)
        _until_answered(bridge, question)
        [reply] = operator.replies(question)
        shown = [edit["blocks"][0]["text"] for edit in reply["edits"]]
        assert "In **Chicago** expect" in shown[-1], shown
    assert len(bridge.agent.invocations) == len(CHANNELS), bridge.agent.invocations
    bridge.said.append(f"answered a question by each of {len(CHANNELS)} kinds of agents")


def press_retry(bridge: Deployment) -> None:
    """An agent that fails, and the button under its explanation, which comes back by the other route."""
    operator = bridge.operator
    bridge.agent.force("fail at once")
    question = operator.say("@agent what's the weather in Lima today?")
    operator.until(lambda: operator.state(question) in ("failed", "interrupted"))
    [reply] = operator.replies(question)
    operator.control("press", channel=question["channel"], ts=reply["ts"], user="alice", action_id="retry")
    _until_answered(bridge, question)
    assert "In **Lima** expect" in operator.said(question)
    bridge.said.append("answered one more after a press on Retry")


def press_anothers_retry(bridge: Deployment) -> None:
    """A stranger's press, which takes the control queue: only they are told, and nobody is asked."""
    operator = bridge.operator
    bridge.agent.force("fail at once")
    question = operator.say("@agent what's the weather in Quito today?")
    operator.until(lambda: operator.state(question) in ("failed", "interrupted"))
    runs = len(bridge.agent.invocations)
    press_as_a_stranger(bridge, question)
    operator.until(lambda: told_alone(bridge, seed.BOB.id))
    until_quiet(bridge)
    assert len(bridge.agent.invocations) == runs
    bridge.said.append("told a stranger who pressed Retry, and nobody else, that they may not")


def read_the_audit_log(bridge: Deployment) -> None:
    """Who asked and who pressed what was not theirs is in a log group of its own."""
    logs, group = bridge.cloud.client("logs"), bridge.outputs["AuditLogGroup"]
    events = logs.filter_log_events(logGroupName=group)["events"]
    seen = {(one["person"], one["verdict"]) for one in (json.loads(event["message"]) for event in events)}
    assert {(seed.ALICE.id, "answered"), (seed.BOB.id, "press_refused")} <= seen, seen
    bridge.said.append("recorded for a year who asked and who pressed")


def press_as_a_stranger(bridge: Deployment, question: dict[str, Any]) -> None:
    [reply] = bridge.operator.replies(question)
    place = {"channel": question["channel"], "ts": reply["ts"]}
    bridge.operator.control("press", **place, user="bob", action_id="retry")


def told_alone(bridge: Deployment, user: str) -> list[str]:
    """What somebody was told that nobody else sees."""
    calls = [call for call in bridge.slack.web_api.calls if call.method == "chat.postEphemeral"]
    return [call.args["text"] for call in calls if call.args["user"] == user]


def send_forgeries(bridge: Deployment) -> None:
    runs = len(bridge.agent.invocations)
    event = {"type": "app_mention", "user": seed.ALICE.id, "text": "<@U0AGENT01> hello", "ts": "1.2"}
    for signed in ("none", "stale", "forged"):
        answer = bridge.operator.control("events", event=event, signed=signed)
        assert answer["statuses"] == [401], answer
    assert len(bridge.agent.invocations) == runs
    assert _waiting(bridge) == 0
    bridge.said.append("refused 3 forged requests")


def deliver_twice(bridge: Deployment) -> None:
    operator, runs = bridge.operator, len(bridge.agent.invocations)
    question = operator.say("@agent what's the weather in Rome today?")
    _until_answered(bridge, question)
    [event_id] = question["event_ids"]
    assert operator.control("redeliver", event_id=event_id)["statuses"] == [200]
    until_quiet(bridge)
    assert len(operator.replies(question)) == 1
    assert len(bridge.agent.invocations) == runs + 1
    bridge.said.append("ran the agent once for an event that came twice")


def listen_to_the_heartbeat(bridge: Deployment) -> None:
    """What the schedule runs each hour, a moment earlier: it asks Slack who the app is."""
    before = len(bridge.slack.web_api.calls)
    beat(bridge)
    assert "auth.test" in {call.method for call in bridge.slack.web_api.calls[before:]}
    [rule] = bridge.cloud.client("events").list_rules()["Rules"]
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    cloudwatch = bridge.cloud.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]  # without those on expressions
    assert {tuple(alarm["AlarmActions"]) for alarm in alarms} == {(bridge.outputs["AlarmTopicArn"],)}
    [dashboard] = cloudwatch.list_dashboards()["DashboardEntries"]
    assert dashboard["DashboardName"] == bridge.outputs["DashboardName"]
    bridge.said.append(f"beat once, under {len(alarms)} alarms and a dashboard")


def beat(bridge: Deployment) -> None:
    functions, name = bridge.cloud.client("lambda"), bridge.resource("HeartbeatFunction")
    answer = functions.invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def update_under_load(bridge: Deployment) -> None:
    """Another setting and other code, while questions are asked, on the queue and being answered."""
    checkout, operator = bridge.checkout, bridge.operator
    checkout.write("bridge.toml", bridge_toml(notify_after_seconds=900))
    checkout.write("functions/__init__.py", '"""Another version of the code."""\n')
    before = _code_of(bridge, "WorkerFunction")
    questions = []
    with _repeatedly(lambda: questions.append(operator.say("@agent what's the weather in Berlin today?"))):
        bridge.deploy()
    assert _code_of(bridge, "WorkerFunction") != before, "the worker still runs the old code"
    # The emulator ends the functions that run when they are updated, which Lambda does not. A message whose
    # worker has not hidden it for its lease by then comes again after the queue's visibility timeout. One
    # whose agent was asked ends as interrupted.
    patience = wiring.QUESTIONS.visibility_timeout + PATIENCE
    operator.until(
        lambda: all(operator.state(question) in ("answered", "interrupted") for question in questions),
        patience=patience,
    )
    answered = 0
    for question in questions:
        [reply] = operator.replies(question)
        text = reply["blocks"][0]["text"]
        if operator.state(question) == "answered":
            answered += 1
            assert "In **Berlin** expect" in text
        else:
            assert "Something went wrong on our side while the agent was working on this." in text
    assert answered, "no question was answered"
    bridge.said.append(f"told of {len(questions)} questions once each across an update, {answered} answered")


def lose_a_question(bridge: Deployment) -> None:
    question = hand_to_dead_letters(bridge)
    bridge.operator.until(lambda: bridge.operator.state(question) == "failed")
    assert "Retry" in json.dumps(bridge.operator.replies(question))
    bridge.said.append("explained one that the worker never finished")


def hand_to_dead_letters(bridge: Deployment) -> dict[str, Any]:
    """Ask a question that no worker gets; it goes to the dead letters, as after its last receive."""
    operator, sqs, functions = bridge.operator, bridge.cloud.client("sqs"), bridge.cloud.client("lambda")
    mapping = bridge.resource("WorkerMessages")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    question = operator.say("@agent what's the weather in Paris today?")
    url = bridge.outputs["QueueUrl"]
    [message] = operator.until(
        lambda: sqs.receive_message(QueueUrl=url, AttributeNames=["All"], WaitTimeSeconds=1).get("Messages")
    )
    sqs.send_message(
        QueueUrl=bridge.outputs["DeadLetterQueueUrl"],
        MessageBody=message["Body"],
        MessageGroupId=message["Attributes"]["MessageGroupId"],
        MessageDeduplicationId=message["Attributes"]["MessageDeduplicationId"],
    )
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    functions.update_event_source_mapping(UUID=mapping, Enabled=True)
    return question


def destroy(bridge: Deployment) -> None:
    audit = bridge.outputs["AuditLogGroup"]
    bridge.checkout.run("npx", "--no-install", "cdk", "destroy", "--all", "--force")
    left = inventory(bridge.cloud) - bridge.bootstrapped
    assert left == {f"logs {audit}"}, f"left behind: {sorted(left)}"
    bridge.said.append("destroyed it and left nothing behind but the audit log and CDK's own bootstrap stack")


STEPS: tuple[Callable[[Deployment], None], ...] = (
    bootstrap,
    ask_for_more_than_the_account_has,
    deploy,
    ask_each_kind_of_agent,
    press_retry,
    press_anothers_retry,
    read_the_audit_log,
    listen_to_the_heartbeat,
    send_forgeries,
    deliver_twice,
    update_under_load,
    lose_a_question,
    destroy,
)


def inventory(cloud: Cloud) -> set[str]:
    """Everything in the account that a stack of ours may have made, as "kind name"."""
    listed: list[tuple[str, str, str, str]] = [
        ("logs", "describe_log_groups", "logGroups", "logGroupName"),
        ("secretsmanager", "list_secrets", "SecretList", "Name"),
        ("iam", "list_roles", "Roles", "RoleName"),
        ("lambda", "list_functions", "Functions", "FunctionName"),
        ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        ("apigatewayv2", "get_apis", "Items", "Name"),
        ("s3", "list_buckets", "Buckets", "Name"),
        ("cloudformation", "describe_stacks", "Stacks", "StackName"),
        ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        ("events", "list_rules", "Rules", "Name"),
        ("sns", "list_topics", "Topics", "TopicArn"),
    ]
    found = set()
    for service, operation, member, name in listed:
        answer = getattr(cloud.client(service), operation)()
        found |= {f"{service} {one[name]}" for one in answer[member]}
    found |= {f"dynamodb {name}" for name in cloud.client("dynamodb").list_tables()["TableNames"]}
    found |= {f"sqs {url}" for url in cloud.client("sqs").list_queues().get("QueueUrls", [])}
    return found


def _waiting(bridge: Deployment) -> int:
    """How many messages are on the queues, in flight ones too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    sqs, total = bridge.cloud.client("sqs"), 0
    for output in ("QueueUrl", "ControlQueueUrl", "DeadLetterQueueUrl"):
        counts = sqs.get_queue_attributes(QueueUrl=bridge.outputs[output], AttributeNames=names)
        total += sum(int(count) for count in counts["Attributes"].values())
    return total


def _until_answered(bridge: Deployment, question: dict[str, Any]) -> None:
    bridge.operator.until(lambda: bridge.operator.state(question) == "answered")


def until_quiet(bridge: Deployment, *, patience: float = PATIENCE) -> None:
    """Wait until no message is on a queue, for `patience` seconds at most."""
    bridge.operator.until(lambda: _waiting(bridge) == 0, patience=patience)


def _code_of(bridge: Deployment, function: str) -> Any:
    name = bridge.resource(function)
    return bridge.cloud.client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"]


@contextmanager
def _repeatedly(call: Callable[[], object], seconds: float = 3.0) -> Iterator[None]:
    """Make `call` every so many seconds, in a thread, as long as the block runs; at least once."""
    over = threading.Event()

    def work() -> None:
        call()
        while not over.wait(seconds):
            call()

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            yield
        finally:
            over.set()
            working.result()
