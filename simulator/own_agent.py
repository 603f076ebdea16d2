"""The agent of whoever runs the demo: `make demo AGENT=…`.

    arn:aws:…                a harness, a runtime or an alias of a Bedrock agent
    http://127.0.0.1:8080    an app that serves POST /invocations, as the AgentCore SDK and `agentcore dev` do
    path.py:handler          a function that takes the payload; `simulator.handler_server` serves it

The worker asks each of them through the shipped adapters. What they need for that is in
`simulator.own_agent_host`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.agents import HARNESS_ARN, RUNTIME_ARN
from config.arns import arn_pattern

# Of the app on this machine: InvokeAgentRuntime needs one.
LOCAL_ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:runtime/your_agent-A1b2C3d4E5"
# docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
_ALIAS_ARN = arn_pattern("bedrock", r"agent-alias/(?P<agent>[0-9a-zA-Z]{10})/(?P<alias>[0-9a-zA-Z]{10})")
_HANDLER = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)")
_FORMS = (
    "an agent's ARN, the address of an app that serves POST /invocations (http://127.0.0.1:8080), "
    "or a function (path.py:handler)"
)


class OwnAgentError(Exception):
    """The agent cannot be asked. The text says why, and what to do."""


@dataclass(frozen=True)
class OwnAgent:
    """An agent that is no part of the demo.

    Attributes:
        text: as the caller wrote it.
        settings: its table `[agents.default]` of bridge.toml.
        address: of the app that serves it on this machine, without /invocations; "" for the other two forms.
        handler: "path.py:handler"; "" for the other two forms.
    """

    text: str
    settings: Mapping[str, object]
    address: str = ""
    handler: str = ""

    @property
    def is_in_aws(self) -> bool:
        return not (self.address or self.handler)


def own_agent(text: str) -> OwnAgent:
    """Reads what the caller wrote. Raises OwnAgentError where that is none of the three forms."""
    runtime: dict[str, object] = {"kind": "agentcore-runtime", "arn": LOCAL_ARN}
    if text.startswith("arn:"):
        return OwnAgent(text, _settings_of_arn(text))
    if text.startswith(("http://", "https://")):
        return OwnAgent(text, runtime, address=_address(text))
    if match := _HANDLER.fullmatch(text):
        if not Path(match["file"]).is_file():
            raise OwnAgentError(f"{text!r}: there is no file {match['file']}")
        return OwnAgent(text, runtime, handler=text)
    raise OwnAgentError(f"{text!r} is no agent; write {_FORMS}")


def _settings_of_arn(arn: str) -> dict[str, object]:
    for kind, (pattern, _) in {"agentcore-harness": HARNESS_ARN, "agentcore-runtime": RUNTIME_ARN}.items():
        if re.fullmatch(pattern, arn):
            return {"kind": kind, "arn": arn}
    if match := re.fullmatch(_ALIAS_ARN, arn):
        region = arn.split(":")[3]
        return {
            "kind": "bedrock-agent",
            "agent_id": match["agent"],
            "alias_id": match["alias"],
            "region": region,
        }
    raise OwnAgentError(
        f"{arn!r} is no ARN of an agent; allowed are {HARNESS_ARN[1]}, {RUNTIME_ARN[1]}, and that of an "
        'alias of a Bedrock agent, "arn:aws:bedrock:REGION:ACCOUNT:agent-alias/AGENT_ID/ALIAS_ID"'
    )


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise OwnAgentError(f"{url!r} is no address of an app; write http://HOST:PORT")
    return url.rstrip("/").removesuffix("/invocations")
