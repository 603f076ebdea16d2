from dataclasses import replace
from pathlib import Path

import pytest

from config.bridge_toml import (
    Alarms,
    Config,
    ConfigError,
    Deployment,
    Queues,
    Receiver,
    SampleAgent,
    Worker,
    read_config,
)
from functions.bridge.admission.access import OPEN, AccessRules, SharedChannels
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.admission.slots import Fairness
from functions.bridge.agents.tools import Tool
from functions.bridge.conversation import ConversationOptions
from functions.bridge.replies.options import ReplyOptions, Style
from functions.settings import AgentMemory, AgentSettings, MemoryBy, Settings

ROOT = Path(__file__).parents[2]

SMALLEST = """
name = "agent-bridge"
[agents.default]
kind = "bedrock-agent"
agent_id = "ABCDEFGHIJ"
alias_id = "TSTALIASID"
"""


def read(folder: Path, text: str) -> Config:
    path = folder / "bridge.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        read(folder, text)
    return raised.value.problems


def test_default_file_says_what_the_defaults_are() -> None:
    config = read_config(ROOT / "bridge.toml")
    assert config.sample == "harness"
    assert config.settings == Settings()
    assert config.sample_agent == SampleAgent()
    assert config.region is None
    assert config.worker == Worker()


def test_smallest_file_gets_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, SMALLEST) == Config(
        name="agent-bridge",
        settings=Settings(
            agents={
                "default": AgentSettings(
                    "bedrock-agent", agent_id="ABCDEFGHIJ", alias_id="TSTALIASID", approval_seconds=600
                )
            },
            routes={},
            reply=ReplyOptions(style=Style.AUTO, show_rationale=False, notify_after_seconds=60),
        ),
        sample="none",
        region=None,
        worker=Worker(timeout_seconds=300, max_concurrency=20),
    )


def test_every_setting_is_read(tmp_path: Path) -> None:
    text = """
        name = "Weather2"
        region = "eu-central-1"
        termination_protection = true
        tracing = true
        sample = "none"
        [agents.default]
        kind = "bedrock-agent"
        agent_id = "0123456789"
        alias_id = "abcdefghij"
        approvers = ["U0123456789", "S0123456789", "W0123456789"]
        approval_seconds = 39600
        [reply]
        style = "stream"
        show_rationale = true
        notify_after_seconds = 120
        max_messages = 3
        link_hosts = ["example.com", "docs.example.org"]
        [access]
        guests = true
        channels = ["C0123456789", "dm"]
        users = ["U0123456789", "W0123456789"]
        deny_users = ["U9876543210"]
        direct_messages = false
        shared_channels = "answer"
        [agents.default.tools]
        send_email = "arn:aws:lambda:eu-central-1:123456789012:function:send-email:live"
        look_up = { function = "arn:aws:lambda:us-east-1:210987654321:function:look_up", approve = false }
        ask_a_person = "decision"
        [agents.default.access]
        users = ["U0123456789"]
        [fairness]
        running_per_user = 1
        waiting_per_user = 100
        running_per_channel = 1000
        questions_per_minute = 600
        [worker]
        timeout_seconds = 1800
        max_concurrency = 2
        [receiver]
        reserved_concurrency = 10
        [queues]
        senders = ["arn:aws:iam::123456789012:role/operator"]
        [alarms]
        email = "bot@example.com"
        [deployment]
        tags = { team = "assistants", "cost-center" = "12 34" }
        permissions_boundary = "arn:aws:iam::123456789012:policy/of/all/boundary"
        qualifier = "acme1"
    """
    assert read(tmp_path, text) == Config(
        name="Weather2",
        region="eu-central-1",
        settings=Settings(
            agents={
                "default": AgentSettings(
                    "bedrock-agent",
                    agent_id="0123456789",
                    alias_id="abcdefghij",
                    access=replace(OPEN, users=("U0123456789",)),
                    approvers=Approvers(
                        ApproverRule.LISTED, users=("U0123456789", "W0123456789"), groups=("S0123456789",)
                    ),
                    approval_seconds=39_600,
                    tools={
                        "send_email": Tool(
                            "arn:aws:lambda:eu-central-1:123456789012:function:send-email:live"
                        ),
                        "look_up": Tool(
                            "arn:aws:lambda:us-east-1:210987654321:function:look_up", approve=False
                        ),
                        "ask_a_person": Tool(),
                    },
                )
            },
            reply=ReplyOptions(
                style=Style.STREAM,
                show_rationale=True,
                notify_after_seconds=120,
                max_messages=3,
                link_hosts=("example.com", "docs.example.org"),
            ),
            access=AccessRules(
                guests=True,
                channels=("C0123456789", "dm"),
                users=("U0123456789", "W0123456789"),
                deny_users=("U9876543210",),
                direct_messages=False,
                shared_channels=SharedChannels.ANSWER,
            ),
            fairness=Fairness(
                running_per_user=1,
                waiting_per_user=100,
                running_per_channel=1000,
                questions_per_minute=600,
            ),
        ),
        receiver=Receiver(reserved_concurrency=10),
        queues=Queues(("arn:aws:iam::123456789012:role/operator",)),
        alarms=Alarms("bot@example.com"),
        deployment=Deployment(
            {"team": "assistants", "cost-center": "12 34"},
            "arn:aws:iam::123456789012:policy/of/all/boundary",
            "acme1",
        ),
        worker=Worker(timeout_seconds=1800, max_concurrency=2),
        tracing=True,
        termination_protection=True,
    )


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-4"])
def test_regions_of_every_partition_are_allowed(tmp_path: Path, region: str) -> None:
    assert read(tmp_path, f'region = "{region}"\n{SMALLEST}').region == region


