"""Slack's Web API, for one turn's thread. See `functions.bridge.replies.chat.Chat`.

slack_sdk repeats nothing here (its default re-posts after a lost connection); the bridge decides what may be
repeated. Slack's errors: docs.slack.dev/reference/methods/chat.postMessage and its siblings.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from threading import Lock
from typing import Any, TypeVar

import urllib3
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.web_client import Connections, KeptWebClient
from functions.bridge import wording
from functions.bridge.agents.events import File
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.markdown.safe import plain
from functions.bridge.markdown.tables import Cell, Table, cells_of, in_parts
from functions.bridge.people import Home, Identity, Person
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    ChatUndone,
    Chunk,
    Found,
    Message,
    SessionStatus,
    Task,
)
from functions.bridge.replies.refusals import (
    IS_CLOSED,
    NO_SESSIONS,
    REFUSES_APP,
    REFUSES_ONE_CALL,
    UNREADABLE,
)
from functions.bridge.turn import Turn

METADATA_EVENT = "agent_bridge_reply"
TIMEOUT_SECONDS = 10
# For calls that hold up the question and that it can do without.
HASTY_TIMEOUT_SECONDS = 2
# Of a task, in characters.
LONGEST_TITLE = 256
# Of a data table: people turn its pages.
ROWS_OF_A_PAGE = 20

# Slack's own trouble under HTTP 200: the call may succeed another time.
_PASSING = {
    "external_channel_migrating",
    "fatal_error",
    "internal_error",
    "message_limit_exceeded",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "update_failed",
}
# Seconds, for a 429 without the header that docs.slack.dev/apis/web-api/rate-limits promises.
DEFAULT_RETRY_AFTER = 30.0

# It logs answers that it cannot read, whole; what happened is in the exception.
logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
_ERROR_NAME = re.compile("[a-z0-9_]{1,80}")
_SCOPES = re.compile("[a-z0-9_.:,]{1,200}")

T = TypeVar("T")


class SlackChat:
    """Posts, edits and finds the messages of a reply.

    Attributes:
        rate_limits: how many calls Slack has answered with 429 so far.
    """

    def __init__(self, token: CachedSecret, *, api_url: str) -> None:
        self.rate_limits = 0
        self._token = token
        self._names: dict[str, str] = {}
        self._written: set[str] = set()
        self._has_sessions = True
        self._identity: tuple[str, Identity] | None = None
        self._identity_lock = Lock()
        connections = Connections()
        self._client = KeptWebClient(connections, base_url=api_url, timeout=TIMEOUT_SECONDS)
        self._hasty_client = KeptWebClient(connections, base_url=api_url, timeout=HASTY_TIMEOUT_SECONDS)

    def post(self, message: Message) -> str:
        answer = self._call(
            self._client.chat_postMessage,
            channel=message.turn.channel,
            thread_ts=message.turn.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            **_content(message),
        )
        self._written.add(message.turn.channel)
        return str(_member(answer, "ts", str))

    def edit(self, ts: str, message: Message) -> None:
        self._call(self._client.chat_update, channel=message.turn.channel, ts=ts, **_content(message))
        self._written.add(message.turn.channel)

    def delete(self, turn: Turn, ts: str) -> None:
        self._call(self._client.chat_delete, channel=turn.channel, ts=ts)

    def post_ephemeral(self, channel: str, thread_ts: str, user: str, text: str) -> None:
        self._call(
            self._client.chat_postEphemeral,
            channel=channel,
            thread_ts=thread_ts,
            user=user,
            text=plain(text),
            blocks=[_block(text)],  # in `text` nobody is shown by their name
        )

    def add_reaction(self, channel: str, ts: str, emoji: str) -> None:
        """docs.slack.dev/reference/methods/reactions.add"""
        with _as_wished("already_reacted"):
            self._call_optional(self._client.reactions_add, channel=channel, timestamp=ts, name=emoji)

    def remove_reaction(self, channel: str, ts: str, emoji: str) -> None:
        """docs.slack.dev/reference/methods/reactions.remove"""
        with _as_wished("no_reaction", "message_not_found"):
            self._call_optional(self._client.reactions_remove, channel=channel, timestamp=ts, name=emoji)

    def mention(self, turn: Turn, text: str) -> None:
        self._call(
            self._client.chat_postMessage,
            channel=turn.channel,
            thread_ts=turn.thread_ts,
            text=f"<@{turn.user}> {plain(text)}",
            unfurl_links=False,
            unfurl_media=False,
        )

    def set_status(self, turn: Turn, status: str) -> None:
        self._call_optional(
            self._client.assistant_threads_setStatus,
            channel_id=turn.channel,
            thread_ts=turn.thread_ts,
            status=status,
        )
        self._written.add(turn.channel)

    def set_session(self, turn: Turn, status: SessionStatus) -> None:
        """docs.slack.dev/reference/methods/agents.sessions.setStatus

        Slack warns an app that has not subscribed to agent_session_stopped: it shows no Stop then.
        """
        try:
            answer = self._call_optional(
                self._client.agents_sessions_setStatus,
                channel_id=turn.channel,
                thread_ts=turn.thread_ts,
                status=status.value,
            )
            if _text(answer, "warning") in NO_SESSIONS:
                raise ChatRefused(_text(answer, "warning"))
        except ChatRefused as exc:
            self._has_sessions = self._has_sessions and exc.code not in NO_SESSIONS
            raise

    def has_sessions(self) -> bool:
        return self._has_sessions

    def start_stream(self, turn: Turn, chunk: Chunk) -> str:
        answer = self._call(
            self._client.chat_startStream,
            channel=turn.channel,
            thread_ts=turn.thread_ts,
            # Required in channels.
            recipient_team_id=turn.team,
            recipient_user_id=turn.user,
            task_display_mode="plan",
            chunks=_chunks(chunk),
        )
        self._written.add(turn.channel)
        return str(_member(answer, "ts", str))

    def append_stream(self, turn: Turn, ts: str, chunk: Chunk) -> None:
        self._call(
            self._client.chat_appendStream,
            channel=turn.channel,
            ts=ts,
            chunks=_chunks(chunk),
        )

    def stop_stream(self, ts: str, message: Message, chunk: Chunk, *, goes_on: bool = False) -> None:
        self._call(
            self._client.chat_stopStream,
            channel=message.turn.channel,
            ts=ts,
            metadata=_metadata(message),
            session_status="processing" if goes_on else "active",
            **({"chunks": chunks} if (chunks := _chunks(chunk)) else {}),
            **({"blocks": buttons} if (buttons := _buttons(message)) else {}),
        )

    def upload(self, turn: Turn, file: File) -> None:
        try:
            upload = self._call_optional(
                self._client.files_getUploadURLExternal, filename=file.name, length=len(file.data)
            )
            _send(str(_member(upload, "upload_url", str)), file.data)
        except ChatUnavailable as exc:
            raise ChatUndone(str(exc)) from exc  # nobody sees a file that is not completed
        self._call_optional(
            self._client.files_completeUploadExternal,
            files=[{"id": str(_member(upload, "file_id", str)), "title": file.name}],
            channel_id=turn.channel,
            thread_ts=turn.thread_ts,
        )

    def name_of(self, user: str) -> str:
        """Without the scope to look people up, Slack refuses this call alone."""
        if user not in self._names:
            self._note_name(user, self._call_optional(self._hasty_client.users_info, user=user))
        return self._names[user]

    def person(self, user: str) -> Person:
        """docs.slack.dev/reference/methods/users.info and docs.slack.dev/reference/objects/user-object"""
        found = self._note_name(user, self._call(self._hasty_client.users_info, user=user))
        enterprise = found.get("enterprise_user")
        return Person(
            home=Home(
                _text(found, "team_id"),
                _text(enterprise, "enterprise_id") if isinstance(enterprise, dict) else "",
            ),
            name=self._names[user],
            is_guest=any(found.get(kind) is True for kind in ("is_restricted", "is_ultra_restricted")),
            is_deactivated=found.get("deleted") is True,
            is_stranger=found.get("is_stranger") is True,
            is_bot=found.get("is_bot") is True,
        )

    def group_members(self, group: str, *, team: str) -> list[Any]:
        """docs.slack.dev/reference/methods/usergroups.users.list

        An organization's token has to name the team. Without the scope to look into groups, Slack refuses
        this call alone.
        """
        answer = self._call_optional(self._hasty_client.usergroups_users_list, usergroup=group, team_id=team)
        return list(_member(answer, "users", list))

    def _note_name(self, user: str, answer: dict[str, Any]) -> dict[str, Any]:
        """Keep what people call a user, of whom users.info has said this."""
        found = _member(answer, "user", dict)
        with _translated():
            profile = found.get("profile") or {}
            self._names[user] = str(profile.get("display_name") or profile.get("real_name") or user)
        return found

    def has_written_in(self, channel: str) -> bool:
        return channel in self._written

    def identity(self) -> Identity:
        """Two calls the first time, and again when the token has been replaced. Threads may share it."""
        with self._identity_lock:
            token = self._token_in_force()
            if self._identity is None or self._identity[0] != token:
                self._identity = (token, self._ask_identity())
            return self._identity[1]

    def _ask_identity(self) -> Identity:
        """docs.slack.dev/reference/methods/auth.test"""
        told = self._call(self._client.auth_test)
        return Identity(
            app=_text(told, "app_id") or self._app_of(_text(told, "bot_id")),
            bot_user=str(_member(told, "user_id", str)),
            team=str(_member(told, "team_id", str)),
            organization=_text(told, "enterprise_id"),
            is_org_wide=told.get("is_enterprise_install") is True,
        )

    def _app_of(self, bot: str) -> str:
        """docs.slack.dev/reference/methods/bots.info, which may need a scope that the app does not have."""
        try:
            return _text(_member(self._call_optional(self._client.bots_info, bot=bot), "bot", dict), "app_id")
        except ChatRefused:
            return ""

    def find(self, turn: Turn) -> Found:
        ours: dict[int, str] = {}
        streams: list[str] = []
        with _translated():
            for message in self._from_question_on(turn):
                metadata = message.get("metadata") or {}
                if _is_ours(metadata, message, turn):
                    ours[metadata["event_payload"]["part"]] = message["ts"]
                elif message.get("user") == turn.bot_user and not metadata and _was_not_stopped(message):
                    streams.append(str(message["ts"]))
        return Found(ours, tuple(streams))

    def _from_question_on(self, turn: Turn) -> Iterator[dict[str, Any]]:
        """The messages of the thread from the turn's own on, oldest first."""
        cursor = ""
        while True:
            messages, cursor = self.replies(turn, oldest=turn.ts, inclusive=True, limit=200, cursor=cursor)
            yield from messages
            if not cursor:
                return

    def replies(self, turn: Turn, *, cursor: str, **bounds: Any) -> tuple[list[dict[str, Any]], str]:
        """A page of the turn's thread as Slack tells it, oldest first, and the next one's cursor, or "".

        Each page may begin with the thread's first message, whatever the `bounds`.
        docs.slack.dev/reference/methods/conversations.replies
        """
        answer = self._call_optional(
            self._client.conversations_replies,
            channel=turn.channel,
            ts=turn.thread_ts,
            include_all_metadata=True,
            cursor=cursor,
            **bounds,
        )
        metadata = answer.get("response_metadata")
        following = _text(metadata, "next_cursor") if isinstance(metadata, dict) else ""
        return _member(answer, "messages", list), following

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> dict[str, Any]:
        """Call a method without which there is no reply."""
        return self._call_as_app(method, arguments, {*REFUSES_APP})

    def _call_optional(self, method: Callable[..., SlackResponse], **arguments: Any) -> dict[str, Any]:
        """Call a method with a scope of its own, which the reply can do without."""
        return self._call_as_app(method, arguments, REFUSES_APP.keys() - REFUSES_ONE_CALL)

    def _call_as_app(
        self, method: Callable[..., SlackResponse], arguments: dict[str, Any], refuses_app: set[str]
    ) -> dict[str, Any]:
        """Call a method with the token in force; once more if the refused token has been replaced.

        Raises:
            ChatAppRefused: a code of `refuses_app`, or there is no token. There may be another one later.
        """
        while True:
            token = self._token_in_force()
            try:
                with _translated():
                    return _data(method(token=token, **arguments))
            except ChatRateLimited:
                self.rate_limits += 1
                raise
            except ChatRefused as exc:
                if IS_CLOSED.fullmatch(exc.code):
                    self._written.discard(arguments.get("channel", ""))
                if exc.code not in refuses_app:
                    raise
                if not self._token.refresh():
                    raise self._app_refused(exc.code, needed=exc.needed or "that it lacks") from exc

    def _token_in_force(self) -> str:
        """Raises ChatAppRefused: there is none for now."""
        try:
            return self._token.value()
        except ServiceUnavailable as exc:
            raise self._app_refused(UNREADABLE, trouble=str(exc)) from exc

    def _app_refused(self, code: str, **names: str) -> ChatAppRefused:
        # The next turn asks Slack first, and no agent is run for it while the app is refused.
        self._names.clear()
        self._identity = None
        return ChatAppRefused(code, REFUSES_APP[code].format(secret=self._token.secret_id, **names))


