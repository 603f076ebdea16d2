"""Messages that no version here can read: their threads are told, whatever of them is unreadable."""

import json
from typing import Any

import pytest

from functions.bridge.queue_commands import MalformedCommand, from_json, lost_question
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turns.handle import handle
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import SUNNY, answering
from tests.functions.fakes import TURN, ScriptedAgent, Stage

MESSAGE_ID = "4a6a0a0e-1b9b-4f0e-9d5c-0d1e0c3a1f11"
COMMAND: dict[str, Any] = {
    "command": "ask",
    "version": 2,
    "team": TURN.team,
    "channel": TURN.channel,
    "ts": TURN.ts,
    "thread_ts": TURN.thread_ts,
    "user": TURN.user,
    "bot_user": TURN.bot_user,
    "text": TURN.text,
}


@pytest.mark.parametrize(
    "unreadable",
    [
        {"command": "retry", "attempt": "2"},
        {"command": "retry", "attempt": 10_000},
        {"team": {"id": TURN.team}},
        {"text": None},
    ],
)
def test_the_worker_tells_the_thread_of_a_message_that_it_gives_up(unreadable: dict[str, Any]) -> None:
    body = json.dumps({**COMMAND, **unreadable})
    with pytest.raises(MalformedCommand):
        from_json(body)
    command = lost_question(body, MESSAGE_ID)
    assert command is not None
    stage = Stage()
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = handle(command, stage.delivery(), stage.ports, answering(stage, agent, ReplyOptions()))
    assert (outcome.verdict, agent.questions) == (Verdict.ANSWERED, [])
    [text] = stage.chat.texts()
    assert "what you wrote was lost" in text