def test_the_files_region_goes_before_that_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(SMALLEST)
    assert read_config(path, cli_region="eu-west-1").region == "eu-west-1"
    path.write_text(f'region = "us-west-2"\n{SMALLEST}')
    assert read_config(path, cli_region="eu-west-1").region == "us-west-2"


def test_a_region_without_the_samples_service_is_refused_and_others_are_named(tmp_path: Path) -> None:
    text = 'name = "agent-bridge"\nregion = "eu-south-1"\nsample = "harness"'
    (problem,) = problems(tmp_path, text)
    start, _, regions = problem.partition(": ap-")
    assert start == (
        'region is "eu-south-1"; allowed: with sample = "harness" a region that has AgentCore\'s harness'
    )
    assert "eu-central-1, " in regions
    assert "eu-south-1" not in regions
    assert read(tmp_path, text.replace("harness", "classic")).region == "eu-south-1"


def test_a_region_of_the_command_line_is_refused_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text('name = "agent-bridge"\nsample = "classic"')
    with pytest.raises(ConfigError) as raised:
        read_config(path, cli_region="af-south-1")
    (problem,) = raised.value.problems
    assert problem.startswith(
        'region is missing, and the AWS CLI\'s is "af-south-1"; '
        'allowed: with sample = "classic" a region that has Amazon Bedrock agents: ap-northeast-1, '
    )


def test_without_a_sample_every_region_is_allowed(tmp_path: Path) -> None:
    assert read(tmp_path, f'region = "af-south-1"\n{SMALLEST}').region == "af-south-1"


def test_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read_config(tmp_path / "bridge.toml")
    assert str(raised.value) == "bridge.toml: there is no such file; it says which agent answers"


def test_text_that_is_not_toml_is_reported_with_its_place(tmp_path: Path) -> None:
    assert problems(tmp_path, "name = agent") == ("is not TOML: Invalid value (at line 1, column 8)",)


def test_text_that_is_not_utf_8_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigError, match=r"^bridge\.toml: is not TOML: 'utf-8' codec"):
        read_config(tmp_path / "bridge.toml")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_bytes(b"\xef\xbb\xbf" + SMALLEST.encode())
    assert read_config(tmp_path / "bridge.toml").name == "agent-bridge"


def test_a_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").mkdir()
    with pytest.raises(ConfigError) as raised:
        read_config(tmp_path / "bridge.toml")
    assert str(raised.value) == "bridge.toml: cannot be read: Is a directory"


@pytest.mark.parametrize("depth", [200, 100_000])
@pytest.mark.parametrize(("before", "after"), [("[", "]"), ("{a=", "}")])
def test_deep_nesting_is_refused(tmp_path: Path, depth: int, before: str, after: str) -> None:
    [problem] = problems(tmp_path, f"name = {before * depth}1{after * depth}{SMALLEST.partition('[')[2]}")
    assert problem.startswith(("name is ", "is nested too deeply", "is not TOML: "))
    assert len(problem) < 1000


def test_deep_tables_are_refused(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, f"{SMALLEST}[worker.{'a.' * 5000}b]")
    assert problem.startswith(("worker.a is not a setting", "is nested too deeply"))


@pytest.mark.parametrize(
    ("digits", "problem"), [(4000, "worker.timeout_seconds is 9"), (5000, "has a number of")]
)
def test_numbers_without_end_are_refused(tmp_path: Path, digits: int, problem: str) -> None:
    [found] = problems(tmp_path, f"{SMALLEST}[worker]\ntimeout_seconds = {'9' * digits}")
    assert found.startswith(problem)
    assert len(found) < 700


KIND = 'allowed: "bedrock-agent" or "agentcore-harness" or "agentcore-runtime"'
HERE = (
    "allowed here: name, region, sample, agents, sample_agent, routes, reply, conversation, access, "
    "fairness, app, receiver, worker, queues, alarms, deployment, tracing, termination_protection"
)
CHANNEL = 'allowed: the id of a channel, such as "C0123456789", or "dm" for direct messages'
OTHER_ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/finops-A1b2C3d4E5"


NAME = 'allowed: up to 40 letters, digits and single hyphens, the first a letter, and no "-sample" at the end'


