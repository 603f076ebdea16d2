"""The control API: what people do in the fake Slack, and what tests want of it. JSON in, JSON out.

An answer is {"ok": true, ...}, or HTTP 400 with {"ok": false, "error": "..."}. A channel is an id, a name, or
"dm" (the user's direct message with the app); a user is an id or a name.

What people do
  POST /control/messages      {channel, user, text, thread_ts?, broadcast?, files?}
                              -> {channel, ts, event_ids}. The text is as typed, with
                              @agent, #general, URLs, & < >. A file is {name, mimetype?, bytes?, size?},
                              the bytes in base64; `size` is what Slack is to say, right or wrong.
  POST /control/edit          {channel, ts, text}: the author changes a message
  POST /control/delete        {channel, ts}: the author deletes a message
  POST /control/press         {channel, ts, action_id, user, times?, inputs?}: presses a button; `inputs` are
                              what stands in the message's inputs, by action id -> {statuses, bodies};
                              twice is a double click on what the person sees
  POST /control/stop          {channel, ts, user}: presses Slack's own Stop in the thread of the message `ts`,
                              which stops the streams there -> {stopped: [ts], event_ids}. Slack shows that
                              button while the session is processing, and only to the people of apps that
                              have subscribed to agent_session_stopped.
  POST /control/home          {user, tab?}: opens the app's "messages" (default) or "home" tab -> {event_ids}

What to look at
  GET  /control/state         channels, users, every message with its edits, notifications and stream;
                              statuses; version
  GET  /control/wait          ?version=&timeout= (seconds, up to 30): until the state changes -> {version}
  GET  /control/thread        ?channel=&ts= -> {messages, status, session}: the root and its replies; a status
                              or null; whether the agent's session is "processing" or "active"
  GET  /control/calls         ?method= -> {calls}: each Web API call {at, method, args, status, result}
  GET  /control/events        ?event_id= -> {events}: each event {event_id, event, done, attempts}

Events out of the ordinary
  POST /control/events        {event | payload | raw, signed?, times?, together?} -> {statuses, bodies}
                              `event` is put into an envelope; `payload` is the whole JSON body, or `raw`
                              the body as a string.
                              `signed`: "valid" (default), "none", "stale", "forged". No retries.
  POST /control/redeliver     {event_id, times?} -> {statuses}: the same event again, as a retry
  POST /control/interactions  {payload} -> {statuses, bodies}: a signed request to the interactivity URL

What goes wrong
  POST   /control/faults      {method, times?, skip?, error | status | retry_after | drop | delay_seconds}
                              `drop`: "before" or "after" the effect; `method` "*" is any. Oldest fault first.
                              "files.upload" and "files.download" are the requests to the files' origin.
  DELETE /control/faults      no more faults
  POST /control/tiers         {enabled, scale?}: Slack's rate limits, in windows of a minute times scale
  POST /control/lifetimes     {stream_seconds?, status_seconds?}: of streams and statuses, present and future
  POST /control/scopes        {add?: [...], remove?: [...]} -> {scopes}
  POST /control/archive       {channel, archived?}
  POST /control/remove-bot    {channel}
  POST /control/invite-bot    {channel}
  POST /control/lock-thread   {channel, ts, locked?}
  POST /control/revoke-token  {error?}: every call's error, default "account_inactive"; null: valid again
  POST /control/secrets       {signing_secret?, bot_token?}: what Slack uses from now on
"""

import base64
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.journal import Journal
from simulator.slack import interactions
from simulator.slack.events import Attempt, EventsApi
from simulator.slack.faults import Fault, Faults
from simulator.slack.installation import Installation
from simulator.slack.tiers import Tiers
from simulator.slack.web_api import WebApi
from simulator.slack.workspace import Channel, Json, Message, Status, User, Workspace

MAX_WAIT_SECONDS = 30.0


class ControlError(Exception):
    """The request makes no sense; its text is the `error` of the answer."""


