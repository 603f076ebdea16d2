"""Reads bridge.toml, the operator's settings, into typed values.

All problems of the file are reported at once, each with its key, its value and what is allowed.
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.access import CHANNEL, read_access
from config.agents import ROLE_ARN, read_agent
from config.arns import REGION, REGIONS, arn_pattern
from config.models import DEFAULT_MODEL, problem_with
from config.regions import has_type, regions_with
from config.table import Table
from functions.bridge.admission.access import AccessRules
from functions.bridge.admission.slots import Fairness
from functions.bridge.agents.routing import DEFAULT_AGENT
from functions.bridge.channel_ids import channel_names
from functions.bridge.conversation import ConversationOptions
from functions.bridge.replies.options import ReplyOptions, Style
from functions.settings import AgentSettings, Settings

# A stack's name has letters, digits and hyphens, and begins with a letter. CloudFormation puts it in front of
# the names of functions and roles, which have 64 characters at most.
# docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html
# The names of the sample agent and its gateway allow no two hyphens in a row. A name that ends in "-sample"
# could be that of another bridge's sample stack, and each deployment would replace the other.
NAME = (
    r"(?!.*--)(?!.*-sample$)[A-Za-z][A-Za-z0-9-]{0,39}",
    'up to 40 letters, digits and single hyphens, the first a letter, and no "-sample" at the end',
)
# People write it in front of a question, as in "finops: what did we spend?".
AGENT_NAME = (r"(?!help$)[a-z][a-z0-9-]{0,29}", 'up to 30 small letters, digits and hyphens, and not "help"')

# `ModelIdentifier` in the service model of bedrock-agent, without ARNs.
MODEL = (
    r"[a-z0-9-]+(\.[a-zA-Z0-9-]+)+(:[a-z0-9-]+){0,2}",
    'the id of an inference profile or a model, such as "eu.amazon.nova-2-lite-v1:0"',
)
# `GuardrailArn` and `GuardrailCrossRegionGuardrailProfileArn` in the service model of bedrock.
GUARDRAIL = (
    arn_pattern("bedrock", r"(guardrail/[a-z0-9]+|guardrail-profile/[a-z0-9-]+\.guardrail\.v[0-9:]+)"),
    'the ARN of a guardrail or a guardrail profile, "arn:aws:bedrock:REGION:ACCOUNT:guardrail/ID"',
)
# Without user, query and fragment, which may hold a key.
ADDRESS = (
    r"https://[a-z0-9.-]+(:\d{1,5})?(/[\w.~-]+)*/?",
    "an https address with nothing behind its path: a key is a secret, and a template is none",
)

FOLLOW_UPS = (
    r"[CG][A-Z0-9]{2,20}|dm",
    'the id of a channel, such as "C0123456789", or "dm" for group direct messages',
)
# They stand in a variable of the receiver, and all variables of a function have 4 KB.
MOST_FOLLOW_UPS = 100
# docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TAG_NAME = (
    r"(?!(?i:aws:))[\w .:/=+@-]{1,128}",
    'up to 128 letters, digits, spaces and . : / = + - @ _, and no "aws:" at the beginning',
)
TAG_VALUE = (r"[\w .:/=+@-]{0,256}", "up to 256 letters, digits, spaces and . : / = + - @ _")
POLICY_ARN = (
    rf"arn:({'|'.join(REGIONS)}):iam::[0-9]{{12}}:policy/[\w+=,.@/-]{{1,512}}",
    'the ARN of a policy, "arn:aws:iam::ACCOUNT:policy/NAME"',
)
# docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
QUALIFIER = (r"[a-z0-9]{1,10}", "up to 10 small letters and digits")
EMAIL = (r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+", 'an e-mail address, such as "bot-operators@example.com"')

HOST = (
    r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+",
    'a host in small letters, such as "example.com", which stands for what is below it too',
)

# docs.slack.dev/reference/app-manifest: a name has 35 characters at most. That of the app for `bridge dev` is
# six longer.
APP_NAME = (r"(?!\s)[^\n\r]{1,29}(?<!\s)", "one line of up to 29 characters, without spaces around it")
APP_DESCRIPTION = (r"[^\n\r]{1,140}", "one line of up to 140 characters")

# The CloudFormation resource type of each sample agent, and its name in words.
SAMPLES = {
    "harness": ("AWS::BedrockAgentCore::Harness", "AgentCore's harness"),
    "classic": ("AWS::Bedrock::Agent", "Amazon Bedrock agents"),
}

CONFIG_FILE = "bridge.toml"


class ConfigError(Exception):
    """The file is wrong. The text has one line for each problem."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