def test_empty_file_is_told_what_is_missing(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == (
        f"name is missing; {NAME}",
        f"agents.default.kind is missing; {KIND}",
    )


TIMEOUT = "allowed: a whole number from 60 to 1800"
CONCURRENCY = "allowed: a whole number from 2 to 1000"
BEDROCK_ID = "allowed: exactly 10 letters and digits"
HARNESS_ARN = (
    'allowed: the whole ARN of a harness, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:harness/NAME-ID"'
)
RUNTIME_ARN = (
    'allowed: the whole ARN of a runtime, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:runtime/NAME-ID"'
)


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ('name = "agent-bridge"', 'name = "agent_bridge"', f'name is "agent_bridge"; {NAME}'),
        ('name = "agent-bridge"', 'name = "1bridge"', f'name is "1bridge"; {NAME}'),
        ('name = "agent-bridge"', 'name = "brücke"', f'name is "brücke"; {NAME}'),
        ('name = "agent-bridge"', 'name = ""', f'name is ""; {NAME}'),
        ('name = "agent-bridge"', 'name = "a--b"', f'name is "a--b"; {NAME}'),
        (
            'name = "agent-bridge"',
            'name = "agent-bridge-sample"',
            f'name is "agent-bridge-sample"; {NAME}',
        ),
        ('name = "agent-bridge"', "name = 7", f"name is 7; {NAME}"),
        ('name = "agent-bridge"', f'name = "{"a" * 41}"', f'name is "{"a" * 41}"; {NAME}'),
        (
            '"bedrock-agent"',
            '"bedrock"',
            f'agents.default.kind is "bedrock"; {KIND}',
        ),
        (
            '"bedrock-agent"',
            "[]",
            f"agents.default.kind is []; {KIND}",
        ),
        ('"ABCDEFGHIJ"', '"ABCDEFGHI"', f'agents.default.agent_id is "ABCDEFGHI"; {BEDROCK_ID}'),
        ('"ABCDEFGHIJ"', '"ABCDEFGHIJK"', f'agents.default.agent_id is "ABCDEFGHIJK"; {BEDROCK_ID}'),
        ('"ABCDEFGHIJ"', '"ABCDEFGH-J"', f'agents.default.agent_id is "ABCDEFGH-J"; {BEDROCK_ID}'),
        ('"ABCDEFGHIJ"', '"ABCDEFGHI\\n"', f'agents.default.agent_id is "ABCDEFGHI\\n"; {BEDROCK_ID}'),
        ('"TSTALIASID"', '"draft"', f'agents.default.alias_id is "draft"; {BEDROCK_ID}'),
        ('"TSTALIASID"', "1234567890", f"agents.default.alias_id is 1234567890; {BEDROCK_ID}"),
    ],
)
def test_wrong_value_is_named_with_its_key_and_what_is_allowed(
    tmp_path: Path, good: str, bad: str, problem: str
) -> None:
    assert problems(tmp_path, SMALLEST.replace(good, bad)) == (problem,)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            'region = "us-east"',
            'region is "us-east"; allowed: the name of an AWS region, such as "us-east-1"',
        ),
        ("region = 1", 'region is 1; allowed: the name of an AWS region, such as "us-east-1"'),
        ('sample = "best"', 'sample is "best"; allowed: "none" or "harness" or "classic"'),
        (
            'sample = "harness"',
            'agents.default is the sample agent\'s name (sample = "harness"); '
            'allowed: another name, or sample = "none"',
        ),
        (
            '[agents.finops]\nkind = "agentcore-harness"\narn = "finops"',
            f'agents.finops.arn is "finops"; {HARNESS_ARN}',
        ),
        (
            f'[agents.finops]\nkind = "agentcore-runtime"\narn = "{OTHER_ARN}"',
            f'agents.finops.arn is "{OTHER_ARN}"; {RUNTIME_ARN}',
        ),
        (
            '[[routes]]\nchannel = "general"\nagent = "default"',
            f'routes[1].channel is "general"; {CHANNEL}',
        ),
        (
            '[[routes]]\nchannel = "C0123456789"\nagent = "finops"',
            'routes[1].agent is "finops"; allowed: "default"',
        ),
        ("routes = 1", "routes is 1; allowed: tables, each under [[routes]]"),
        ("reply = true", "reply is true; allowed: a table"),
        ("[[worker]]", "worker is a list of tables; allowed: a table"),
        ('[reply]\nstyle = "morse"', 'reply.style is "morse"; allowed: "auto" or "edit" or "stream"'),
        (
            "[reply]\nnotify_after_seconds = 9",
            "reply.notify_after_seconds is 9; allowed: a whole number from 10 to 900",
        ),
        (
            "[access]\nguests = 1",
            "access.guests is 1; allowed: true or false",
        ),
        (
            '[access]\nshared_channels = "partners"',
            'access.shared_channels is "partners"; allowed: "refuse" or "answer"',
        ),
        (
            '[access]\nusers = ["alice"]',
            'access.users is ["alice"]; allowed: a list, each entry the id of a person, '
            'such as "U0123456789"',
        ),
        (
            '[access]\nchannels = ["general"]',
            'access.channels is ["general"]; allowed: a list, each entry the id of a channel, '
            'such as "C0123456789", or "dm" for direct messages',
        ),
        (
            "[agents.default.access]\nguest = true",
            "agents.default.access.guest is not a setting; allowed here: guests, channels, users, "
            "deny_users, direct_messages, shared_channels",
        ),
        (
            "[fairness]\nrunning_per_user = 0",
            "fairness.running_per_user is 0; allowed: a whole number from 1 to 100",
        ),
        ("[reply]\nmax_messages = 0", "reply.max_messages is 0; allowed: a whole number from 1 to 50"),
        (
            '[reply]\nlink_hosts = ["https://example.com"]',
            'reply.link_hosts is ["https://example.com"]; allowed: a list, each entry a host in small '
            'letters, such as "example.com", which stands for what is below it too',
        ),
        ('[reply]\nshow_rationale = "no"', 'reply.show_rationale is "no"; allowed: true or false'),
        ("[reply]\nshow_rationale = 1", "reply.show_rationale is 1; allowed: true or false"),
        ("[worker]\ntimeout_seconds = 59", f"worker.timeout_seconds is 59; {TIMEOUT}"),
        ("[worker]\ntimeout_seconds = 1801", f"worker.timeout_seconds is 1801; {TIMEOUT}"),
        ("[worker]\ntimeout_seconds = 300.0", f"worker.timeout_seconds is 300.0; {TIMEOUT}"),
        ('[worker]\ntimeout_seconds = "300"', f'worker.timeout_seconds is "300"; {TIMEOUT}'),
        ("[worker]\ntimeout_seconds = true", f"worker.timeout_seconds is true; {TIMEOUT}"),
        ("[worker]\ntimeout_seconds = 2026-11-01", f'worker.timeout_seconds is "2026-11-01"; {TIMEOUT}'),
        (
            "[receiver]\nreserved_concurrency = 0",
            "receiver.reserved_concurrency is 0; allowed: a whole number from 1 to 1000",
        ),
        (
            '[queues]\nsenders = ["arn:aws:iam::123456789012:user/alice"]',
            'queues.senders is ["arn:aws:iam::123456789012:user/alice"]; allowed: a list, each entry '
            'the ARN of a role, "arn:aws:iam::ACCOUNT:role/NAME"',
        ),
        (
            '[alarms]\nemail = "bot"',
            'alarms.email is "bot"; allowed: an e-mail address, such as "bot-operators@example.com"',
        ),
        (
            '[deployment]\ntags = { "aws:team" = "x" }',
            "deployment.tags.aws:team is not a name for a tag; allowed: up to 128 letters, digits, spaces "
            'and . : / = + - @ _, and no "aws:" at the beginning',
        ),
        (
            "[deployment]\ntags = { team = 1 }",
            "deployment.tags.team is 1; allowed: up to 256 letters, digits, spaces and . : / = + - @ _",
        ),
        (
            '[deployment]\npermissions_boundary = "boundary"',
            'deployment.permissions_boundary is "boundary"; allowed: the ARN of a policy, '
            '"arn:aws:iam::ACCOUNT:policy/NAME"',
        ),
        (
            '[deployment]\nqualifier = "much-too-long"',
            'deployment.qualifier is "much-too-long"; allowed: up to 10 small letters and digits',
        ),
        ("termination_protection = 1", "termination_protection is 1; allowed: true or false"),
        ("[worker]\nmax_concurrency = 1", f"worker.max_concurrency is 1; {CONCURRENCY}"),
        ("[worker]\nmax_concurrency = 1001", f"worker.max_concurrency is 1001; {CONCURRENCY}"),
    ],
)
def test_wrong_optional_value_is_named_too(tmp_path: Path, line: str, problem: str) -> None:
    text = f"{line}\n{SMALLEST}" if not line.startswith("[") else f"{SMALLEST}\n{line}"
    assert problems(tmp_path, text) == (problem,)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "nmae = 1",
            f"nmae is not a setting; {HERE}",
        ),
        (
            "[wroker]",
            f"wroker is not a setting; {HERE}",
        ),
        (
            "[agents.default.model]",
            "agents.default.model is not a setting; allowed here: kind, agent_id, alias_id, region, "
            "idle_seconds, role_arn, external_id, memory, channels, description, approvers, "
            "approval_seconds, tools, access",
        ),
        (
            "[reply]\nsytle = 1",
            "reply.sytle is not a setting; allowed here: style, show_rationale, notify_after_seconds, "
            "max_messages, link_hosts",
        ),
        (
            "[worker]\ntimeout = 300",
            "worker.timeout is not a setting; allowed here: timeout_seconds, max_concurrency",
        ),
    ],
)
def test_unknown_key_is_refused_with_the_known_ones(tmp_path: Path, line: str, problem: str) -> None:
    text = f"{line}\n{SMALLEST}" if not line.startswith("[") else f"{SMALLEST}\n{line}"
    assert problems(tmp_path, text) == (problem,)