class Control:
    """The blueprint of the control API."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        installation: Installation,
        events: EventsApi,
        faults: Faults,
        tiers: Tiers,
        web_api: WebApi,
        journal: Journal,
    ) -> None:
        self._workspace = workspace
        self._installation = installation
        self._events = events
        self._faults = faults
        self._tiers = tiers
        self._web_api = web_api
        self._journal = journal
        self.blueprint = Blueprint("control", __name__, url_prefix="/control")
        self.blueprint.register_error_handler(ControlError, _bad_request)
        self.blueprint.add_url_rule("", view_func=_help, methods=["GET"])
        self._route("GET", "state", self._state)
        self._route("GET", "wait", self._wait)
        self._route("GET", "thread", self._thread)
        self._route("GET", "calls", self._calls)
        self._route("GET", "events", self._sent_events)
        self._route("POST", "messages", self._post_message)
        self._route("POST", "edit", self._edit)
        self._route("POST", "delete", self._delete)
        self._route("POST", "press", self._press)
        self._route("POST", "stop", self._stop)
        self._route("POST", "home", self._open_home)
        self._route("POST", "events", self._send_event)
        self._route("POST", "redeliver", self._redeliver)
        self._route("POST", "interactions", self._interact)
        self._route("POST", "faults", self._add_fault)
        self._route("DELETE", "faults", self._clear_faults)
        self._route("POST", "tiers", self._switch_tiers)
        self._route("POST", "lifetimes", self._set_lifetimes)
        self._route("POST", "scopes", self._change_scopes)
        self._route("POST", "archive", self._archive)
        self._route("POST", "remove-bot", self._remove_bot)
        self._route("POST", "invite-bot", self._invite_bot)
        self._route("POST", "lock-thread", self._lock_thread)
        self._route("POST", "revoke-token", self._revoke_token)
        self._route("POST", "secrets", self._replace_secrets)

    def _route(self, verb: str, path: str, function: Callable[[Json], Json]) -> None:
        def view() -> Response:
            return jsonify({"ok": True, **function(_given())})

        self.blueprint.add_url_rule(f"/{path}", f"{verb} {path}", view, methods=[verb])

    # --- what people do ---

    def _post_message(self, given: Json) -> Json:
        user = self._user(given)
        channel = self._channel(given, user)
        self._check_may_post(user, channel)
        thread_ts = given.get("thread_ts") or None
        if thread_ts:
            root = self._workspace.message(channel.id, thread_ts)
            if root is None or root.is_reply:
                raise ControlError("thread_not_found")
        text = self._workspace.typed(
            _required(given, "text") if not given.get("files") else given.get("text", "")
        )
        message = self._workspace.post(
            channel,
            user,
            text,
            thread_ts=thread_ts,
            broadcast=bool(thread_ts and given.get("broadcast")),
            files=[self._file(user, file) for file in given.get("files", [])],
        )
        self._journal.add(
            "slack", "user message", channel=channel.id, user=user.id, ts=message.ts, chars=len(text)
        )
        return {
            "channel": channel.id,
            "ts": message.ts,
            "event_ids": self._events.about(channel.id, message.ts),
        }

    def _check_may_post(self, user: User, channel: Channel) -> None:
        if user.id not in channel.members:
            raise ControlError("not_in_channel")
        if channel.is_archived:
            raise ControlError("is_archived")
        if channel.kind == "im" and not self._installation.messages_tab:
            raise ControlError("messages_tab_disabled")

    def _file(self, user: User, given: Json) -> Json:
        try:
            content = base64.b64decode(given.get("bytes", ""), validate=True)
        except (TypeError, ValueError):
            raise ControlError("bytes are given in base64") from None
        file = self._workspace.files.add(
            name=_required(given, "name"),
            mimetype=given.get("mimetype"),
            size=int(given.get("size", len(content))),
            content=content,
            user_id=user.id,
            team_id=user.team_id,
        )
        return file.render()

    def _edit(self, given: Json) -> Json:
        message = self._message(given)
        text = self._workspace.typed(_required(given, "text"))
        self._journal.add("slack", "user edit", channel=message.channel_id, ts=message.ts, chars=len(text))
        self._workspace.edit_as_typed(message, text)
        return {}

    def _delete(self, given: Json) -> Json:
        self._workspace.delete(self._message(given))
        return {}

    def _press(self, given: Json) -> Json:
        action_id, user = _required(given, "action_id"), self._user(given)
        with self._workspace.lock:
            bot, message = self._installation.bot, self._message(given)
            payloads = [
                payload
                for _ in range(int(given.get("times", 1)))
                if (
                    payload := interactions.pressed(
                        self._workspace, bot, message, action_id, user, inputs=given.get("inputs", {})
                    )
                )
            ]
        if not payloads:
            raise ControlError("action_not_found")
        return _answers([self._events.send_interaction(payload) for payload in payloads])

    def _stop(self, given: Json) -> Json:
        user, message = self._user(given), self._message(given)
        if "agent_session_stopped" not in self._installation.bot_events:
            raise ControlError("there is no Stop button: agent_session_stopped is not subscribed")
        root_ts = message.thread_ts or message.ts
        workspace = self._workspace
        with workspace.lock:
            stopped = []
            for reply in workspace.replies(message.channel_id, root_ts):
                if reply.stream and workspace.streaming_state(reply) == "in_progress":
                    workspace.stop_stream(reply, reply.stream, user)
                    stopped.append(reply.ts)
        channel = workspace.channels[message.channel_id]
        return {
            "stopped": stopped,
            "event_ids": self._events.session_stopped(user, channel, root_ts, stopped),
        }

    def _open_home(self, given: Json) -> Json:
        user = self._user(given)
        tab = given.get("tab", "messages")
        return {"event_ids": self._events.app_home_opened(user, self._channel({"channel": "dm"}, user), tab)}

    # --- what to look at ---

    def _state(self, _: Json) -> Json:
        workspace = self._workspace
        with workspace.lock:
            return {
                "version": workspace.version,
                "teams": [{"id": team.id, "name": team.name} for team in workspace.teams.values()],
                "users": [_shown_user(user) for user in workspace.users.values()],
                "channels": [_shown_channel(channel) for channel in workspace.channels.values()],
                "messages": [
                    workspace.inspect(message)
                    for channel_id in workspace.channels
                    for message in workspace.messages(channel_id)
                ],
                "statuses": [
                    {"channel": channel, "thread_ts": thread_ts, **_shown_status(status)}
                    for (channel, thread_ts), status in workspace.statuses().items()
                ],
                "scopes": sorted(self._installation.scopes),
                "bot_events": sorted(self._installation.bot_events),
            }

    def _wait(self, given: Json) -> Json:
        timeout = min(float(given.get("timeout", MAX_WAIT_SECONDS)), MAX_WAIT_SECONDS)
        return {"version": self._workspace.wait(int(_required(given, "version")), timeout)}

    def _thread(self, given: Json) -> Json:
        root = self._message(given)
        with self._workspace.lock:
            thread = [root, *self._workspace.replies(root.channel_id, root.ts)]
            status = self._workspace.statuses().get((root.channel_id, root.ts))
            return {
                "messages": [self._workspace.inspect(message) for message in thread],
                "status": status and _shown_status(status),
                "session": self._workspace.session_status(root.channel_id, root.ts),
            }

    def _calls(self, given: Json) -> Json:
        method = given.get("method")
        calls = [call for call in list(self._web_api.calls) if method in (None, call.method)]
        return {
            "calls": [
                {"at": c.at, "method": c.method, "args": c.args, "status": c.status, "result": c.result}
                for c in calls
            ]
        }

    def _sent_events(self, given: Json) -> Json:
        event_id = given.get("event_id")
        deliveries = [d for d in list(self._events.deliveries) if event_id in (None, d.event_id)]
        return {
            "events": [
                {
                    "event_id": delivery.event_id,
                    "event": delivery.event,
                    "done": delivery.done.is_set(),
                    "attempts": [
                        {"at": a.at, "status": a.status, "failure": a.failure}
                        for a in list(delivery.attempts)
                    ],
                }
                for delivery in deliveries
            ]
        }

    # --- events out of the ordinary ---

    def _send_event(self, given: Json) -> Json:
        signed = given.get("signed", "valid")
        if signed not in ("valid", "none", "stale", "forged"):
            raise ControlError('signed is "valid", "none", "stale" or "forged"')
        if "event" in given:
            body = json.dumps(self._events.envelope(given["event"]))
        elif "payload" in given:
            body = json.dumps(given["payload"])
        else:
            body = _required(given, "raw")
        times, together = int(given.get("times", 1)), bool(given.get("together"))
        return _answers(self._events.send_many(body.encode(), times, together=together, signed=signed))

    def _redeliver(self, given: Json) -> Json:
        delivery = self._events.delivery(_required(given, "event_id"))
        if delivery is None:
            raise ControlError("event_not_found")
        return _answers([self._events.redeliver(delivery) for _ in range(int(given.get("times", 1)))])

    def _interact(self, given: Json) -> Json:
        return _answers([self._events.send_interaction(given["payload"])])

    # --- what goes wrong ---

    def _add_fault(self, given: Json) -> Json:
        try:
            self._faults.add(Fault.of(given))
        except (TypeError, ValueError) as error:
            raise ControlError(str(error)) from None
        return {}

    def _clear_faults(self, _: Json) -> Json:
        self._faults.clear()
        return {}

    def _switch_tiers(self, given: Json) -> Json:
        self._tiers.switch(bool(given.get("enabled")), float(given.get("scale", 1.0)))
        return {}

    def _set_lifetimes(self, given: Json) -> Json:
        workspace = self._workspace
        workspace.stream_lifetime_seconds = float(
            given.get("stream_seconds", workspace.stream_lifetime_seconds)
        )
        workspace.status_lifetime_seconds = float(
            given.get("status_seconds", workspace.status_lifetime_seconds)
        )
        workspace.touch()
        return {}

    def _change_scopes(self, given: Json) -> Json:
        scopes = self._installation.scopes
        scopes |= set(given.get("add", []))
        scopes -= set(given.get("remove", []))
        return {"scopes": sorted(scopes)}

    def _archive(self, given: Json) -> Json:
        self._channel(given).is_archived = bool(given.get("archived", True))
        self._workspace.touch()
        return {}

    def _remove_bot(self, given: Json) -> Json:
        self._channel(given).members.discard(self._installation.bot.id)
        self._workspace.touch()
        return {}

    def _invite_bot(self, given: Json) -> Json:
        self._channel(given).members.add(self._installation.bot.id)
        self._workspace.touch()
        return {}

    def _lock_thread(self, given: Json) -> Json:
        self._message(given).is_locked = bool(given.get("locked", True))
        self._workspace.touch()
        return {}

    def _revoke_token(self, given: Json) -> Json:
        self._installation.token_error = given.get("error", "account_inactive")
        return {}

    def _replace_secrets(self, given: Json) -> Json:
        self._installation.signing_secret = given.get("signing_secret", self._installation.signing_secret)
        self._installation.bot_token = given.get("bot_token", self._installation.bot_token)
        return {}

    # --- what a request names ---

    def _user(self, given: Json) -> User:
        user = self._workspace.user(_required(given, "user"))
        if user is None or user.bot_id is not None:
            raise ControlError("user_not_found")
        return user

    def _channel(self, given: Json, user: User | None = None) -> Channel:
        name = _required(given, "channel")
        channel = self._workspace.channel(name)
        if name == "dm" and user is not None:
            channel = self._workspace.direct_message(user.id)
        if channel is None:
            raise ControlError("channel_not_found")
        return channel

    def _message(self, given: Json) -> Message:
        message = self._workspace.message(self._channel(given).id, _required(given, "ts"))
        if message is None:
            raise ControlError("message_not_found")
        return message


def _help() -> Response:
    return Response(__doc__, content_type="text/plain; charset=utf-8")


def _bad_request(error: ControlError) -> tuple[Response, int]:
    return jsonify({"ok": False, "error": str(error)}), 400


def _given() -> Json:
    if request.method != "POST":
        return dict(request.args.to_dict())
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _required(given: Json, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise ControlError(f"{name} is needed, a string")
    return value


def _answers(attempts: list[Attempt]) -> Json:
    return {"statuses": [a.status for a in attempts], "bodies": [a.body for a in attempts]}


def _shown_user(user: User) -> Json:
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "real_name": user.real_name,
        "is_bot": user.bot_id is not None,
    }


def _shown_channel(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "members": sorted(channel.members),
        "teams": list(channel.teams),
        "is_archived": channel.is_archived,
    }


def _shown_status(status: Status) -> Json:
    return {"status": status.text, "loading_messages": list(status.loading_messages)}
