"""What the adapters' tests know of the fake workspace."""

import json
from pathlib import Path
from typing import Any

BOT_TOKEN = "xoxb-test-token"
SIGNING_SECRET = "8f742231b10e8888abcd99aebfcd85a5"


def manifest() -> dict[str, Any]:
    root = Path(__file__).parents[2]
    loaded: dict[str, Any] = json.loads((root / "slack-app-manifest.json").read_text())
    return loaded