def test_all_problems_are_reported_at_once_with_the_name_of_the_file(tmp_path: Path) -> None:
    text = SMALLEST.replace("TSTALIASID", "draft") + "[worker]\ntimeout_seconds = 5\nmemory = 1"
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert str(raised.value).splitlines() == [
        f'bridge.toml: agents.default.alias_id is "draft"; {BEDROCK_ID}',
        f"bridge.toml: worker.timeout_seconds is 5; {TIMEOUT}",
        "bridge.toml: worker.memory is not a setting; allowed here: timeout_seconds, max_concurrency",
    ]


def test_agents_of_every_kind_are_read(tmp_path: Path) -> None:
    text = f"""{SMALLEST}
        [agents.finops]
        kind = "agentcore-harness"
        arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/finops-A1b2C3d4E5"
        description = "what we spend"
        channels = ["C0123456789", "dm"]
        timeout_seconds = 300
        max_iterations = 75
        max_tokens = 20000
        [agents.sales]
        kind = "agentcore-runtime"
        stop_session = true
        arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/sales-A1b2C3d4E5"
        qualifier = "prod"
        tell_user_id = true
        memory_by = "person"
        memory = "agent"
        idle_seconds = 28800
        role_arn = "arn:aws:iam::210987654321:role/sales-caller"
        external_id = "42"
        [[routes]]
        channel = "C0123456789"
        agent = "finops"
        [[routes]]
        channel = "dm"
        agent = "sales"
    """
    config = read(tmp_path, text)
    assert config.settings.routes == {"C0123456789": "finops", "dm": "sales"}
    assert config.settings.agents == {
        "default": AgentSettings(
            "bedrock-agent", agent_id="ABCDEFGHIJ", alias_id="TSTALIASID", approval_seconds=600
        ),
        "finops": AgentSettings(
            "agentcore-harness",
            arn="arn:aws:bedrock-agentcore:us-east-1:123456789012:harness/finops-A1b2C3d4E5",
            timeout_seconds=300,
            max_iterations=75,
            max_tokens=20000,
            channels=("C0123456789", "dm"),
            description="what we spend",
        ),
        "sales": AgentSettings(
            "agentcore-runtime",
            arn="arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/sales-A1b2C3d4E5",
            qualifier="prod",
            tell_user_id=True,
            memory=AgentMemory.AGENT,
            memory_by=MemoryBy.PERSON,
            idle_seconds=28800,
            stop_session=True,
            role_arn="arn:aws:iam::210987654321:role/sales-caller",
            external_id="42",
        ),
    }


ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:bedrock-agentcore:ap-southeast-4:{ACCOUNT}:harness/{'a' * 40}-A1b2C3d4E5",
        f"arn:aws-us-gov:bedrock-agentcore:us-gov-west-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws-cn:bedrock-agentcore:cn-north-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws-eusc:bedrock-agentcore:eusc-de-east-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
    ],
)
def test_an_agent_may_be_in_any_region_also_in_another_than_the_bridge(tmp_path: Path, arn: str) -> None:
    text = f'region = "us-east-1"\n{SMALLEST}[agents.finops]\nkind = "agentcore-harness"\narn = "{arn}"'
    assert read(tmp_path, text).settings.agents["finops"].arn == arn


