import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from functions.bridge.replies.options import ReplyOptions, Style
from functions.environment import ConsumerSettings, ReceiverSettings, SettingError
from functions.settings import AgentSettings, Settings

THREAD = {"QUEUE_URL": "queue", "BOT_TOKEN_SECRET_ID": "token", "LEDGER_TABLE": "ledger"}
AGENT = AgentSettings("bedrock-agent", agent_id="ABCDEFGHIJ", alias_id="TSTALIASID")
SETTINGS = Settings(
    {"default": AGENT, "finops": AgentSettings("agentcore-harness", arn="arn", channels=("C1", "dm"))},
    routes={"C1": "finops"},
    reply=ReplyOptions(Style.STREAM, show_rationale=True, notify_after_seconds=120),
    lease_seconds=30,
)
# What the template set before there was a document.
FORMER = {
    **THREAD,
    "LEASE_SECONDS": "60",
    "NOTIFY_AFTER_SECONDS": "120",
    "AGENTS": (
        '{"agents":{"default":{"kind":"bedrock-agent","agent_id":"ABCDEFGHIJ","alias_id":"TSTALIASID"},'
        '"finops":{"kind":"agentcore-harness","arn":"arn","description":"costs","channels":["C1"]}},'
        '"routes":{"C1":"finops"}}'
    ),
    "REPLY_STYLE": "stream",
    "SHOW_RATIONALE": "true",
}


def read(folder: Path, document: object, **variables: str) -> Settings:
    file = folder / "settings.json"
    file.write_text(json.dumps(document), "utf-8")
    return Settings.read({"SETTINGS_FILE": str(file), **variables})


def document(**changes: Any) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(json.dumps(asdict(SETTINGS)))
    return {**written, **changes}


def test_the_receiver_is_told_where_questions_go_and_what_signs_them() -> None:
    receiver = {"QUEUE_URL": "q", "CONTROL_QUEUE_URL": "c", "SIGNING_SECRET_ID": "s"}
    assert ReceiverSettings.read(receiver) == ReceiverSettings("q", "c", "s")


def test_what_only_the_deployment_knows_is_read_by_name() -> None:
    environment = {
        **THREAD,
        "QUESTIONS_QUEUE_URL": "questions",
        "AUDIT_LOG_GROUP": "audit",
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/28/[$LATEST]0123",
    }
    assert ConsumerSettings.read(environment) == ConsumerSettings(
        queue_url="queue",
        questions_queue_url="questions",
        bot_token_secret_id="token",
        ledger_table="ledger",
        audit_log_group="audit",
        audit_log_stream="worker/2026/11/28/[$LATEST]0123",
        slack_api_url="https://slack.com/api/",
        files_origin="https://files.slack.com",
    )


def test_without_the_audit_log_of_a_newer_template_the_code_runs() -> None:
    assert ConsumerSettings.read(THREAD).audit_log_group == ""


def test_the_workers_own_queue_is_the_one_with_the_questions() -> None:
    assert ConsumerSettings.read(THREAD).questions_queue_url == "queue"


def test_slack_may_be_elsewhere() -> None:
    elsewhere = {"SLACK_API_URL": "http://127.0.0.1:1/api/", "SLACK_FILES_ORIGIN": "http://127.0.0.1:2"}
    settings = ConsumerSettings.read({**THREAD, **elsewhere})
    assert settings.slack_api_url == "http://127.0.0.1:1/api/"
    assert settings.files_origin == "http://127.0.0.1:2"


@pytest.mark.parametrize("name", THREAD)
def test_a_missing_or_empty_variable_is_named(name: str) -> None:
    for incomplete in ({key: value for key, value in THREAD.items() if key != name}, {**THREAD, name: ""}):
        with pytest.raises(SettingError, match=f"{name} is not set"):
            ConsumerSettings.read(incomplete)


def test_the_settings_document_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, document()) == SETTINGS


