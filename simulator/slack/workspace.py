"""The state of the fake Slack: who is there, which channels, which messages.

Only state and its consistency: what the Web API refuses is in `methods/`, what the app is told in
`events.py`. Every method may be called from any thread. A reader that follows the state waits for `version`.
"""

import copy
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from simulator.slack import mrkdwn, streams
from simulator.slack.files import Files
from simulator.slack.streams import Stream

Json = dict[str, Any]
ChannelKind = Literal["public", "private", "im", "mpim"]
SLACKBOT = "USLACKBOT"
STATUS_LIFETIME_SECONDS = 120.0  # docs.slack.dev/reference/methods/assistant.threads.setStatus
SESSION_LIFETIME_SECONDS = 3600.0  # docs.slack.dev/reference/methods/agents.sessions.setStatus


@dataclass(frozen=True)
class Team:
    """An organisation's workspace."""

    id: str
    name: str


@dataclass(frozen=True)
class User:
    """A person, or a bot user when `bot_id` and `app_id` are set.

    Attributes:
        name: what follows the @.
        is_restricted: a guest, who is in some channels only.
        is_ultra_restricted: a guest of one channel.
        is_deactivated: the account is closed.
    """

    id: str
    team_id: str
    name: str
    real_name: str
    bot_id: str | None = None
    app_id: str | None = None
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_deactivated: bool = False


@dataclass
class UserGroup:
    """People who are mentioned together. `handle`: what follows the @."""

    id: str
    team_id: str
    handle: str
    members: set[str]
    is_disabled: bool = False


@dataclass
class Channel:
    """A conversation. `teams` are the workspaces that share it: more than one in a Slack Connect channel."""

    id: str
    name: str
    kind: ChannelKind
    members: set[str]
    teams: tuple[str, ...]
    is_archived: bool = False

    @property
    def is_ext_shared(self) -> bool:
        return len(self.teams) > 1


@dataclass(frozen=True)
class Edit:
    """What a message said from `at` (seconds since the epoch) on."""

    at: float
    text: str
    blocks: list[Json]


@dataclass
class Message:
    """A message.

    Attributes:
        thread_ts: the root's ts if this is a reply.
        edits: each update, oldest first; the original text is not among them.
        notifications: the entities that its text, then or after an edit, would notify people with.
        unfurl_links, unfurl_media: as the app asked; None means Slack's default.
        stream: the content while and after it is streamed, until the app replaces it with chat.update.
        only_for: the id of the one person who sees it, of an ephemeral message.
        reactions: the emoji under it, by their names, each with the ids of the people who put it there.
    """

    channel_id: str
    ts: str
    user: User
    text: str
    blocks: list[Json]
    thread_ts: str | None = None
    subtype: str | None = None
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    client_msg_id: str | None = None
    edited: Json | None = None
    edits: list[Edit] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    is_locked: bool = False
    stream: Stream | None = None
    only_for: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True)
class Status:
    """What the app says of itself in a thread: "is thinking…". `since` is `time.monotonic()`."""

    text: str
    loading_messages: tuple[str, ...]
    since: float


@dataclass(frozen=True)
class Session:
    """What Slack knows of the agent in a thread.

    Attributes:
        status: "active", "processing", "suspended" or "closed".
        since: `time.monotonic()` of the last change.
        stream: the stream that has last set it, if one did: when it expires, the session is active.
    """

    status: str
    since: float
    stream: Stream | None = None


@dataclass(frozen=True)
class Change:
    """Something that happened to a message. `previous` is the message as it was rendered before.

    The app is told nothing of a stream's content ("streamed"), of ephemeral messages and of reactions.
    """

    kind: Literal["posted", "edited", "deleted", "streamed", "ephemeral", "reacted"]
    channel: Channel
    message: Message
    previous: Json | None = None


