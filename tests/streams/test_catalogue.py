"""The fake agent plays what the catalogue says, as boto3 hears it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError

from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
from simulator.journal import Journal
from tests.streams.catalogue import STREAMS, Ending, Stream


@pytest.fixture(scope="module")
def service() -> Iterator[AgentService]:
    service = AgentService(journal=Journal(), time_scale=0)
    service.start()
    yield service
    service.stop()


@pytest.fixture(scope="module")
def client(service: AgentService) -> Iterator[Any]:
    client = boto3.client(
        "bedrock-agent-runtime",
        endpoint_url=service.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    yield client
    client.close()


class Played:
    """What boto3 heard. `error` is how the stream ended, None when it ended well."""

    def __init__(self, client: Any, stream: Stream, *, streaming: bool) -> None:
        self.text = b""
        self.made: list[Any] = []
        self.citations: list[Any] = []
        self.intervened = self.used_tools = False
        self.error: Exception | None = None
        try:
            self._hear(client, stream, streaming)
        except (ClientError, ProtocolError) as exc:  # an EventStreamError is a ClientError
            self.error = exc

    def _hear(self, client: Any, stream: Stream, streaming: bool) -> None:
        files = [
            {
                "name": file.name,
                "useCase": "CHAT",
                "source": {
                    "sourceType": "BYTE_CONTENT",
                    "byteContent": {"mediaType": file.media_type, "data": file.data},
                },
            }
            for file in stream.attached
        ]
        answer = client.invoke_agent(
            agentId=AGENT_ID,
            agentAliasId=ALIAS_ID,
            sessionId=f"{stream.name.replace(' ', '-')}-{streaming}",
            inputText=stream.question,
            enableTrace=True,
            streamingConfigurations={"streamFinalResponse": streaming},
            sessionState={"files": files},
        )
        try:
            for event in answer["completion"]:
                self._take(event)
        finally:
            answer["completion"].close()

    def _take(self, event: Any) -> None:
        chunk = event.get("chunk", {})
        self.text += chunk.get("bytes", b"")
        self.citations += chunk.get("attribution", {}).get("citations", [])
        self.made += event.get("files", {}).get("files", [])
        trace = event.get("trace", {}).get("trace", {})
        self.intervened |= trace.get("guardrailTrace", {}).get("action") == "INTERVENED"
        self.used_tools |= "invocationInput" in trace.get("orchestrationTrace", {})


@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "whole"])
@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_the_agent_plays_what_the_catalogue_says(
    service: AgentService, client: Any, stream: Stream, streaming: bool
) -> None:
    if stream.script:
        service.force(stream.script)
    before = datetime.now(UTC)
    played = Played(client, stream, streaming=streaming)
    now = before if stream.said(before) == played.text.decode() else datetime.now(UTC)  # a new day dawned

    if streaming or stream.ending is Ending.ANSWERED:  # an answer that does not stream breaks off unsaid
        assert played.text.decode() == stream.said(now)
    assert [(file["name"], file["type"], file["bytes"]) for file in played.made] == [
        (file.name, file.media_type, file.data) for file in stream.files(now)
    ]
    assert [
        (
            citation["generatedResponsePart"]["textResponsePart"]["text"],
            [next(iter(_address(found).values())) for found in citation["retrievedReferences"]],
        )
        for citation in played.citations
    ] == [(words, [_written(found) for found in documents]) for words, documents in stream.citations]
    assert played.intervened is stream.intervened
    assert _ending(played) is stream.ending


def test_every_stream_has_a_name_of_its_own() -> None:
    assert len({stream.name for stream in STREAMS}) == len(STREAMS) == 34


def _ending(played: Played) -> Ending:
    if played.error is None and played.text:
        return Ending.ANSWERED
    refused = isinstance(played.error, ClientError) and not isinstance(played.error, EventStreamError)
    return Ending.FAILED if refused or not (played.used_tools or played.text) else Ending.INTERRUPTED


def _address(reference: Any) -> dict[str, str]:
    location = reference["location"]
    return dict(location["s3Location"] if location["type"] == "S3" else location["webLocation"])


def _written(document: Any) -> str:
    """The address under which the fake agent knows a document of the catalogue."""
    in_bucket = f"s3://weather-handbook/manuals/{document.title.replace(' ', '%20')}"
    return document.url or in_bucket