@dataclass(frozen=True)
class App:
    """How the Slack app introduces itself."""

    name: str = "Agent"
    description: str = "Ask the agent a question: mention it in a channel, or write to it here."


@dataclass(frozen=True)
class Worker:
    """`timeout_seconds`: the limit of one answer. `max_concurrency`: the most answers at the same time."""

    timeout_seconds: int = 300
    max_concurrency: int = 20


@dataclass(frozen=True)
class Receiver:
    """`reserved_concurrency`: executions reserved for the receiver; None reserves none."""

    reserved_concurrency: int | None = None


@dataclass(frozen=True)
class Queues:
    """`senders`: ARNs of roles that may send besides the receiver, to redrive dead letters."""

    senders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alarms:
    """`email`: the address that the alarms write to; "" for none."""

    email: str = ""


@dataclass(frozen=True)
class Deployment:
    """What an organization asks of every stack.

    Attributes:
        tags: of every resource that can have tags.
        permissions_boundary: the ARN of a managed policy, which every role gets as its boundary; "" for none.
        qualifier: the CDK's, by which its bootstrap resources are named; "" for the usual one.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: str = ""
    qualifier: str = ""


@dataclass(frozen=True)
class SampleAgent:
    """The settings of the sample agent.

    Attributes:
        model: the id of an inference profile or a foundation model.
        memory: whether the harness has long-term memory, for which AgentCore charges.
        geocoding_url, forecast_url: where its tools find Open-Meteo; "" for the free service.
        marketplace: whether a call of the model may subscribe the account to it.
        guardrails: ARNs of guardrails, and their profiles, that the account or its organization enforces.
    """

    model: str = DEFAULT_MODEL
    memory: bool = False
    geocoding_url: str = ""
    forecast_url: str = ""
    marketplace: bool = False
    guardrails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """The whole file.

    Attributes:
        name: the name of the stack.
        settings: what the functions read.
        sample: the kind of sample agent, "harness" or "classic", which becomes the agent "default"; or
        "none". region: None where neither the file nor the CDK's command line names one.
        tracing: whether X-Ray traces the functions.
        termination_protection: whether CloudFormation refuses to delete the bridge's stack.
    """

    name: str
    settings: Settings
    sample: str = "none"
    sample_agent: SampleAgent = SampleAgent()
    region: str | None = None
    app: App = App()
    receiver: Receiver = Receiver()
    worker: Worker = Worker()
    queues: Queues = Queues()
    alarms: Alarms = Alarms()
    deployment: Deployment = Deployment()
    tracing: bool = False
    termination_protection: bool = False


def read_config(path: Path, *, cli_region: str | None = None) -> Config:
    """Read and check the file at `path`. Raises ConfigError.

    `cli_region`: the region of the CDK's command line, for a file that names none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors write a byte order mark
        return check(tomllib.loads(text), file=path.name, cli_region=cli_region)
    except FileNotFoundError:
        raise ConfigError(path.name, ["there is no such file; it says which agent answers"]) from None
    except OSError as error:
        raise ConfigError(path.name, [f"cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path.name, [f"is not TOML: {error}"]) from error
    except ValueError as error:  # Python refuses numbers of more than 4300 digits
        raise ConfigError(path.name, ["has a number of more than 4300 digits"]) from error
    except RecursionError as error:
        raise ConfigError(path.name, ["is nested too deeply: a setting has three levels at most"]) from error


def check(
    document: Mapping[str, object], *, file: str = CONFIG_FILE, cli_region: str | None = None
) -> Config:
    """Check a parsed document. Raises ConfigError, which names `file`."""
    problems: list[str] = []
    config = _config(Table(document, "", problems), cli_region)
    if problems:
        raise ConfigError(file, problems)
    return config


def _config(root: Table, cli_region: str | None) -> Config:
    name = root.text("name", NAME)
    own_region = root.optional_text("region", REGION)
    region = cli_region if own_region is None else own_region
    sample = root.choice("sample", ["none", *SAMPLES], default="none")
    if region and sample in SAMPLES:
        _check_region(root, region, sample, own=own_region is not None)
    agents_table = root.table("agents")
    agents = _agents(agents_table, sample)
    config = Config(
        name=name,
        region=region,
        sample=sample,
        sample_agent=_sample_agent(root.table("sample_agent"), sample, region),
        settings=Settings(
            agents=agents,
            routes=_routes(root.tables("routes"), {*agents_table.names(), DEFAULT_AGENT}, agents),
            reply=_reply(root.table("reply")),
            conversation=_conversation(root.table("conversation")),
            access=read_access(root.table("access"), default=AccessRules()),
            fairness=_fairness(root.table("fairness")),
        ),
        app=_app(root.table("app")),
        receiver=_receiver(root.table("receiver")),
        worker=_worker(root.table("worker")),
        queues=_queues(root.table("queues")),
        alarms=_alarms(root.table("alarms")),
        deployment=_deployment(root.table("deployment")),
        tracing=root.boolean("tracing", default=Config.tracing),
        termination_protection=root.boolean("termination_protection", default=Config.termination_protection),
    )
    root.refuse_the_rest()
    _check_timeouts(agents_table, agents, config.worker)
    _check_shares(root, config)
    return config


def _check_region(root: Table, region: str, sample: str, *, own: bool) -> None:
    """Note a region without the sample's service, in which deploying both stacks would fail.

    `own`: whether the file itself names the region.
    """
    resource_type, in_words = SAMPLES[sample]
    if has_type(region, resource_type):
        return
    allowed = (
        f'with sample = "{sample}" a region that has {in_words}: {", ".join(regions_with(resource_type))}'
    )
    if own:
        root.refuse("region", allowed)
    else:
        root.refuse_key("region", f'is missing, and the AWS CLI\'s is "{region}"', allowed)


def _sample_agent(table: Table, sample: str, region: str | None) -> SampleAgent:
    own_model = table.optional_text("model", MODEL)
    sample_agent = SampleAgent(
        model=own_model or SampleAgent.model,
        memory=table.boolean("memory", default=SampleAgent.memory),
        # A wrong address may contain a key, so it is not quoted.
        geocoding_url=table.optional_text("geocoding_url", ADDRESS, quote=False) or "",
        forecast_url=table.optional_text("forecast_url", ADDRESS, quote=False) or "",
        marketplace=table.boolean("marketplace", default=SampleAgent.marketplace),
        guardrails=table.texts("guardrails", GUARDRAIL),
    )
    if sample in SAMPLES and own_model != "":
        _check_model(table, sample_agent.model, region, own=own_model is not None)
    if sample_agent.memory and sample == "classic":
        table.refuse("memory", 'true only with sample = "harness"')
    table.refuse_the_rest()
    return sample_agent


def _check_model(table: Table, model: str, region: str | None, *, own: bool) -> None:
    """Note a model that cannot be called in the region. `own`: whether the file itself names the model."""
    wrong = problem_with(model, region)
    if wrong is None:
        return
    problem, allowed = wrong
    found = "is" if own else "is missing, and the default is"
    table.refuse_key("model", f'{found} "{model}", which {problem}', allowed)


def _agents(table: Table, sample: str) -> dict[str, AgentSettings]:
    names = table.names()
    if sample == "none":
        names = [DEFAULT_AGENT, *(name for name in names if name != DEFAULT_AGENT)]
    elif DEFAULT_AGENT in names:
        table.refuse_key(
            DEFAULT_AGENT,
            f'is the sample agent\'s name (sample = "{sample}")',
            'another name, or sample = "none"',
        )
    for name in names:
        if not re.fullmatch(AGENT_NAME[0], name):
            table.refuse_key(name, "is not a name for an agent", AGENT_NAME[1])
    agents = {name: read_agent(table.table(name)) for name in names}
    return {name: agent for name, agent in agents.items() if agent}


def _check_timeouts(table: Table, agents: Mapping[str, AgentSettings], worker: Worker) -> None:
    """Note agents whose time limit is longer than the worker's."""
    for name, agent in agents.items():
        if agent.timeout_seconds > worker.timeout_seconds:
            table.refuse_key(
                f"{name}.timeout_seconds",
                f"is {agent.timeout_seconds}",
                f"{worker.timeout_seconds} at most, as worker.timeout_seconds",
            )


def _check_shares(root: Table, config: Config) -> None:
    """Note limits by which one person could have all workers."""
    most, workers = config.settings.fairness.running_per_user, config.worker.max_concurrency
    if most >= workers:
        root.refuse_key(
            "fairness.running_per_user",
            f"is {most}",
            f"less than {workers}, which is worker.max_concurrency: one person would have all workers",
        )


def _routes(
    tables: Sequence[Table], names: Collection[str], agents: Mapping[str, AgentSettings]
) -> dict[str, str]:
    routes: dict[str, str] = {}
    for table in tables:
        channel = table.text("channel", CHANNEL)
        if channel in routes:
            table.refuse("channel", "one route for each channel")
        name = table.choice("agent", sorted(names))
        answers_in = agents[name].channels if name in agents else ()
        if channel and answers_in and not channel_names(channel) & {*answers_in}:
            where = ", ".join(answers_in)
            table.refuse(
                "agent", f"an agent that answers in {channel}; agents.{name}.channels has {where} only"
            )
        routes[channel] = name
        table.refuse_the_rest()
    return routes


def _reply(table: Table) -> ReplyOptions:
    reply = ReplyOptions(
        style=Style(table.choice("style", [*Style], default=ReplyOptions.style)),
        show_rationale=table.boolean("show_rationale", default=ReplyOptions.show_rationale),
        notify_after_seconds=table.integer(
            "notify_after_seconds", range(10, 901), default=ReplyOptions.notify_after_seconds
        ),
        max_messages=table.integer("max_messages", range(1, 51), default=ReplyOptions.max_messages),
        link_hosts=table.only("link_hosts", HOST),
    )
    table.refuse_the_rest()
    return reply


def _conversation(table: Table) -> ConversationOptions:
    conversation = ConversationOptions(
        thread_context=table.boolean("thread_context", default=ConversationOptions.thread_context),
        context_characters=table.integer(
            "context_characters", range(1_000, 100_001), default=ConversationOptions.context_characters
        ),
        follow_ups=table.texts("follow_ups", FOLLOW_UPS),
    )
    if len(conversation.follow_ups) > MOST_FOLLOW_UPS:
        table.refuse("follow_ups", f"{MOST_FOLLOW_UPS} channels at most")
    table.refuse_the_rest()
    return conversation


def _fairness(table: Table) -> Fairness:
    # Each question is an entry of about 60 bytes in an item of the ledger.
    fairness = Fairness(
        running_per_user=table.integer("running_per_user", range(1, 101), default=Fairness.running_per_user),
        waiting_per_user=table.integer("waiting_per_user", range(1, 101), default=Fairness.waiting_per_user),
        running_per_channel=table.integer(
            "running_per_channel", range(1, 1001), default=Fairness.running_per_channel
        ),
        questions_per_minute=table.integer(
            "questions_per_minute", range(1, 601), default=Fairness.questions_per_minute
        ),
    )
    table.refuse_the_rest()
    return fairness


def _app(table: Table) -> App:
    app = App(
        name=table.optional_text("name", APP_NAME) or App.name,
        description=table.optional_text("description", APP_DESCRIPTION) or App.description,
    )
    table.refuse_the_rest()
    return app


def _receiver(table: Table) -> Receiver:
    receiver = Receiver(table.optional_integer("reserved_concurrency", range(1, 1001)))
    table.refuse_the_rest()
    return receiver


def _worker(table: Table) -> Worker:
    worker = Worker(
        # `Timeout` in the service model of lambda; few agents answer within less than a minute.
        timeout_seconds=table.integer("timeout_seconds", range(60, 1801), default=Worker.timeout_seconds),
        # `MaximumConcurrency` of an SQS event source: 2 to 1000.
        max_concurrency=table.integer("max_concurrency", range(2, 1001), default=Worker.max_concurrency),
    )
    table.refuse_the_rest()
    return worker


def _queues(table: Table) -> Queues:
    queues = Queues(table.texts("senders", ROLE_ARN))
    table.refuse_the_rest()
    return queues


def _alarms(table: Table) -> Alarms:
    alarms = Alarms(table.optional_text("email", EMAIL) or "")
    table.refuse_the_rest()
    return alarms


def _deployment(table: Table) -> Deployment:
    tags = table.table("tags")
    for name in tags.names():
        if not re.fullmatch(TAG_NAME[0], name, re.ASCII):
            tags.refuse_key(name, "is not a name for a tag", TAG_NAME[1])
    deployment = Deployment(
        tags={name: tags.text(name, TAG_VALUE) for name in tags.names()},
        permissions_boundary=table.optional_text("permissions_boundary", POLICY_ARN) or "",
        qualifier=table.optional_text("qualifier", QUALIFIER) or "",
    )
    table.refuse_the_rest()
    return deployment