RUNTIME = f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:runtime/sales-A1b2C3d4E5"
HARNESS = f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:harness/finops-A1b2C3d4E5"


def endpoint(kind: str, arn: str, more: str = "") -> str:
    return f'{SMALLEST}[agents.finops]\nkind = "{kind}"\narn = "{arn}"\n{more}'


@pytest.mark.parametrize(
    ("kind", "arn", "between"),
    [
        ("agentcore-harness", HARNESS, "harness-endpoint"),
        ("agentcore-runtime", RUNTIME, "runtime-endpoint"),
    ],
)
@pytest.mark.parametrize(
    ("shown", "more", "qualifier"),
    [
        ("/prod", "", "prod"),
        ("/prod", 'qualifier = "prod"', "prod"),
        ("/DEFAULT", "", ""),
        ("", 'qualifier = "DEFAULT"', ""),
    ],
)
def test_an_arn_of_an_endpoint_as_the_console_shows_it_is_taken_apart(
    tmp_path: Path, kind: str, arn: str, between: str, shown: str, more: str, qualifier: str
) -> None:
    text = endpoint(kind, f"{arn}/{between}{shown}" if shown else arn, more)
    agent = read(tmp_path, text).settings.agents["finops"]
    assert (agent.arn, agent.qualifier) == (arn, qualifier)


def test_an_arn_of_an_endpoint_beside_another_qualifier_is_refused(tmp_path: Path) -> None:
    text = endpoint("agentcore-runtime", f"{RUNTIME}/runtime-endpoint/DEFAULT", 'qualifier = "prod"')
    assert problems(tmp_path, text) == (
        'agents.finops.qualifier is "prod"; allowed: "DEFAULT", with which the ARN ends, '
        "or an ARN without an endpoint",
    )


@pytest.mark.parametrize(
    "end", ["/harness-endpoint/prod", "/runtime-endpoint/", "/runtime-endpoint/1st", "/prod"]
)
def test_an_arn_of_something_else_within_a_runtime_is_refused(tmp_path: Path, end: str) -> None:
    assert problems(tmp_path, endpoint("agentcore-runtime", f"{RUNTIME}{end}")) == (
        f'agents.finops.arn is "{RUNTIME}{end}"; {RUNTIME_ARN}',
    )


