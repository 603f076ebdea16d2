"""The settings document: the functions' part of bridge.toml, checked and with all defaults filled in."""

import json
from dataclasses import asdict

from functions.settings import Settings

FILE_NAME = "slack-agent-bridge.json"


def document(settings: Settings) -> str:
    """The JSON that `functions.settings.Settings` reads."""
    return json.dumps(asdict(settings), ensure_ascii=False, indent=2) + "\n"
