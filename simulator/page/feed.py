"""What the page shows, as server-sent events: first everything, then what has changed.

snapshot   {team, channels, users, messages, entries, ...}
channels   [channel]: members, archived
messages   {changed: [message], deleted: [{channel, ts}]}
statuses   [{channel, thread_ts, text, loading_messages, can_stop}]: all that stand now; without a text where
           Slack shows its Stop only
entries    [entry]: new ones of the journal, and earlier ones whose thread is known only now
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from simulator.journal import Entry, Journal
from simulator.page.rendering import Renderer
from simulator.page.suggestions import EXAMPLES, EXAMPLES_FOR_ANY_AGENT, suggestions
from simulator.page.tracing import Tracer
from simulator.slack.installation import Installation
from simulator.slack.methods.reactions import EMOJI
from simulator.slack.workspace import Change, Channel, Json, Message, User, Workspace

# A wait ends with a change in the workspace; the journal is looked at this often besides.
POLL_SECONDS = 0.1
# A line now and then, without which the server would not notice that a browser has gone.
HEARTBEAT_SECONDS = 10.0
MAX_ENTRIES = 2000  # the newest, in a snapshot
# What an entry carries for whoever opens it; the page fetches these facts one by one.
LARGE_FACTS = frozenset({"arguments", "result", "envelope", "body"})

_Key = tuple[str, str]  # a message's channel and ts


@dataclass
class _Position:
    """How much a browser has already got."""

    version: int
    changes: int
    entries: int
    statuses: list[Json]


class Feed:
    """Follows the workspace and the journal for any number of browsers."""

    def __init__(
        self, workspace: Workspace, installation: Installation, journal: Journal, *, own_agent: str = ""
    ) -> None:
        self._own_agent = own_agent
        self._workspace = workspace
        self._installation = installation
        self._journal = journal
        names = {user.id: f"@{user.name}" for user in workspace.users.values()}
        names |= {channel.id: f"#{channel.name}" for channel in workspace.channels.values()}
        self._renderer = Renderer(names)
        self._changes: list[_Key] = []
        workspace.listen(self._note)

    def events(self) -> Iterator[str]:
        """The endless stream; the reader ends it by closing the connection."""
        tracer = Tracer(self._thread_ts)
        # Entries first: all that they speak of is in the messages that are read after them.
        entries = self._journal.entries()
        position, messages = self._everything(len(entries))
        shown = self._traced(entries, tracer)[-MAX_ENTRIES:]
        yield _event("snapshot", self._snapshot(messages, shown) | {"statuses": position.statuses})
        heard = time.monotonic()
        while True:
            events = list(self._news(position, tracer))
            if events or time.monotonic() - heard > HEARTBEAT_SECONDS:
                heard = time.monotonic()
                yield "".join(events) or ": still here\n\n"

    def _note(self, change: Change) -> None:
        """Called with the workspace locked."""
        channel, message = change.channel.id, change.message
        self._changes.append((channel, message.ts))
        if message.is_reply and message.thread_ts:
            self._changes.append((channel, message.thread_ts))  # its count of replies

    def _everything(self, entries: int) -> tuple[_Position, list[Json]]:
        workspace = self._workspace
        with workspace.lock:
            position = _Position(workspace.version, len(self._changes), entries, self._statuses())
            keys = [(c, m.ts) for c in workspace.channels for m in workspace.messages(c)]
            found = [facts for key in keys if (facts := self._facts(key))]
        return position, self._rendered(found)

    def _snapshot(self, messages: list[Json], entries: list[Json]) -> Json:
        workspace = self._workspace
        return {
            "teams": {team.id: team.name for team in workspace.teams.values()},
            "users": [_user(user) for user in workspace.users.values()],
            "channels": self._channels(),
            "messages": messages,
            "entries": entries,
            "own_agent": self._own_agent,
            "examples": EXAMPLES_FOR_ANY_AGENT if self._own_agent else EXAMPLES,
            "suggestions": [] if self._own_agent else [asdict(suggestion) for suggestion in suggestions()],
        }

    def _news(self, position: _Position, tracer: Tracer) -> Iterator[str]:
        """Wait a moment and return what has happened since `position`, which is advanced."""
        workspace = self._workspace
        version = workspace.wait(position.version, POLL_SECONDS)
        entries = self._journal.entries(after=position.entries)
        if version != position.version:
            with workspace.lock:
                position.version = workspace.version
                keys = list(dict.fromkeys(self._changes[position.changes :]))
                position.changes = len(self._changes)
                facts = {key: self._facts(key) for key in keys}
            if keys:
                gone = [{"channel": channel, "ts": ts} for (channel, ts), found in facts.items() if not found]
                changed = self._rendered(found for found in facts.values() if found)
                yield _event("messages", {"changed": changed, "deleted": gone})
            else:
                yield _event("channels", self._channels())
        statuses = self._statuses()
        if statuses != position.statuses:
            position.statuses = statuses
            yield _event("statuses", statuses)
        if entries:
            position.entries = entries[-1].number
            yield _event("entries", self._traced(entries, tracer))

    def _facts(self, key: _Key) -> Json | None:
        """With the workspace locked: the message as Slack's APIs show it, None if there is none any more."""
        message = self._workspace.message(*key) or self._workspace.ephemeral(*key)
        if message is None:
            return None
        return self._workspace.render(message) | {"channel": message.channel_id, **_page_facts(message)}

    def _rendered(self, messages: Iterable[Json]) -> list[Json]:
        """What the page needs of the messages. Not with the workspace locked: long Markdown takes a while."""
        names = ("channel", "ts", "user", "in_channel", "edits", "thread_ts", "reply_count", "reply_users")
        more = ("latest_reply", "is_locked", "subtype", "streaming_state", "only_for", "reactions")
        return [
            {name: message.get(name) for name in (*names, *more)} | {"html": self._renderer.message(message)}
            for message in messages
        ]

    def _channels(self) -> list[Json]:
        with self._workspace.lock:
            return [_channel(channel) for channel in self._workspace.channels.values()]

    def _statuses(self) -> list[Json]:
        statuses = self._workspace.statuses()
        has_stop = "agent_session_stopped" in self._installation.bot_events
        stoppable = self._workspace.processing() if has_stop else []
        return [
            {
                "channel": channel,
                "thread_ts": thread_ts,
                "text": status.text if (status := statuses.get((channel, thread_ts))) else "",
                "loading_messages": status.loading_messages if status else (),
                "can_stop": (channel, thread_ts) in stoppable,
            }
            for channel, thread_ts in dict.fromkeys([*statuses, *stoppable])
        ]

    def _traced(self, entries: list[Entry], tracer: Tracer) -> list[Json]:
        """The entries with their threads, and the earlier ones that these have made clear, without facts."""
        known = set(tracer.threads)
        for entry in entries:
            tracer.add(entry)
        new = {entry.number for entry in entries}
        cleared_up = [n for n in tracer.threads if n not in known and n not in new]
        return [
            *({"number": number, "thread": tracer.threads[number]} for number in cleared_up),
            *(_entry(entry) | {"thread": tracer.threads.get(entry.number)} for entry in entries),
        ]

    def _thread_ts(self, channel: str, ts: str) -> str | None:
        if channel not in self._workspace.channels:
            return None
        message = self._workspace.message(channel, ts)
        return None if message is None else message.thread_ts or message.ts


def _event(name: str, data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n"


def _page_facts(message: Message) -> Json:
    return {
        "in_channel": not message.is_reply or message.subtype == "thread_broadcast",
        "edits": len(message.edits),
        "only_for": message.only_for,
        "reactions": [[EMOJI[name], len(users)] for name, users in message.reactions.items()],
    }


def _user(user: User) -> Json:
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "team": user.team_id,
        "is_bot": user.bot_id is not None,
    }


def _channel(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "members": sorted(channel.members),
        "teams": channel.teams,
        "is_archived": channel.is_archived,
    }


def _entry(entry: Entry) -> Json:
    facts = {name: value for name, value in entry.detail.items() if name not in LARGE_FACTS}
    return {
        "number": entry.number,
        "at": entry.at,
        "source": entry.source,
        "kind": entry.kind,
        "detail": facts,
    }
