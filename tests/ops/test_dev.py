"""`bridge dev`, as a process, for a workspace of the fake Slack whose app has Socket Mode."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from config.bridge_toml import check
from config.manifest import dev_manifest
from ops.__main__ import main
from simulator.journal import Journal
from simulator.slack.service import SlackService
from simulator.slack.socket_mode import SocketMode
from tests.e2e.person import Person

ROOT = Path(__file__).parents[2]
SETTINGS = {"name": "agent-bridge", "sample": "harness"}
BOT_TOKEN = "xoxb-0-dev"
TOML = 'name = "agent-bridge"\nsample = "harness"\n[access]\nshared_channels = "answer"\n'


class Workspace(Person):
    """People in the fake Slack, and the processes of `bridge dev`."""

    def __init__(self, folder: Path) -> None:
        journal = Journal()
        self.slack = SlackService(
            journal=journal,
            manifest=dev_manifest(check(SETTINGS)),
            signing_secret="nobody knows it",
            bot_token=BOT_TOKEN,
            time_scale=0.01,
        )
        self.socket_mode = SocketMode()
        self.slack.app.register_blueprint(self.socket_mode.blueprint)
        self.slack.events.over_socket = self.socket_mode.deliver
        super().__init__(self.slack.url, journal)
        self._folder = folder
        self.log: list[str] = []

    def start(self, *options: str, typed: str | None = None) -> subprocess.Popen[str]:
        file = self._folder / "bridge.toml"
        file.write_text(TOML)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SLACK_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "ops", "dev", "--config", str(file), *options],
            cwd=ROOT,
            env={
                **environment,
                "SLACK_API_URL": self.slack.api_url,
                "SLACK_FILES_ORIGIN": self.slack.files_origin,
                "NO_PROXY": "127.0.0.1",
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(f"{BOT_TOKEN}\n{self.socket_mode.app_token}\n" if typed is None else typed)
        process.stdin.close()
        process.stdin = None
        threading.Thread(target=self.log.extend, args=(process.stderr,), daemon=True).start()
        return process

    def last_words(self) -> str:
        return f"{super().last_words()}; bridge dev: {''.join(self.log[-20:])}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path_factory.mktemp("dev"))
    workspace.slack.start()
    workspace.socket_mode.start()
    yield workspace
    workspace.socket_mode.stop()
    workspace.slack.stop()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("agent") / "agent.py"
    file.write_text(
        "def handler(payload):\n"
        "    if 'break' in payload['prompt']:\n"
        "        raise RuntimeError('boom')\n"
        "    return payload['prompt'].upper()\n"
    )
    return f"{file}:handler"


@pytest.fixture(scope="module")
def dev(workspace: Workspace, agent: str) -> Iterator[subprocess.Popen[str]]:
    process = workspace.start("--agent", agent)
    try:
        assert workspace.socket_mode.wait_for_connections(1), workspace.last_words()
        yield process
    finally:
        process.terminate()
        process.communicate()


def answered(workspace: Workspace, text: str, answer: str, **more: Any) -> dict[str, Any]:
    question = workspace.say(text, **more)
    workspace.until(lambda: answer in workspace.said(question))
    return question


def attempts(workspace: Workspace, question: dict[str, Any]) -> list[int | None]:
    """The statuses of all attempts to deliver the question."""
    [event_id] = question["event_ids"]
    delivery = workspace.slack.events.delivery(event_id)
    assert delivery is not None
    assert delivery.done.wait(60)
    return [attempt.status for attempt in delivery.attempts]


def test_the_second_apps_manifest_is_printed_with_a_link(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text(TOML)
    done = CliRunner().invoke(main, ["dev", "--config", str(file), "--manifest"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == dev_manifest(check(SETTINGS))
    assert "https://api.slack.com/apps?new_app=1&manifest_json=" in done.stderr


@pytest.mark.usefixtures("dev")
def test_a_question_is_answered_by_the_agent_on_this_machine(workspace: Workspace) -> None:
    question = answered(workspace, "@agent-dev good morning", "GOOD MORNING")
    answered(workspace, "and good night", "AND GOOD NIGHT", channel="dm")
    assert attempts(workspace, question) == [200]


@pytest.mark.usefixtures("dev")
def test_a_press_comes_back_over_the_socket_too(workspace: Workspace) -> None:
    question = workspace.say("@agent-dev break, please")
    buttons = workspace.until(lambda: button_of(workspace, question, "Retry"))
    before = workspace.said(question)
    workspace.control("press", channel=question["channel"], user="alice", **buttons)
    # The second attempt fails too, under a reference of its own.
    workspace.until(lambda: button_of(workspace, question, "Retry") and workspace.said(question) != before)


def button_of(workspace: Workspace, question: dict[str, Any], label: str) -> dict[str, str] | None:
    """Which message has the button, and its action id; None while none has."""
    for reply in workspace.replies(question):
        for block in reply.get("blocks", []):
            for element in block.get("elements", []):
                if element.get("type") == "button" and element["text"]["text"] == label:
                    return {"ts": reply["ts"], "action_id": element["action_id"]}
    return None


@pytest.mark.usefixtures("dev")
@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
def test_a_connection_that_slack_renews_loses_and_repeats_no_question(
    workspace: Workspace, reason: str
) -> None:
    opened = workspace.socket_mode.opened
    questions = [workspace.say("@agent-dev before")]
    workspace.socket_mode.disconnect(reason)
    questions.append(workspace.say("@agent-dev meanwhile"))
    workspace.until(lambda: workspace.socket_mode.opened > opened)
    assert workspace.socket_mode.wait_for_connections(1), workspace.last_words()
    questions.append(workspace.say("@agent-dev after"))
    expected = ["BEFORE", "MEANWHILE", "AFTER"]
    workspace.until(lambda: [workspace.said(question) for question in questions] == expected)
    assert [attempts(workspace, question)[-1] for question in questions] == [200, 200, 200]


def test_a_signal_ends_it_in_good_order(workspace: Workspace, dev: subprocess.Popen[str]) -> None:
    dev.send_signal(signal.SIGTERM)
    assert dev.wait(60) == 0
    assert workspace.socket_mode.wait_for_connections(0)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("", 2, "Two tokens of the second app are needed"),
        (f"{BOT_TOKEN}\n", 2, "Two tokens of the second app are needed"),
        ("xoxb-1-wrong\nxapp-1-wrong\n", 1, "Slack refused auth.test: invalid_auth"),
        (f"{BOT_TOKEN}\nxapp-1-wrong\n", 1, "Slack refused apps.connections.open: invalid_auth"),
    ],
)
def test_wrong_tokens_are_explained(workspace: Workspace, typed: str, code: int, said: str) -> None:
    process = workspace.start(typed=typed)
    assert process.wait(60) == code
    workspace.until(lambda: said in "".join(workspace.log))
    process.communicate()


def test_an_agent_that_does_not_answer_is_explained(workspace: Workspace) -> None:
    process = workspace.start("--agent", "http://127.0.0.1:1")
    assert process.wait(60) == 1
    workspace.until(lambda: "Nothing answers at http://127.0.0.1:1" in "".join(workspace.log))
    process.communicate()


def test_the_demos_agent_answers_where_none_is_named(workspace: Workspace) -> None:
    process = workspace.start()
    try:
        assert workspace.socket_mode.wait_for_connections(1), workspace.last_words()
        answered(workspace, "@agent-dev what's the weather in Chicago today?", "In **Chicago** expect")
    finally:
        process.terminate()
        process.communicate()
