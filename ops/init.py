"""`bridge init`: bridge.toml, with the agents that are in the account."""

import json
import re
import sys
from pathlib import Path

import boto3
import click

from config.bridge_toml import CONFIG_FILE, NAME, ConfigError, read_config
from functions.bridge.agents.routing import DEFAULT_AGENT
from ops.command import DEFAULT_CONFIG, OpsError, Output, UsageError, command
from ops.found_agents import FoundAgent, found_agents

SAMPLE = "sample"
NEXT = "make deploy"


@command("init")
@click.option("--name", default="", help="The stack's name.")
@click.option("--region", default="", help="Where to deploy, and to look for agents.")
@click.option("--agents", "chosen", default="", help="Names of --list, the default agent first; or sample.")
@click.option("--list", "only_list", is_flag=True, help="Print the agents that are there, and end.")
def init(output: Output, path: Path, *, name: str, region: str, chosen: str, only_list: bool) -> None:
    """Write bridge.toml with the agents of the account.

    Asks for what is not given: the stack's name, the region, and which of the agents found there answer. The
    first one answers where nothing else is said; people call the others by their names. "sample" deploys the
    sample agent beside the bridge. All else in bridge.toml stays as it is.
    """
    asks = sys.stdin.isatty() and not output.as_json
    session = _session(region, asks=asks)
    assert session.region_name
    found, problems = found_agents(session)
    for problem in problems:
        output.say(f"Could not look for {problem}")
    _show(found, output, session.region_name)
    if only_list:
        facts = [{"name": one.name, "description": one.description, **one.settings} for one in found]
        output.result({"region": session.region_name, "agents": facts, "problems": problems})
        return
    if not name:
        name = click.prompt("The stack's name", default="agent-bridge", err=True) if asks else "agent-bridge"
    if not re.fullmatch(NAME[0], name):
        raise UsageError(f"--name is {name!r}; allowed: {NAME[1]}")
    if not chosen:
        if not asks:
            raise UsageError("--agents is missing: names of bridge init --list, or sample")
        default = found[0].name if found else SAMPLE
        chosen = click.prompt("Which answer? Names, separated by commas", default=default, err=True)
    agents = _chosen(chosen, found)
    _write(path, name=name, region=session.region_name, agents=agents)
    output.say(f"Wrote {path}. Next: {NEXT} (before the first time in a region: make bootstrap)")
    output.result({"file": str(path), "agents": [one.name for one in agents] or [SAMPLE], "next": NEXT})


def _session(region: str, *, asks: bool) -> boto3.Session:
    session = boto3.Session(region_name=region or None)
    if region or not asks:
        if not session.region_name:
            raise UsageError("--region is missing, and the AWS CLI has none")
        return session
    region = click.prompt("Region", default=session.region_name, err=True)
    return boto3.Session(region_name=region)


def _show(found: list[FoundAgent], output: Output, region: str) -> None:
    output.say(f"Agents in {region}:" if found else f"No agents in {region}.")
    for one in found:
        output.say(f"  {one.name:<28}{one.description}")
    output.say(f"  {SAMPLE:<28}the sample agent, a meteorologist, deployed beside the bridge")


def _chosen(text: str, found: list[FoundAgent]) -> list[FoundAgent]:
    """The agents of these names, in this order; [] for the sample. Raises UsageError for any other name."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == [SAMPLE]:
        return []
    known = {one.name: one for one in found}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no agent {name!r}; allowed: {', '.join([*known, SAMPLE])}")
    if len(set(names)) < len(names):
        raise UsageError(f"an agent is named twice: {text}")
    return [known[name] for name in names]


def _write(path: Path, *, name: str, region: str, agents: list[FoundAgent]) -> None:
    """Changes the three keys and adds the agents. The comments of the file stay, as they explain the rest.

    Raises UsageError where the file names agents already, or would be wrong.
    """
    before = path if path.exists() else DEFAULT_CONFIG
    text = before.read_text("utf-8")
    if re.search(r"^\[agents\.", text, re.MULTILINE):
        raise UsageError(f"{before} names agents already; edit it, or take them out first.")
    for key, value in (("name", name), ("region", region), ("sample", "none" if agents else "harness")):
        text = _with(text, key, value)
    for number, one in enumerate(agents):
        members = "".join(f"{key} = {json.dumps(value)}\n" for key, value in one.settings.items())
        text += f"\n[agents.{one.name if number else DEFAULT_AGENT}]\n{members}"
        text += f"description = {json.dumps(one.description, ensure_ascii=False)}\n"
    draft = path.with_name(f".{CONFIG_FILE}.new")
    draft.write_text(text, "utf-8")
    try:
        read_config(draft)
    except ConfigError as error:
        raise OpsError("\n".join(error.problems)) from error
    else:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _with(text: str, key: str, value: str) -> str:
    """The file with `key` set. Its line may be commented out; what stands behind the value stays."""
    line = re.compile(rf'^(?:# )?{key} = "[^"]*"', re.MULTILINE)
    written = f"{key} = {json.dumps(value)}"
    changed, times = line.subn(written, text, count=1)
    return changed if times else f"{written}\n{text}"
