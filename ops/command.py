"""What all subcommands share: bridge.toml, `--json`, secrets that are typed, and how they end."""

import functools
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from config.bridge_toml import CONFIG_FILE, Config, ConfigError, read_config

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_CONFIG = ROOT / CONFIG_FILE

TO_MEND, WRONG_USAGE = 1, 2


class OpsError(Exception):
    """Something that the operator has to mend. The text says what, and how."""

    exit_code = TO_MEND


class UsageError(OpsError):
    """The command, bridge.toml or something that was typed is wrong."""

    exit_code = WRONG_USAGE


@dataclass(frozen=True)
class Output:
    """Where a command says what it does. With --json only its result goes to stdout, as one object."""

    as_json: bool = False

    def say(self, text: str) -> None:
        """Progress and advice, for people; on stderr, so that a result can be redirected."""
        if not self.as_json:
            click.echo(text, err=True)

    def result(self, facts: dict[str, Any], text: str = "") -> None:
        """`text` is what people get of the facts on stdout; "" for nothing."""
        if self.as_json:
            click.echo(json.dumps({"ok": True, **facts}, ensure_ascii=False))
        elif text:
            click.echo(text)


def command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A subcommand with the options --config and --json. Its function gets `output` and `path` first."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, path: Path, **options: Any) -> None:
            try:
                function(Output(as_json), path, **options)
            except (OpsError, BotoCoreError, ClientError) as error:
                _fail(error, as_json=as_json)

        with_json = click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON object, for programs."
        )
        with_config = click.option(
            "--config",
            "path",
            type=click.Path(path_type=Path, dir_okay=False),
            default=DEFAULT_CONFIG,
            help="The settings.  [default: bridge.toml of this repository]",
        )
        return click.command(name)(with_config(with_json(run)))

    return decorate


def _fail(error: Exception, *, as_json: bool) -> None:
    text = str(error) if isinstance(error, OpsError) else f"AWS refused: {error}"
    if as_json:
        click.echo(json.dumps({"ok": False, "error": text}, ensure_ascii=False))
    else:
        click.echo(text, err=True)
    sys.exit(error.exit_code if isinstance(error, OpsError) else TO_MEND)


def settings(path: Path) -> Config:
    """bridge.toml. Raises UsageError where it is wrong."""
    try:
        return read_config(path)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def typed_secrets(*prompts: str) -> list[str]:
    """What the operator types for each prompt, unseen; or, where stdin is no terminal, its lines.

    A secret is never an argument: those stand in the shell's history and in the list of processes.
    """
    if sys.stdin.isatty():
        typed = [click.prompt(prompt, hide_input=True, default="", show_default=False) for prompt in prompts]
    else:
        typed = sys.stdin.read().splitlines()
    return [line.strip() for line in typed if line.strip()]