def test_a_bedrock_agent_may_be_in_another_region(tmp_path: Path) -> None:
    assert read(tmp_path, f'{SMALLEST}region = "us-west-2"').settings.agents["default"].region == "us-west-2"
    assert problems(tmp_path, f'{SMALLEST}region = "the moon"') == (
        'agents.default.region is "the moon"; allowed: the name of an AWS region, such as "us-east-1"',
    )
    [problem] = problems(tmp_path, endpoint("agentcore-harness", HARNESS, 'region = "us-west-2"'))
    assert problem.startswith("agents.finops.region is not a setting")  # its ARN has one


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:awsfoo:bedrock-agentcore:us-east-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws-cn:bedrock-agentcore:us-gov-west-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws:bedrock-agentcore:us-gov-west-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws:bedrock-agentcore:cn-north-1:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws:bedrock-agentcore:nowhere:{ACCOUNT}:harness/finops-A1b2C3d4E5",
        f"arn:aws:bedrock-agentcore:us-east-1:{ACCOUNT}:harness/{'a' * 41}-A1b2C3d4E5",
        "arn:aws:bedrock-agentcore:us-east-1:12345678901:harness/finops-A1b2C3d4E5",
    ],
)
def test_an_arn_that_no_harness_can_have_is_refused(tmp_path: Path, arn: str) -> None:
    text = f'{SMALLEST}[agents.finops]\nkind = "agentcore-harness"\narn = "{arn}"'
    assert problems(tmp_path, text) == (f'agents.finops.arn is "{arn}"; {HARNESS_ARN}',)


def test_a_role_of_no_partition_is_refused(tmp_path: Path) -> None:
    text = SMALLEST + f'role_arn = "arn:awsfoo:iam::{ACCOUNT}:role/caller"'
    assert problems(tmp_path, text) == (
        f'agents.default.role_arn is "arn:awsfoo:iam::{ACCOUNT}:role/caller"; '
        'allowed: the ARN of a role, "arn:aws:iam::ACCOUNT:role/NAME"',
    )


@pytest.mark.parametrize(("kind", "found"), [('kind = "harness"', 'is "harness"'), ("", "is missing")])
def test_for_an_agent_of_unknown_kind_only_the_kind_is_reported(
    tmp_path: Path, kind: str, found: str
) -> None:
    text = f"""{SMALLEST}
        [agents.finops]
        {kind}
        arn = "{OTHER_ARN}"
        [[routes]]
        channel = "C0123456789"
        agent = "finops"
    """
    assert problems(tmp_path, text) == (f"agents.finops.kind {found}; {KIND}",)


def test_the_contents_of_a_misnamed_table_are_not_quoted(tmp_path: Path) -> None:
    role = f'role_arn = "arn:aws:iam::{ACCOUNT}:role/caller"\nexternal_id = "internal-42"\n'
    text = SMALLEST + SMALLEST.partition("\n[")[2].replace("agents.default", "\n[agents.Finops") + role
    assert problems(tmp_path, text) == (
        "agents.Finops is not a name for an agent; "
        'allowed: up to 30 small letters, digits and hyphens, and not "help"',
    )


def test_a_route_to_an_agent_that_may_not_answer_there_is_refused(tmp_path: Path) -> None:
    text = f"""{SMALLEST}
        [agents.finops]
        kind = "agentcore-harness"
        arn = "{OTHER_ARN}"
        channels = ["C0000000002"]
        [[routes]]
        channel = "C0000000001"
        agent = "finops"
    """
    assert problems(tmp_path, text) == (
        'routes[1].agent is "finops"; allowed: an agent that answers in C0000000001; '
        "agents.finops.channels has C0000000002 only",
    )
    assert read(tmp_path, text.replace("C0000000001", "C0000000002")).settings.routes == {
        "C0000000002": "finops"
    }


def test_a_route_may_lead_a_direct_message_to_an_agent_of_direct_messages(tmp_path: Path) -> None:
    text = SMALLEST + 'channels = ["dm"]\n[[routes]]\nchannel = "D0000000001"\nagent = "default"'
    assert read(tmp_path, text).settings.routes == {"D0000000001": "default"}


@pytest.mark.parametrize("name", ["Finops", "fin_ops", "help", "1st", "a" * 31])
def test_the_name_of_an_agent_can_be_written_in_front_of_a_question(tmp_path: Path, name: str) -> None:
    text = SMALLEST + SMALLEST.partition("\n[")[2].replace("agents.default", f"\n[agents.{name}")
    [problem] = problems(tmp_path, text)
    assert problem.startswith(f"agents.{name} is ")
    assert problem.endswith('up to 30 small letters, digits and hyphens, and not "help"')


