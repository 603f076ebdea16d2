"""Reads the body of a signed request of Slack's Events API.

Formats: docs.slack.dev/apis/events-api and docs.slack.dev/reference/events. A signed body of any other format
is ignored, never refused: after refusals Slack disables the subscription.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.bridge.fields import ID, TS
from functions.bridge.fields import any_text as _string
from functions.bridge.incoming.changes import (
    CHANGES,
    SPOKEN_SUBTYPES,
    change_of,
    is_from_person,
    may_be_follow_up,
)
from functions.bridge.incoming.user_text import (
    first_mentioned,
    mentioned_people,
    question_text,
)
from functions.bridge.queue_commands import MOST_STREAMS, Ask, EditQuestion, StopThread, TakeBack
from functions.bridge.turn import LARGEST_FILE, MOST_LISTED_FILES, Attachment, Notice, Turn

# Characters of a file's name or media type.
_LONGEST_NAME = 200
# Slack retries an event for a day at most (docs.slack.dev/apis/events-api). A later event is about an edit,
# and the record that the message was answered may have expired by then.
OLDEST_MESSAGE_SECONDS = 2 * 24 * 3600


@dataclass(frozen=True)
class Challenge:
    """Slack's `url_verification`. The response has to be `value`."""

    value: str


@dataclass(frozen=True)
class Ignored:
    """A request that asks for nothing. `reason` is a fixed word for the metric, never content."""

    reason: str


class _NotOurs(Exception):
    """The event is ignored. The text is the reason of `Ignored`."""


def parse(
    body: bytes, *, now: float, follow_ups: Collection[str] = ()
) -> Challenge | Ask | StopThread | EditQuestion | TakeBack | Ignored:
    """What the body of a verified request asks for.

    Args:
        now: seconds since the epoch.
        follow_ups: the channels where a message may be for the bot that does not mention it, and "dm" for
            group direct messages.
    """
    try:
        # json.loads would also accept UTF-16 and UTF-32.
        envelope = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return Ignored("not_json")
    if not isinstance(envelope, dict):
        return Ignored("not_an_object")
    kind = envelope.get("type")
    if kind == "url_verification":
        challenge = envelope.get("challenge")
        return Challenge(challenge) if isinstance(challenge, str) else Ignored("malformed")
    if kind == "app_rate_limited":
        return Ignored("app_rate_limited")
    event = envelope.get("event")
    if kind != "event_callback" or not isinstance(event, dict):
        return Ignored("unknown_type")
    try:
        if event.get("type") == "agent_session_stopped":
            stop = _stop(envelope, event)
            return Ignored("too_old") if now - float(stop.event_ts) > OLDEST_MESSAGE_SECONDS else stop
        if event.get("type") == "message" and event.get("subtype") in CHANGES:
            change = _change(envelope, event, follow_ups)
            return Ignored("too_old") if now - float(change.ts) > OLDEST_MESSAGE_SECONDS else change
        turn = _turn(envelope, event, follow_ups)
    except _NotOurs as exc:
        return Ignored(str(exc))
    return Ignored("too_old") if now - float(turn.ts) > OLDEST_MESSAGE_SECONDS else Ask(turn)


