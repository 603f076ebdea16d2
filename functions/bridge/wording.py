"""What the bridge says in its own name, as Markdown. Failures have their words in `failures`."""

from functions.bridge.turn import Notice

PLACEHOLDER = "Processing…"
RETRYING = "The agent is busy. Trying again…"
TOO_OLD = "This question is too old to be asked again. Please write it again."

_NOTICES = {
    Notice.EMPTY: "Hello! Write your question in the same message as the mention, for example "
    "“@agent what's the weather in Chicago today?” I answer in a thread under it, and I remember what was "
    "said in that thread.",
    Notice.EXTERNAL: "I'm sorry, I only answer people of the organisation that I belong to.",
    Notice.FILES: "I'm sorry, I cannot open files. Please ask again with what matters as text.",
    Notice.NOT_YOURS: "Only the person who asked can have this question asked again.",
    Notice.TOO_LONG: "I'm sorry, this question is too long for me: 1 MiB is the most that I can take.",
}


def notice_text(notice: Notice) -> str:
    """The bridge's own answer to a turn that reaches no agent."""
    return _NOTICES[notice]