def test_an_external_id_needs_a_role_and_a_channel_has_one_route(tmp_path: Path) -> None:
    route = '[[routes]]\nchannel = "C0123456789"\nagent = "default"\n'
    text = SMALLEST + 'external_id = "42"\n' + 2 * route
    assert problems(tmp_path, text) == (
        'agents.default.external_id is "42"; allowed: only together with role_arn',
        'routes[2].channel is "C0123456789"; allowed: one route for each channel',
    )


def test_with_a_sample_no_agent_is_needed(tmp_path: Path) -> None:
    config = read(tmp_path, 'name = "agent-bridge"\nsample = "classic"')
    assert (config.sample, config.settings.agents) == ("classic", {})


def test_the_sample_agent_has_settings_of_its_own(tmp_path: Path) -> None:
    text = """
        name = "agent-bridge"
        sample = "harness"
        [sample_agent]
        model = "eu.amazon.nova-2-lite-v1:0"
        memory = true
        geocoding_url = "https://weather.example.com:8443/v1/search"
        forecast_url = "https://weather.example.com/v1/forecast"
        marketplace = true
        guardrails = [
            "arn:aws:bedrock:eu-central-1:123456789012:guardrail/a1b2c3d4e5f6",
            "arn:aws:bedrock:eu-central-1:123456789012:guardrail-profile/eu.guardrail.v1:0",
        ]
    """
    assert read(tmp_path, text).sample_agent == SampleAgent(
        model="eu.amazon.nova-2-lite-v1:0",
        memory=True,
        geocoding_url="https://weather.example.com:8443/v1/search",
        forecast_url="https://weather.example.com/v1/forecast",
        marketplace=True,
        guardrails=(
            "arn:aws:bedrock:eu-central-1:123456789012:guardrail/a1b2c3d4e5f6",
            "arn:aws:bedrock:eu-central-1:123456789012:guardrail-profile/eu.guardrail.v1:0",
        ),
    )


def test_the_sample_agents_defaults_are_no_memory_and_the_free_service(tmp_path: Path) -> None:
    assert read(tmp_path, SMALLEST).sample_agent == SampleAgent(
        model="global.amazon.nova-2-lite-v1:0",
        memory=False,
        geocoding_url="",
        forecast_url="",
        marketplace=False,
        guardrails=(),
    )


@pytest.mark.parametrize(
    "model",
    [
        "amazon.nova-lite-v1:0",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "us-gov.anthropic.claude-3-haiku-20240307-v1:0",
        "zai.glm-4.7",
        "amazon.nova-lite-v1:0:300k",
    ],
)
def test_a_model_is_named_by_its_id(tmp_path: Path, model: str) -> None:
    assert read(tmp_path, f'{SMALLEST}[sample_agent]\nmodel = "{model}"').sample_agent.model == model


MODEL = 'allowed: the id of an inference profile or a model, such as "eu.amazon.nova-2-lite-v1:0"'
GUARDRAILS = (
    "allowed: a list, each entry the ARN of a guardrail or a guardrail profile, "
    '"arn:aws:bedrock:REGION:ACCOUNT:guardrail/ID"'
)
ADDRESS = "allowed: an https address with nothing behind its path: a key is a secret, and a template is none"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('model = "nova"', f'is "nova"; {MODEL}'),
        ('model = "Nova 2 Lite"', f'is "Nova 2 Lite"; {MODEL}'),
        ('model = ""', f'is ""; {MODEL}'),
        ("memory = 1", "is 1; allowed: true or false"),
        ('forecast_url = "http://example.com/v1"', f"is something else; {ADDRESS}"),
        ('forecast_url = "https://example.com/?apikey=1"', f"is something else; {ADDRESS}"),
        ('geocoding_url = "https://me:1@example.com"', f"is something else; {ADDRESS}"),
        ("marketplace = 1", "is 1; allowed: true or false"),
        ('guardrails = ["a1b2c3d4e5f6"]', f'is ["a1b2c3d4e5f6"]; {GUARDRAILS}'),
        (
            "models = 1",
            "is not a setting; "
            "allowed here: model, memory, geocoding_url, forecast_url, marketplace, guardrails",
        ),
    ],
)
def test_wrong_settings_of_the_sample_agent_are_named(tmp_path: Path, line: str, problem: str) -> None:
    key = line.partition(" ")[0]
    assert problems(tmp_path, f"{SMALLEST}[sample_agent]\n{line}") == (f"sample_agent.{key} {problem}",)


def test_a_bedrock_agent_as_the_sample_has_no_memory(tmp_path: Path) -> None:
    text = 'name = "agent-bridge"\nsample = "classic"\n[sample_agent]\nmemory = true'
    assert problems(tmp_path, text) == (
        'sample_agent.memory is true; allowed: true only with sample = "harness"',
    )


def sample(model: str, region: str) -> str:
    return f"""
        name = "agent-bridge"
        sample = "harness"
        region = "{region}"
        [sample_agent]
        model = "{model}"
    """


def test_a_model_that_would_not_answer_is_refused_with_one_that_does(tmp_path: Path) -> None:
    assert problems(tmp_path, sample("amazon.nova-2-lite-v1:0", "eu-central-1")) == (
        'sample_agent.model is "amazon.nova-2-lite-v1:0", which needs an inference profile in eu-central-1; '
        'allowed: "global.amazon.nova-2-lite-v1:0" or "eu.amazon.nova-2-lite-v1:0"',
    )