def test_a_document_of_an_older_version_has_the_defaults_for_what_it_lacks(tmp_path: Path) -> None:
    assert read(tmp_path, {"agents": {}, "reply": {"style": "stream"}}) == Settings(
        reply=ReplyOptions(Style.STREAM)
    )


def test_what_only_a_newer_version_knows_is_left_out(tmp_path: Path) -> None:
    newer = document(fairness={"running_per_user": 2})
    newer["reply"]["tone"] = "calm"
    newer["agents"]["default"]["dialect"] = "formal"
    assert read(tmp_path, newer) == SETTINGS


def test_the_sample_agent_comes_from_the_deployment(tmp_path: Path) -> None:
    sample = '{"default": {"kind": "agentcore-harness", "arn": "sample", "description": "the weather"}}'
    settings = read(tmp_path, {"agents": {"own": asdict(AGENT)}}, SAMPLE_AGENT=sample)
    assert settings.agents == {
        "default": AgentSettings("agentcore-harness", arn="sample", description="the weather"),
        "own": AGENT,
    }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"lease_seconds": "60"}, "lease_seconds is '60' in the settings; allowed is int"),
        ({"lease_seconds": True}, "lease_seconds is True in the settings; allowed is int"),
        ({"agents": []}, r"agents is \[\] in the settings; allowed is an object"),
        ({"agents": {"default": "x"}}, "agents.default is 'x' in the settings; allowed is an object"),
        ({"agents": {"default": {}}}, "agents.default.kind is missing in the settings"),
        ({"routes": {"C1": 1}}, "routes.C1 is 1 in the settings; allowed is str"),
        ({"reply": {"style": "morse"}}, "reply.style is 'morse' in the settings; allowed is 'auto' or 'e"),
        ({"reply": {"show_rationale": 1}}, "reply.show_rationale is 1 in the settings; allowed is bool"),
    ],
)
def test_a_setting_that_is_not_what_it_should_be_is_named(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(SettingError, match=f"^{problem}"):
        read(tmp_path, document(**changes))


def test_a_document_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^the document is \[\] in the settings; allowed is an object"):
        read(tmp_path, [])
    file = tmp_path / "settings.json"
    file.write_text("{")
    with pytest.raises(SettingError, match=r"settings\.json is '{'; allowed is JSON"):
        Settings.read({"SETTINGS_FILE": str(file)})


def test_without_a_document_its_variable_is_named() -> None:
    with pytest.raises(SettingError, match="SETTINGS_FILE is not set"):
        Settings.read(THREAD)


def test_new_code_starts_with_the_variables_of_the_version_before() -> None:
    assert Settings.read(FORMER) == Settings(
        {
            "default": AGENT,
            "finops": AgentSettings("agentcore-harness", arn="arn", description="costs", channels=("C1",)),
        },
        routes={"C1": "finops"},
        reply=ReplyOptions(Style.STREAM, show_rationale=True, notify_after_seconds=120),
        lease_seconds=60,
    )


def test_new_dead_letters_start_with_the_fewer_variables_of_the_version_before() -> None:
    few = {name: FORMER[name] for name in (*THREAD, "LEASE_SECONDS", "NOTIFY_AFTER_SECONDS")}
    assert Settings.read(few) == Settings(reply=ReplyOptions(notify_after_seconds=120))


def test_what_an_agent_of_a_kind_needs_is_named() -> None:
    with pytest.raises(SettingError, match="there is no alias_id for an agent of kind 'bedrock-agent'"):
        AgentSettings("bedrock-agent", agent_id="ABCDEFGHIJ").required("alias_id")


def test_a_receiver_that_has_its_old_variables_still_sends_everything_to_the_worker() -> None:
    """Lambda updates a function's code and its variables one after the other."""
    old = ReceiverSettings.read({"QUEUE_URL": "q", "SIGNING_SECRET_ID": "s"})
    assert old.control_queue_url == "q"