@contextmanager
def _as_wished(*codes: str) -> Iterator[None]:
    """A refusal with one of these codes says that it is already as it should become."""
    try:
        yield
    except ChatRefused as exc:
        if exc.code not in codes:
            raise


def _is_ours(metadata: dict[str, Any], message: dict[str, Any], turn: Turn) -> bool:
    """Whether a message is part of the turn's reply, whatever the attempt: a later one takes them over.

    The author counts too, because other apps could set the same metadata.
    """
    payload = metadata.get("event_payload") or {}
    return (
        message.get("user") == turn.bot_user
        and metadata.get("event_type") == METADATA_EVENT
        and payload.get("turn_id") == turn.turn_id
        and isinstance(payload.get("part"), int)
        and isinstance(message.get("ts"), str)
    )


def _was_not_stopped(message: dict[str, Any]) -> bool:
    """Whether a message is a stream that goes on or has expired: what it belongs to is said at its stop."""
    return message.get("streaming_state") not in (None, "completed")


def _content(message: Message) -> dict[str, Any]:
    return {
        # What notifications and screen readers say; the blocks are what is shown.
        "text": plain(message.markdown),
        "blocks": [
            *map(_block, in_parts(message.markdown)),
            *map(_detail, message.details),
            *_text_input(message),
            *_buttons(message),
        ],
        "metadata": _metadata(message),
    }


