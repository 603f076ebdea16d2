"""`.venv/bin/bridge`, or `python -m ops`."""

import click

from ops.dev import dev
from ops.init import init
from ops.manifest import manifest
from ops.secrets import secrets


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Sets up and looks after a slack-agent-bridge.

    Each command takes --json, for programs. It ends with 0 where everything is well, with 1 where something
    has to be mended, and with 2 where the command or bridge.toml is wrong.
    """


for command in (init, dev, manifest, secrets):
    main.add_command(command)


if __name__ == "__main__":
    main(prog_name="bridge")
