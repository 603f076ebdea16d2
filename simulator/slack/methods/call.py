"""What a Web API method gets to work with: the call's arguments and the state behind them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.slack.errors import SlackError, refusal
from simulator.slack.installation import Installation
from simulator.slack.workspace import Channel, Json, Message, Workspace

_TS = re.compile(r"\d{1,12}\.\d{6}")


@dataclass
class Call:
    """One call of a method. `warnings` are added to its answer."""

    method: str
    args: Json
    workspace: Workspace
    installation: Installation
    warnings: list[str] = field(default_factory=list)

    def text(self, name: str) -> str | None:
        """A string argument, None if it is absent or null. Raises SlackError invalid_arguments."""
        value = self.args.get(name)
        if value is not None and not isinstance(value, str):
            raise refusal("invalid_arguments", f"must be a string [json-pointer:/{name}]")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise refusal("invalid_arguments", f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool | None:
        """A boolean argument as Slack reads it: true, "true", 1 and "1" are true."""
        value = self.args.get(name)
        return None if value is None else str(value).lower() in ("true", "1")

    def ts(self, name: str) -> str:
        """A required timestamp. Raises SlackError invalid_arguments if it is not written like one."""
        value = self.required(name)
        if not _TS.fullmatch(value):
            raise refusal("invalid_arguments", f"invalid timestamp [json-pointer:/{name}]")
        return value

    def need(self, *scopes: str) -> None:
        """Raises SlackError missing_scope unless the token has one of `scopes`."""
        if not self.installation.scopes.intersection(scopes):
            provided = ",".join(sorted(self.installation.scopes))
            raise SlackError("missing_scope", needed=",".join(scopes), provided=provided)

    def visible_channel(self, argument: str = "channel", *, by_name: bool = False) -> Channel:
        """The channel that an argument names, or SlackError channel_not_found.

        A bot sees the public channels and those it is a member of.
        """
        given = self.required(argument)
        channel = self.workspace.channel(given)
        seen = channel and (channel.kind == "public" or self.installation.bot.id in channel.members)
        if channel is None or not seen or (channel.id != given and not by_name):
            raise SlackError("channel_not_found")
        return channel

    def joined_channel(self, argument: str = "channel") -> Channel:
        """Like `visible_channel`, or SlackError not_in_channel."""
        channel = self.visible_channel(argument)
        if self.installation.bot.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def destination(self, argument: str = "channel") -> Channel:
        """The channel to post to, which may be given as a name, or as a person whose direct message it is.

        Raises SlackError channel_not_found, not_in_channel, is_archived or messages_tab_disabled.
        """
        given = self.required(argument)
        person = given in self.workspace.users
        channel = self.workspace.direct_message(given) if person else None
        channel = channel or self.visible_channel(argument, by_name=True)
        bot_is_member = self.installation.bot.id in channel.members
        if not bot_is_member and "chat:write.public" not in self.installation.scopes:
            raise SlackError("not_in_channel")
        if channel.is_archived:
            raise SlackError("is_archived")
        if channel.kind == "im" and not self.installation.messages_tab:
            raise SlackError("messages_tab_disabled")
        return channel

    def thread(self, channel: Channel) -> str | None:
        """The root's ts of the argument `thread_ts`, if it is given.

        Slack's documentation says to avoid a reply's ts; the fake refuses it. Raises SlackError
        thread_not_found, cannot_reply_to_message or restricted_action_thread_locked.
        """
        if not self.args.get("thread_ts"):
            return None
        root = self.workspace.message(channel.id, self.ts("thread_ts"))
        if root is None or root.is_reply:
            raise SlackError("thread_not_found")
        if root.subtype not in (None, "file_share", "tombstone"):
            raise SlackError("cannot_reply_to_message")
        if root.is_locked:
            raise SlackError("restricted_action_thread_locked")
        return root.ts

    def message(self, channel: Channel, ts: str) -> Message:
        message = self.workspace.message(channel.id, ts)
        if message is None or message.subtype == "tombstone":
            raise SlackError("message_not_found")
        return message


@dataclass(frozen=True)
class Method:
    """A method of the Web API.

    Attributes:
        run: has the effect and returns the answer without `ok`; raises SlackError.
        scopes: one of them is needed, unless there are none.
        tier: the rate limit; None for chat.postMessage's own, 0 for no limit.
    """

    run: Callable[[Call], dict[str, Any]]
    tier: int | None
    scopes: tuple[str, ...] = ()
    needs_token: bool = True