def _block(piece: str | Table) -> dict[str, Any]:
    """docs.slack.dev/reference/block-kit/blocks: a markdown block or a data table."""
    if isinstance(piece, str):
        return {"type": "markdown", "text": piece}
    return {
        "type": "data_table",
        "caption": wording.caption(len(piece.rows) - 1),
        "page_size": ROWS_OF_A_PAGE,
        "rows": [[_cell(cell) for cell in row] for row in cells_of(piece)],
    }


def _detail(text: str) -> dict[str, Any]:
    """docs.slack.dev/reference/block-kit/blocks/section-block: Slack folds a long one."""
    return {"type": "section", "expand": False, "text": {"type": "plain_text", "text": text, "emoji": False}}


def _text_input(message: Message) -> list[dict[str, Any]]:
    """docs.slack.dev/reference/block-kit/blocks/input-block: its text comes with a press of a button."""
    if (wanted := message.text_input) is None:
        return []
    element = {"type": "plain_text_input", "action_id": wanted.name, "max_length": wanted.most}
    label = {"type": "plain_text", "text": wanted.label}
    return [{"type": "input", "block_id": wanted.name, "optional": True, "label": label, "element": element}]


def _cell(cell: Cell) -> dict[str, Any]:
    if cell.number is None:
        return {"type": "raw_text", "text": cell.text}
    return {"type": "raw_number", "value": cell.number, "text": cell.text}