def test_the_default_model_is_refused_where_it_would_not_answer(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'name = "agent-bridge"\nsample = "harness"\nregion = "us-gov-west-1"')
    assert problem.startswith(
        'sample_agent.model is missing, and the default is "global.amazon.nova-2-lite-v1:0", which cannot be '
        'called from us-gov-west-1; allowed: "amazon.nova-pro-v1:0" or '
    )


def test_the_command_lines_region_decides_too(tmp_path: Path) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(sample("us.amazon.nova-2-lite-v1:0", "eu-west-1").replace('region = "eu-west-1"', ""))
    assert read_config(path).region is None
    with pytest.raises(ConfigError, match="which cannot be called from eu-west-1"):
        read_config(path, cli_region="eu-west-1")


def test_the_model_of_a_sample_that_is_not_deployed_is_not_checked(tmp_path: Path) -> None:
    text = f'{SMALLEST}[sample_agent]\nmodel = "amazon.nova-2-lite-v1:0"'
    assert read(tmp_path, text).sample_agent.model == "amazon.nova-2-lite-v1:0"


def test_a_harness_may_not_go_on_longer_than_the_worker_listens(tmp_path: Path) -> None:
    text = endpoint("agentcore-harness", HARNESS, "timeout_seconds = 301")
    assert problems(tmp_path, text) == (
        "agents.finops.timeout_seconds is 301; allowed: 300 at most, as worker.timeout_seconds",
    )
    longer = read(tmp_path, f"{text}\n[worker]\ntimeout_seconds = 301")
    assert longer.settings.agents["finops"].timeout_seconds == 301


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [
        ("timeout_seconds = 0", "1 to 3600"),
        ("max_iterations = 76", "1 to 75"),
        ("max_tokens = 0", "1 to 1000000"),
    ],
)
def test_a_harness_may_not_be_given_more_than_the_service_gives(
    tmp_path: Path, limit: str, allowed: str
) -> None:
    key, _, value = limit.partition(" = ")
    [problem] = problems(tmp_path, endpoint("agentcore-harness", HARNESS, limit))
    assert problem == f"agents.finops.{key} is {value}; allowed: a whole number from {allowed}"


@pytest.mark.parametrize(
    ("kind", "arn", "setting"),
    [
        ("agentcore-runtime", RUNTIME, "timeout_seconds = 60"),
        ("agentcore-harness", HARNESS, "stop_session = true"),
    ],
)
def test_a_setting_that_a_kind_does_not_have_is_refused(
    tmp_path: Path, kind: str, arn: str, setting: str
) -> None:
    [problem] = problems(tmp_path, endpoint(kind, arn, setting))
    assert problem.startswith(f"agents.finops.{setting.partition(' ')[0]} is not a setting")


def test_an_agent_without_rules_of_its_own_is_for_all_whom_the_bridge_lets_in(tmp_path: Path) -> None:
    settings = read(tmp_path, f"{SMALLEST}\n[access]\nguests = true").settings
    assert settings.access == AccessRules(guests=True)
    assert settings.agents["default"].access == OPEN


def test_what_agents_are_told_of_a_thread_can_be_set(tmp_path: Path) -> None:
    text = (
        f"{SMALLEST}[conversation]\nthread_context = false\ncontext_characters = 1000\n"
        'follow_ups = ["C0123456789", "dm"]'
    )
    follow_ups = ("C0123456789", "dm")
    expected = ConversationOptions(thread_context=False, context_characters=1000, follow_ups=follow_ups)
    assert read(tmp_path, text).settings.conversation == expected
    assert problems(tmp_path, f"{SMALLEST}[conversation]\ncontext_characters = 999") == (
        "conversation.context_characters is 999; allowed: a whole number from 1000 to 100000",
    )


def test_a_bedrock_agents_session_ends_after_ninety_idle_minutes_at_most(tmp_path: Path) -> None:
    assert read(tmp_path, f"{SMALLEST}idle_seconds = 5400").settings.agents["default"].idle_seconds == 5400
    assert problems(tmp_path, f"{SMALLEST}idle_seconds = 5401") == (
        "agents.default.idle_seconds is 5401; allowed: a whole number from 60 to 5400",
    )


def test_an_agent_remembers_as_long_as_its_session_or_by_itself(tmp_path: Path) -> None:
    assert problems(tmp_path, f'{SMALLEST}memory = "thread"') == (
        'agents.default.memory is "thread"; allowed: "session" or "agent"',
    )


def test_follow_ups_are_for_channels_and_for_so_many_as_the_receiver_can_be_told(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, f'{SMALLEST}[conversation]\nfollow_ups = ["D0123456789"]')
    assert problem.startswith("conversation.follow_ups")
    many = [f"C{number:010}" for number in range(101)]
    [problem] = problems(tmp_path, f"{SMALLEST}[conversation]\nfollow_ups = {many}")
    assert "100 channels at most" in problem
