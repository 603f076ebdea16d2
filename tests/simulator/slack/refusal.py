"""What Slack's SDK raises when the fake refuses a call."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError


def refused(error: str) -> Any:
    """A context in which a call must be refused with Slack's error of this name."""
    return pytest.raises(SlackApiError, match=f"'error': '{error}'")
