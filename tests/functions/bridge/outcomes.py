"""What holds of a turn over fakes, whatever has happened to it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from functions.bridge.ledger.record import SETTLED, State
from functions.bridge.replies.deliver import REST
from tests.functions.fakes import Stage

# What the bridge says itself.
_NOTE = re.compile(r":warning: [^\n]* of the agent's[^\n]*|_The answer is long\. [^_]*_")
_STOPPED = re.compile(r"_Stopped by <@U[0-9A-Z]+> at [0-9:]{5} UTC\..* are still answered\._$")
_EXPLANATION = re.compile(r":warning: .*\(Reference: `[0-9a-f]{8}`\)$")


def check_agent(stage: Stage, asked: Sequence[int]) -> None:
    """The agent was asked once for each attempt, and each of its files came once at most.

    Args:
        asked: the attempt of each time it was asked.
    """
    assert len(asked) == len(set(asked))
    files = Counter(file.name for file in stage.chat.files)
    assert max(files.values(), default=0) <= len(asked)


def check_settled(stage: Stage, said: Mapping[int, str]) -> None:
    """There is one outcome in the thread: the whole answer, or why there is none.

    Args:
        said: what the agent said, by attempt.
    """
    record, texts = stage.record, stage.chat.texts()
    assert record.state in SETTLED
    assert not stage.chat.streams
    assert stage.chat.session == "active"
    assert sorted(stage.chat.messages, key=float) == list(record.reply)
    assert "Processing…" not in texts
    if record.state is State.ANSWERED:
        check_answer(stage, said[record.attempt])
    elif record.state is State.STOPPED:
        assert _STOPPED.search(texts[-1])
    else:
        assert _EXPLANATION.search(texts[-1])


def check_answer(stage: Stage, said: str) -> None:
    """All that the agent said is in the thread once, in order, and nothing else; its end may be in a file."""
    rest = [file.data.decode() for file in stage.chat.files if file.name == REST]
    assert _NOTE.sub("", " ".join([*stage.chat.texts(), *rest])).split() == said.split()