def _metadata(message: Message) -> dict[str, Any]:
    payload = {"turn_id": message.turn.turn_id, "attempt": message.turn.attempt, "part": message.number}
    if message.is_notice:
        payload["notice"] = True
    return {"event_type": METADATA_EVENT, "event_payload": payload}


def _chunks(chunk: Chunk) -> list[dict[str, Any]]:
    """Always chunks, never `markdown_text`: the first payload of a stream decides for all of them.

    docs.slack.dev/reference/methods/chat.appendStream
    """
    text = [{"type": "markdown_text", "text": chunk.markdown}] if chunk.markdown else []
    return [*map(_task, chunk.tasks), *text]


def _send(url: str, data: bytes) -> None:
    """docs.slack.dev/messaging/working-with-files#uploading_files; the address holds its own permission."""
    headers = {"Content-Type": "application/octet-stream"}
    try:
        answer = urllib3.request(
            "POST", url, body=data, headers=headers, timeout=TIMEOUT_SECONDS, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError as exc:
        raise ChatUnavailable(type(exc).__name__) from exc
    if answer.status != 200:
        raise ChatUnavailable(f"the upload was answered with HTTP {answer.status}")


def _task(task: Task) -> dict[str, Any]:
    return {
        "type": "task_update",
        "id": task.id,
        "title": task.title[:LONGEST_TITLE],
        "status": task.status.value,
    }


def _buttons(message: Message) -> list[dict[str, Any]]:
    elements = [
        {
            "type": "button",
            "action_id": button.action_id,
            "text": {"type": "plain_text", "text": button.label},
            "value": button.value,
            **({"style": button.style} if button.style else {}),
        }
        for button in message.buttons
    ]
    return [{"type": "actions", "elements": elements}] if elements else []


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SlackApiError as exc:
        raise _refusal(exc) from exc
    except (
        SlackClientError,
        urllib3.exceptions.HTTPError,
        OSError,
        HTTPException,
        AttributeError,
        TypeError,
        ValueError,
    ) as exc:
        # The last three come from inside slack_sdk, for JSON of a shape that Slack never answers with.
        raise ChatUnavailable(type(exc).__name__) from exc


def _data(response: SlackResponse) -> dict[str, Any]:
    if not isinstance(response.data, dict):
        raise ChatUnavailable("the answer is no object")
    return response.data


def _member(answer: dict[str, Any], name: str, kind: type[T]) -> T:
    """A part of an answer that Slack promises.

    Raises:
        ChatUnavailable: it is missing, so nobody knows what happened.
    """
    value = answer.get(name)
    if not isinstance(value, kind):
        raise ChatUnavailable(f"the answer has no {name}")
    return value


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _refusal(exc: SlackApiError) -> Exception:
    response = exc.response
    headers = {name.lower(): value for name, value in response.headers.items()}
    code = str(response.data.get("error", "")) if isinstance(response.data, dict) else ""
    if response.status_code == 429 or code in ("ratelimited", "rate_limited"):
        seconds = headers.get("retry-after", "")
        return ChatRateLimited(float(seconds) if seconds.isdecimal() else DEFAULT_RETRY_AFTER)
    # slack_sdk puts what is no answer of Slack's (a proxy's error page) where the error's name would be.
    if response.status_code >= 500 or code in _PASSING or not _ERROR_NAME.fullmatch(code):
        return ChatUnavailable(f"HTTP {response.status_code} without Slack's answer")
    if code == "stopped_by_user":
        return ChatStopped(code)
    needed = str(response.data.get("needed", "")) if isinstance(response.data, dict) else ""
    return ChatRefused(code, needed=needed if _SCOPES.fullmatch(needed) else "")
