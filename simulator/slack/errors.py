"""The one way in which a Web API method refuses a call."""

from typing import Any


class SlackError(Exception):
    """An answer `{"ok": false, "error": error, ...}`; `detail` holds the other members of the answer."""

    def __init__(self, error: str, **detail: Any) -> None:
        super().__init__(error)
        self.error = error
        self.detail = detail

    def as_answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error, **self.detail}


def refusal(error: str, *messages: str) -> SlackError:
    """A SlackError that says what is wrong the way Slack does: in `errors` and in `response_metadata`."""
    return SlackError(
        error,
        errors=list(messages),
        response_metadata={"messages": [f"[ERROR] {message}" for message in messages]},
    )