def _stop(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> StopThread:
    """docs.slack.dev/reference/events/agent_session_stopped"""
    installation = _installation(envelope, event)
    listed = event.get("streaming_message_ts")
    streams = [ts for ts in listed if isinstance(ts, str)] if isinstance(listed, list) else []
    stop = StopThread(
        team=_string(installation, "team_id") or _string(envelope, "team_id"),
        channel=_string(event, "channel"),
        thread_ts=_string(event, "thread_ts") or next(iter(streams), ""),
        user=_string(event, "user"),
        event_ts=_string(event, "event_ts"),
        streams=tuple(streams[:MOST_STREAMS]),
        sender_unknown=_is_from_us(envelope, event, installation) is not True,
        in_shared_channel=envelope.get("is_ext_shared_channel") is True,
    )
    ids_fit = all(ID.fullmatch(name) for name in (stop.team, stop.channel, stop.user))
    if not ids_fit or not all(TS.fullmatch(ts) for ts in (stop.thread_ts, stop.event_ts, *stop.streams)):
        raise _NotOurs("malformed")
    return stop


def _change(
    envelope: Mapping[str, Any], event: Mapping[str, Any], follow_ups: Collection[str]
) -> EditQuestion | TakeBack:
    """A person has changed or deleted a message that may be a question."""
    installation = _installation(envelope, event)
    team = _string(installation, "team_id") or _string(envelope, "team_id")
    change = change_of(event, team=team, bot_user=_string(installation, "user_id"), follow_ups=follow_ups)
    if change is None:
        raise _NotOurs("not_spoken")
    ids_fit = all(ID.fullmatch(name) for name in (change.team, change.channel, change.user))
    if not ids_fit or not all(TS.fullmatch(ts) for ts in (change.ts, change.thread_ts, change.event_ts)):
        raise _NotOurs("malformed")
    return change


def _turn(envelope: Mapping[str, Any], event: Mapping[str, Any], follow_ups: Collection[str]) -> Turn:
    installation = _installation(envelope, event)
    bot_user = _string(installation, "user_id")
    team = _string(installation, "team_id") or _string(envelope, "team_id")
    is_follow_up = _check_addressed(event, bot_user, follow_ups)
    ts = _string(event, "ts")
    text = _string(event, "text")
    turn = Turn(
        team=team,
        channel=_string(event, "channel"),
        ts=ts,
        thread_ts=_string(event, "thread_ts") or ts,
        user=_string(event, "user"),
        bot_user=bot_user,
        text=question_text(text, bot_user=bot_user),
        files=_files(event),
        mentioned=mentioned_people(text, bot_user=bot_user),
        app=_string(envelope, "api_app_id"),
        organization=_string(installation, "enterprise_id"),
        in_shared_channel=envelope.get("is_ext_shared_channel") is True,
        is_follow_up=is_follow_up,
    )
    ids = (turn.team, turn.channel, turn.user, turn.bot_user, *filter(None, (turn.app, turn.organization)))
    ids_fit = all(ID.fullmatch(name) for name in ids)
    if not ids_fit or not TS.fullmatch(turn.ts) or not TS.fullmatch(turn.thread_ts):
        raise _NotOurs("malformed")
    return _with_notice(turn, envelope, event, installation)


def _check_addressed(event: Mapping[str, Any], bot_user: str, follow_ups: Collection[str]) -> bool:
    """Whether the message is a follow-up, of which only the ledger knows whether it is for the bot."""
    kind = event.get("type")
    if kind not in ("app_mention", "message"):
        raise _NotOurs("other_event")
    is_follow_up = kind == "message" and event.get("channel_type") != "im"
    if is_follow_up and not may_be_follow_up(event, event, follow_ups):
        raise _NotOurs("not_addressed")
    if event.get("hidden") or event.get("subtype") not in SPOKEN_SUBTYPES:
        raise _NotOurs("not_spoken")
    if not is_from_person(event, bot_user):
        raise _NotOurs("from_a_bot")
    return is_follow_up


def _with_notice(
    turn: Turn, envelope: Mapping[str, Any], event: Mapping[str, Any], installation: Mapping[str, Any]
) -> Turn:
    is_ours = _is_from_us(envelope, event, installation)
    if turn.is_follow_up and (is_ours is False or not (turn.text or turn.files)):
        raise _NotOurs("not_addressed")
    if is_ours is False:
        notice = Notice.EXTERNAL
    elif not (turn.text or turn.files):
        notice = Notice.EMPTY
    else:
        return replace(turn, sender_unknown=is_ours is None)
    return replace(turn, text="", files=(), mentioned=(), notice=notice)


def _files(event: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files of the message (docs.slack.dev/reference/objects/file-object).

    Files that Slack does not describe here (`file_access: check_file_info`, deleted files) have no address.
    """
    listed = event.get("files")
    files = [file for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    return tuple(
        Attachment(
            name=(_string(file, "name") or _string(file, "id"))[:_LONGEST_NAME],
            media_type=_string(file, "mimetype")[:_LONGEST_NAME],
            size=_size(file),
            url=_string(file, "url_private_download") or _string(file, "url_private"),
        )
        for file in files[:MOST_LISTED_FILES]
    )


def _is_from_us(
    envelope: Mapping[str, Any], event: Mapping[str, Any], installation: Mapping[str, Any]
) -> bool | None:
    """Whether the sender belongs to the bot's organization; None when the event does not say.

    The event names the sender's workspace or Enterprise organization in `user_team`, `source_team`,
    `user_profile` or `team` (docs.slack.dev/apis/slack-connect); a mention with files may name none. Our own
    are read from the installation, because the envelope's team may be the sender's.
    """
    organization = _string(installation, "enterprise_id")
    # An organization-wide installation may have no team. Without organization too, it has the old format.
    team = _string(installation, "team_id") or ("" if organization else _string(envelope, "team_id"))
    home = _home(event)
    if home and home in (team, organization):
        return True
    if home and (home.startswith("E") or not organization):
        return False
    # No home is named, or a workspace that may be another one of our organization.
    return True if envelope.get("is_ext_shared_channel") is False else None


def _home(event: Mapping[str, Any]) -> str:
    profile = event.get("user_profile")
    named = _string(profile, "team") if isinstance(profile, dict) else ""
    return _string(event, "user_team") or _string(event, "source_team") or named or _string(event, "team")


def _installation(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The installation that the event is for: `authorizations[0]`, the only entry.

    Old envelopes and some emulators of Slack have no authorizations
    (docs.slack.dev/changelog/2020-09-15-events-api-truncate-authed-users). Then the first mentioned user is
    taken for the bot, except in a Slack Connect channel, where the envelope's team is the sender's.
    """
    authorizations = envelope.get("authorizations")
    if not authorizations and event.get("type") == "app_mention":
        bot_user = first_mentioned(_string(event, "text"))
        if bot_user and envelope.get("is_ext_shared_channel") is not True:
            return {"user_id": bot_user}
    if isinstance(authorizations, list) and authorizations and isinstance(authorizations[0], dict):
        return authorizations[0]
    raise _NotOurs("malformed")


def _size(file: Mapping[str, Any]) -> int:
    size = file.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        return 0
    return min(max(size, 0), LARGEST_FILE)