class Workspace:
    """Teams, users, groups, channels and messages, with a version that grows by one with every change.

    Attributes:
        files: all that were uploaded, shared or not.
        stream_lifetime_seconds: how long after its start a stream can be written.
        status_lifetime_seconds: how long a status stands that is not set anew.
    """

    def __init__(
        self,
        teams: Iterable[Team],
        users: Iterable[User],
        channels: Iterable[Channel],
        groups: Iterable[UserGroup] = (),
    ) -> None:
        self.teams = {team.id: team for team in teams}
        self.users = {user.id: user for user in users}
        self.channels = {channel.id: channel for channel in channels}
        self.groups = {group.id: group for group in groups}
        self.version = 0
        self.files = Files()
        self.stream_lifetime_seconds = streams.LIFETIME_SECONDS
        self.status_lifetime_seconds = STATUS_LIFETIME_SECONDS
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._messages: dict[str, dict[str, Message]] = {channel_id: {} for channel_id in self.channels}
        self._ephemeral: dict[tuple[str, str], Message] = {}
        self._statuses: dict[tuple[str, str], Status] = {}
        self._sessions: dict[tuple[str, str], Session] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._last_ts = 0

    # --- following ---

    def listen(self, listener: Callable[[Change], None]) -> None:
        """`listener` is called with every change of a message, in order, with the workspace locked."""
        self._listeners.append(listener)

    def touch(self) -> None:
        """Says that something changed which no method of this class did."""
        with self.lock:
            self.version += 1
            self._changed.notify_all()

    def wait(self, version: int, timeout: float) -> int:
        """Waits up to `timeout` seconds until the version is not `version` any more; returns the version."""
        with self.lock:
            self._changed.wait_for(lambda: self.version != version, timeout)
            return self.version

    # --- looking up ---

    def user(self, id_or_name: str) -> User | None:
        name = id_or_name.removeprefix("@")
        return self.users.get(id_or_name) or next((u for u in self.users.values() if u.name == name), None)

    def channel(self, id_or_name: str) -> Channel | None:
        name = id_or_name.removeprefix("#")
        named = (c for c in self.channels.values() if c.kind in ("public", "private") and c.name == name)
        return self.channels.get(id_or_name) or next(named, None)

    def direct_message(self, user_id: str) -> Channel | None:
        """The conversation between the user and the app."""
        return next((c for c in self.channels.values() if c.kind == "im" and user_id in c.members), None)

    def message(self, channel_id: str, ts: str) -> Message | None:
        return self._messages[channel_id].get(ts)

    def ephemeral(self, channel_id: str, ts: str) -> Message | None:
        """A message that one person sees: no method of Slack's API knows it."""
        return self._ephemeral.get((channel_id, ts))

    def messages(self, channel_id: str) -> list[Message]:
        """All messages of a channel, replies too, oldest first."""
        with self.lock:
            return list(self._messages[channel_id].values())

    def history(self, channel_id: str) -> list[Message]:
        """The messages that stand in the channel itself, oldest first."""
        return [m for m in self.messages(channel_id) if not m.is_reply or m.subtype == "thread_broadcast"]

    def replies(self, channel_id: str, root_ts: str) -> list[Message]:
        return [m for m in self.messages(channel_id) if m.is_reply and m.thread_ts == root_ts]

    def typed(self, text: str) -> str:
        """What Slack makes of a text that a person types."""
        channels = {c.name: c.id for c in self.channels.values() if c.kind in ("public", "private")}
        return mrkdwn.encode_typed_text(text, {u.name: u.id for u in self.users.values()}, channels)

    def streaming_state(self, message: Message) -> str | None:
        """ "in_progress" or "completed"; "stopped" or "expired" are the fake's own words. None: no stream."""
        stream = message.stream
        if stream is None:
            return None
        if stream.is_completed:
            return "completed"
        if stream.stopped_by:
            return "stopped"
        is_open = time.monotonic() - stream.opened_at < self.stream_lifetime_seconds
        return "in_progress" if is_open else "expired"

    def statuses(self) -> dict[tuple[str, str], Status]:
        """The statuses that stand, by channel and thread_ts."""
        oldest = time.monotonic() - self.status_lifetime_seconds
        with self.lock:
            return {place: status for place, status in self._statuses.items() if status.since > oldest}

    def processing(self) -> list[tuple[str, str]]:
        """The threads whose session is processing, by channel and thread_ts."""
        with self.lock:
            return [place for place in self._sessions if self.session_status(*place) == "processing"]

    def session_status(self, channel_id: str, thread_ts: str) -> str:
        """The status of the agent's session in a thread; "active" where there is none.

        docs.slack.dev/reference/methods/agents.sessions.setStatus: "processing" ends by itself after an hour,
        and with a stream that expires.
        """
        session = self._sessions.get((channel_id, thread_ts))
        if session is None or session.status != "processing":
            return session.status if session else "active"
        stream, now = session.stream, time.monotonic()
        expired = (
            stream and not stream.is_completed and now - stream.opened_at >= self.stream_lifetime_seconds
        )
        return "active" if expired or now - session.since >= SESSION_LIFETIME_SECONDS else "processing"

    # --- changing ---

    def new_ts(self) -> str:
        """A timestamp with six decimals, greater than every one before: a message's id in its channel."""
        with self.lock:
            self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(
        self,
        channel: Channel,
        user: User,
        text: str,
        *,
        blocks: list[Json] | None = None,
        thread_ts: str | None = None,
        broadcast: bool = False,
        metadata: Json | None = None,
        files: list[Json] | None = None,
        unfurl_links: bool | None = None,
        unfurl_media: bool | None = None,
        stream: Stream | None = None,
    ) -> Message:
        """Adds a message. A person's message without `blocks` gets the rich_text block Slack would make."""
        is_bot = user.bot_id is not None
        with self.lock:
            message = Message(
                channel_id=channel.id,
                ts=self.new_ts(),
                user=user,
                text=text,
                blocks=_with_ids(blocks or ([] if is_bot or not text else mrkdwn.rich_text(text))),
                thread_ts=thread_ts,
                metadata=metadata,
                files=files or [],
                unfurl_links=unfurl_links,
                unfurl_media=unfurl_media,
                client_msg_id=None if is_bot or files else str(uuid.uuid4()),
                notifications=mrkdwn.notifications(text, blocks or []),
                stream=stream,
            )
            if broadcast:
                message.subtype = "thread_broadcast"
            elif files and not is_bot:
                message.subtype = "file_share"
            self._messages[channel.id][message.ts] = message
            if is_bot:
                self._statuses.pop((channel.id, thread_ts or ""), None)
            self._tell(Change("posted", channel, message))
        return message

    def post_ephemeral(
        self,
        channel: Channel,
        user: User,
        text: str,
        blocks: list[Json],
        thread_ts: str | None,
        only_for: str,
    ) -> Message:
        """Shows a message to one person."""
        with self.lock:
            message = Message(channel.id, self.new_ts(), user, text, _with_ids(blocks), thread_ts)
            message.only_for = only_for
            self._ephemeral[channel.id, message.ts] = message
            self._tell(Change("ephemeral", channel, message))
        return message

    def show_stream(self, message: Message, stream: Stream, metadata: Json | None = None) -> None:
        """The message becomes what its stream holds now. The app hears of it once the stream is completed."""
        with self.lock:
            previous = self.render(message)
            message.text, message.blocks = stream.text, _with_ids(stream.blocks)
            message.metadata = metadata or message.metadata
            self._note_notifications(message)
            self._statuses.pop((message.channel_id, message.thread_ts or ""), None)
            kind: Literal["edited", "streamed"] = "edited" if stream.is_completed else "streamed"
            self._tell(Change(kind, self.channels[message.channel_id], message, previous))

    def edit(
        self, message: Message, editor: User, text: str, blocks: list[Json], metadata: Json | None = None
    ) -> None:
        """Replaces a message's content."""
        with self.lock:
            previous = self.render(message)
            message.text, message.blocks, message.metadata = text, _with_ids(blocks), metadata
            message.edited = {"user": editor.id, "ts": self.new_ts()}
            message.edits.append(Edit(time.time(), text, blocks))
            message.stream = None
            self._note_notifications(message)
            self._tell(Change("edited", self.channels[message.channel_id], message, previous))

    def edit_as_typed(self, message: Message, text: str) -> None:
        """The author of `message` replaces its text."""
        self.edit(message, message.user, text, mrkdwn.rich_text(text), message.metadata)

    def delete(self, message: Message) -> None:
        """Removes a message; the root of a thread leaves a tombstone, as in Slack."""
        with self.lock:
            previous = self.render(message)
            channel = self.channels[message.channel_id]
            if not message.is_reply and self.replies(channel.id, message.ts):
                message.user = User(SLACKBOT, message.user.team_id, "slackbot", "Slackbot")
                message.subtype, message.text = "tombstone", "This message was deleted."
                message.blocks, message.files, message.metadata, message.stream = [], [], None, None
                self._tell(Change("edited", channel, message, previous))
            else:
                del self._messages[channel.id][message.ts]
                self._tell(Change("deleted", channel, message, previous))

    def _note_notifications(self, message: Message) -> None:
        found = mrkdwn.notifications(message.text, message.blocks)
        message.notifications = list(dict.fromkeys([*message.notifications, *found]))

    def react(self, message: Message, user: User, emoji: str) -> bool:
        """Somebody puts an emoji under a message. False if they have done so before."""
        with self.lock:
            users = message.reactions.setdefault(emoji, [])
            if user.id in users:
                return False
            users.append(user.id)
            self._tell(Change("reacted", self.channels[message.channel_id], message))
            return True

    def take_reaction_back(self, message: Message, user: User, emoji: str) -> bool:
        """Somebody takes their emoji away. False if it is not there."""
        with self.lock:
            users = message.reactions.get(emoji, [])
            if user.id not in users:
                return False
            users.remove(user.id)
            if not users:
                del message.reactions[emoji]
            self._tell(Change("reacted", self.channels[message.channel_id], message))
            return True

    def stop_stream(self, message: Message, stream: Stream, user: User) -> None:
        """A person presses Stop."""
        with self.lock:
            stream.stopped_by = user.id
            self._tell(Change("streamed", self.channels[message.channel_id], message))

    def set_status(
        self, channel: Channel, thread_ts: str, text: str, loading_messages: Iterable[str] = ()
    ) -> None:
        """What the app says of itself in a thread until it posts there; an empty text takes it back."""
        with self.lock:
            if text:
                status = Status(text, tuple(loading_messages), time.monotonic())
                self._statuses[channel.id, thread_ts] = status
            else:
                self._statuses.pop((channel.id, thread_ts), None)
            self.set_session(channel.id, thread_ts, "processing" if text else "active")

    def set_session(self, channel_id: str, thread_ts: str, status: str, stream: Stream | None = None) -> None:
        """The agent's session in a thread is in this status, and was brought there by `stream` if given."""
        with self.lock:
            self._sessions[channel_id, thread_ts] = Session(status, time.monotonic(), stream)
            self.touch()

    def _tell(self, change: Change) -> None:
        self.touch()
        for listener in self._listeners:
            listener(change)

    # --- showing ---

    def render(self, message: Message, *, metadata: bool = False) -> Json:
        """The message as Slack's APIs show it: docs.slack.dev/reference/events/message."""
        body: Json = {"type": "message", "user": message.user.id, "ts": message.ts, "text": message.text}
        if message.subtype:
            body["subtype"] = message.subtype
        if message.user.bot_id:
            body |= self._authorship(message.user)
        if message.files:
            body |= {"files": message.files, "upload": False}  # and no `team`
        else:
            body["team"] = message.user.team_id
        if message.client_msg_id:
            body["client_msg_id"] = message.client_msg_id
        for name in ("blocks", "edited"):
            if getattr(message, name):
                body[name] = getattr(message, name)
        if state := self.streaming_state(message):
            body["streaming_state"] = state
        if message.reactions:
            reactions = message.reactions.items()
            body["reactions"] = [{"name": n, "users": [*u], "count": len(u)} for n, u in reactions]
        if metadata and message.metadata:
            body["metadata"] = message.metadata
        return copy.deepcopy(body | self._thread_members(message))

    def inspect(self, message: Message) -> Json:
        """`render`, and what the page and the tests want to know besides."""
        return self.render(message, metadata=True) | {
            "channel": message.channel_id,
            "user_name": message.user.name,
            "edits": [{"at": e.at, "text": e.text, "blocks": copy.deepcopy(e.blocks)} for e in message.edits],
            "notifications": list(message.notifications),
            "unfurl_links": message.unfurl_links,
            "unfurl_media": message.unfurl_media,
            "stream": message.stream
            and {
                "mode": message.stream.mode,
                "display": message.stream.display,
                "bytes": message.stream.bytes,
                "stopped_by": message.stream.stopped_by,
            },
        }

    def _authorship(self, bot: User) -> Json:
        profile = {"id": bot.bot_id, "app_id": bot.app_id, "name": bot.name, "team_id": bot.team_id}
        return {
            "bot_id": bot.bot_id,
            "app_id": bot.app_id,
            "bot_profile": profile | {"deleted": False, "icons": {}},
        }

    def _thread_members(self, message: Message) -> Json:
        if message.is_reply and message.thread_ts:
            root = self.message(message.channel_id, message.thread_ts)
            return {"thread_ts": message.thread_ts} | ({"parent_user_id": root.user.id} if root else {})
        replies = self.replies(message.channel_id, message.ts)
        if not replies:
            return {}
        users = list(dict.fromkeys(reply.user.id for reply in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": replies[-1].ts,
            "is_locked": message.is_locked,
            "subscribed": False,
        }


def _with_ids(blocks: list[Json]) -> list[Json]:
    """Gives the blocks an id that have none; the markdown block ignores it."""
    return [
        block
        if block.get("type") == "markdown" or "block_id" in block
        else block | {"block_id": uuid.uuid4().hex[:5]}
        for block in blocks
    ]
