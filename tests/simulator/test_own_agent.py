from pathlib import Path

import pytest

from simulator.journal import Journal
from simulator.own_agent import LOCAL_ARN, OwnAgentError, own_agent
from simulator.own_agent_host import WAY_TO_AWS, OwnAgentHost

HARNESS = "arn:aws:bedrock-agentcore:eu-west-1:123456789012:harness/mine-A1b2C3d4E5"
RUNTIME = "arn:aws:bedrock-agentcore:eu-west-1:123456789012:runtime/mine-A1b2C3d4E5/runtime-endpoint/prod"
ALIAS = "arn:aws:bedrock:eu-west-1:123456789012:agent-alias/ABCDEFGHIJ/TSTALIASID"


@pytest.mark.parametrize(
    ("arn", "settings"),
    [
        (HARNESS, {"kind": "agentcore-harness", "arn": HARNESS}),
        (RUNTIME, {"kind": "agentcore-runtime", "arn": RUNTIME}),
        (
            ALIAS,
            {
                "kind": "bedrock-agent",
                "agent_id": "ABCDEFGHIJ",
                "alias_id": "TSTALIASID",
                "region": "eu-west-1",
            },
        ),
    ],
)
def test_the_arn_of_each_kind_of_agent_is_read(arn: str, settings: dict[str, str]) -> None:
    agent = own_agent(arn)
    assert agent.settings == settings
    assert agent.is_in_aws


@pytest.mark.parametrize(
    "written", ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/invocations"]
)
def test_an_address_may_be_that_of_the_app_or_of_its_invocations(written: str) -> None:
    agent = own_agent(written)
    assert agent.address == "http://127.0.0.1:8080"
    assert agent.settings == {"kind": "agentcore-runtime", "arn": LOCAL_ARN}
    assert not agent.is_in_aws


def test_a_function_is_named_by_its_file_and_its_name(tmp_path: Path) -> None:
    file = tmp_path / "agent.py"
    file.touch()
    agent = own_agent(f"{file}:handler")
    assert agent.handler == f"{file}:handler"
    assert not agent.is_in_aws


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("mine", "write an agent's ARN, the address of an app"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:mine", "arn:aws:bedrock-agentcore:REGION"),
        ("missing.py:handler", "there is no file missing.py"),
        ("http://", "http://HOST:PORT"),
        ("http://me:secret@host", "http://HOST:PORT"),
        ("http://host:port", "http://HOST:PORT"),
        ("http://host/?a=b", "http://HOST:PORT"),
        ("agent.py:", "path.py:handler"),
    ],
)
def test_what_is_no_agent_is_answered_with_what_is(written: str, named: str) -> None:
    with pytest.raises(OwnAgentError) as error:
        own_agent(written)
    assert named in str(error.value)


def test_an_app_that_does_not_listen_is_named() -> None:
    host = OwnAgentHost(own_agent("http://127.0.0.1:1"), journal=Journal())
    with pytest.raises(
        OwnAgentError, match=r"Nothing answers at http://127.0.0.1:1 .* Start your agent first"
    ):
        host.start()
    host.stop()


@pytest.mark.parametrize("code", ["import nowhere_at_all", "handler = 3", "def other(): ..."])
def test_a_function_that_cannot_be_loaded_is_named(
    tmp_path: Path, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "agent.py"
    file.write_text(code)
    host = OwnAgentHost(own_agent(f"{file}:handler"), journal=Journal())
    with pytest.raises(OwnAgentError, match=r"agent.py:handler cannot be served; the lines above say why"):
        host.start()
    host.stop()
    assert capfd.readouterr().err


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        *WAY_TO_AWS,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("no_credentials")
def test_an_agent_in_aws_needs_credentials() -> None:
    with pytest.raises(OwnAgentError, match=r"there are none. Log in"):
        OwnAgentHost(own_agent(HARNESS), journal=Journal())


@pytest.mark.usefixtures("no_credentials")
def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(OwnAgentError, match=r"nobody"):
        OwnAgentHost(own_agent(HARNESS), journal=Journal())


@pytest.mark.usefixtures("no_credentials")
def test_the_worker_finds_an_agent_in_aws_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATHECALLER0000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    assert OwnAgentHost(own_agent(HARNESS), journal=Journal()).worker_variables == {
        "AWS_ACCESS_KEY_ID": "AKIATHECALLER0000000",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "",  # the stand-ins' own must not be used with these keys
        "HTTPS_PROXY": "http://proxy.example.com:3128",
    }
