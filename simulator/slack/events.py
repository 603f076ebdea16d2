"""The Events API: which events a change causes for the app, and their signed, repeated delivery.

docs.slack.dev/apis/events-api
"""

import json
import secrets
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import urlencode, urljoin

import urllib3

from simulator.journal import Journal
from simulator.slack import mrkdwn
from simulator.slack.installation import Installation
from simulator.slack.signing import signature
from simulator.slack.workspace import Change, Channel, Json, User, Workspace

# Each subscription and the scope without which Slack does not send it.
SCOPE_OF_EVENT = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}
MESSAGE_EVENT = {
    "public": "message.channels",
    "private": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
CHANNEL_TYPE = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}
RETRY_WAITS = (0.0, 60.0, 300.0)
ANSWER_SECONDS = 3.0
MAX_REDIRECTS = 2
STALE_SECONDS = 301  # signatures older than five minutes are to be refused

SignatureKind = Literal["valid", "none", "stale", "forged"]


@dataclass(frozen=True)
class Attempt:
    """One POST of an event. `status` is None when there was no answer; `failure` is Slack's retry reason."""

    at: float
    status: int | None
    body: str = ""
    failure: str | None = None
    no_retry: bool = False
    request_id: str | None = None  # what API Gateway calls the request, if it is one


class OverSocket(Protocol):
    """One attempt over Socket Mode (`simulator.slack.socket_mode`)."""

    def __call__(self, kind: str, payload: Json, *, retry: int = 0, reason: str = "") -> Attempt: ...


@dataclass
class Delivery:
    """An event and what became of it. `done` is set after a 2xx, or when there are no more retries."""

    envelope: Json
    attempts: list[Attempt] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def event_id(self) -> str:
        return str(self.envelope["event_id"])

    @property
    def event(self) -> Json:
        return dict(self.envelope["event"])


class EventsApi:
    """Delivers to `request_url`; an empty one means that the app has none and nothing is sent.

    With `over_socket` it delivers there instead.

    Waits between retries are multiplied by `time_scale`. `answer_seconds`, how long the app has to answer, is
    not: the app is a real process, which does not run faster with the scale.
    """

    def __init__(
        self, *, workspace: Workspace, installation: Installation, journal: Journal, time_scale: float = 1.0
    ) -> None:
        self.request_url = ""
        self.interactivity_url = ""
        self.over_socket: OverSocket | None = None
        self.answer_seconds = ANSWER_SECONDS
        self.deliveries: list[Delivery] = []
        self._workspace = workspace
        self._installation = installation
        self._journal = journal
        self._time_scale = time_scale
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()  # around the set: who joins a thread must find it started
        self._http = urllib3.PoolManager(retries=False)
        workspace.listen(self._on_change)

    def stop(self) -> None:
        """Gives up what is still to be delivered."""
        with self._lock:
            self._stopping.set()
            threads = list(self._threads)
        for thread in threads:
            thread.join()
        self._http.clear()

    # --- what the app is told ---

    def _on_change(self, change: Change) -> None:
        for event in self._events_of(change):
            self.dispatch(event, change.channel, change.message.user)

    def _events_of(self, change: Change) -> Iterable[Json]:
        bot = self._installation.bot
        if bot.id not in change.channel.members or change.kind in ("streamed", "ephemeral", "reacted"):
            return
        if self._subscribed(MESSAGE_EVENT[change.channel.kind]):
            yield self._message_event(change)
        mentioned = change.kind != "deleted" and mrkdwn.mentions(change.message.text, bot.id)
        # A direct message is never an app_mention: docs.slack.dev/reference/events/app_mention
        if mentioned and change.channel.kind != "im" and self._subscribed("app_mention"):
            yield self._app_mention(change)

    def _subscribed(self, subscription: str) -> bool:
        installation = self._installation
        scope = SCOPE_OF_EVENT.get(subscription)
        return subscription in installation.bot_events and (scope is None or scope in installation.scopes)

    def _message_event(self, change: Change) -> Json:
        channel, message = change.channel, change.message
        where = {"channel": channel.id, "channel_type": CHANNEL_TYPE[channel.kind]}
        if change.kind == "posted":
            return self._posted(change) | where | {"event_ts": message.ts}
        now = self._workspace.new_ts()
        hidden = {"type": "message", "hidden": True, "ts": now, "event_ts": now, **where}
        hidden["previous_message"] = change.previous
        if change.kind == "deleted":
            return hidden | {"subtype": "message_deleted", "deleted_ts": message.ts}
        return hidden | {"subtype": "message_changed", "message": self._workspace.render(message)}

    def _app_mention(self, change: Change) -> Json:
        event = self._posted(change) | {"type": "app_mention"}
        event.pop("subtype", None)
        if change.message.files:
            event["assistant_thread"] = {"action_token": secrets.token_hex(12)}
        return event | {"channel": change.channel.id, "event_ts": change.message.ts}

    def _posted(self, change: Change) -> Json:
        event = self._workspace.render(change.message)
        for name in (
            "reply_count",
            "reply_users",
            "reply_users_count",
            "latest_reply",
            "is_locked",
            "subscribed",
        ):
            event.pop(name, None)
        author = change.message.user
        if author.team_id != self._installation.bot.team_id:
            event |= {
                "user_team": author.team_id,
                "source_team": author.team_id,
                "user_profile": {"name": author.name, "real_name": author.real_name, "team": author.team_id},
            }
        return event

    def app_home_opened(self, user: User, channel: Channel, tab: str) -> list[str]:
        """A person opens the app's tab "home" or "messages". Returns the event ids."""
        if not self._subscribed("app_home_opened"):
            return []
        event: Json = {"type": "app_home_opened", "user": user.id, "channel": channel.id, "tab": tab}
        event |= {"event_ts": self._workspace.new_ts(), "context": {"entities": []}}
        return [self.dispatch(event, channel, user).event_id]

    def session_stopped(self, user: User, channel: Channel, thread_ts: str, streams: list[str]) -> list[str]:
        """A person presses Slack's own Stop in a thread. Returns the event ids.

        docs.slack.dev/reference/events/agent_session_stopped
        """
        if not self._subscribed("agent_session_stopped"):
            return []
        event: Json = {"type": "agent_session_stopped", "channel": channel.id, "thread_ts": thread_ts}
        event |= {"user": user.id, "event_ts": self._workspace.new_ts(), "streaming_message_ts": streams}
        return [self.dispatch(event, channel, user).event_id]

    # --- the envelope ---

    def envelope(self, event: Json, channel: Channel | None = None, author: User | None = None) -> Json:
        """The outer body. Its `team_id` is the author's in a shared channel; ours is in `authorizations`."""
        bot = self._installation.bot
        shared = channel is not None and channel.is_ext_shared
        return {
            "token": "deprecated-verification-token",
            "team_id": author.team_id if author and shared else bot.team_id,
            "context_team_id": bot.team_id,
            "context_enterprise_id": None,
            "api_app_id": bot.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": "Ev" + secrets.token_hex(5).upper(),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": bot.team_id,
                    "user_id": bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": "4-" + secrets.token_urlsafe(24),
        }

    # --- delivery ---

    def dispatch(self, event: Json, channel: Channel | None = None, author: User | None = None) -> Delivery:
        """Sends an event in the background, with Slack's retries."""
        delivery = Delivery(self.envelope(event, channel, author))
        self.deliveries.append(delivery)
        with self._lock:
            if (self.request_url or self.over_socket) and not self._stopping.is_set():
                thread = threading.Thread(target=self._deliver, args=(delivery,), daemon=True)
                thread.start()
                self._threads.add(thread)
            else:
                delivery.done.set()
        return delivery

    def delivery(self, event_id: str) -> Delivery | None:
        return next((d for d in list(self.deliveries) if d.event_id == event_id), None)

    def about(self, channel_id: str, ts: str) -> list[str]:
        """The ids of the events that a message's posting caused."""
        return [
            d.event_id
            for d in list(self.deliveries)
            if (d.event.get("channel"), d.event.get("ts")) == (channel_id, ts) and "edited" not in d.event
        ]

    def redeliver(self, delivery: Delivery) -> Attempt:
        """Sends an event once more, as Slack does when it did not see the app's answer."""
        return self._attempt(delivery, retry=1, reason="http_timeout")

    def _deliver(self, delivery: Delivery) -> None:
        try:
            attempt = self._attempt(delivery)
            for retry, wait in enumerate(RETRY_WAITS, start=1):
                if (
                    attempt.failure is None
                    or attempt.no_retry
                    or self._stopping.wait(wait * self._time_scale)
                ):
                    break
                attempt = self._attempt(delivery, retry=retry, reason=attempt.failure)
        finally:
            delivery.done.set()
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _attempt(self, delivery: Delivery, *, retry: int = 0, reason: str = "") -> Attempt:
        headers = {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason} if retry else {}
        if self.over_socket:
            attempt = self.over_socket("events_api", delivery.envelope, retry=retry, reason=reason)
        else:
            attempt = self.send(json.dumps(delivery.envelope).encode(), headers=headers)
        delivery.attempts.append(attempt)
        self._journal.add(
            "slack",
            "event delivered",
            type=delivery.event.get("type"),
            subtype=delivery.event.get("subtype"),
            event_id=delivery.event_id,
            channel=delivery.event.get("channel"),
            ts=(delivery.event.get("message") or delivery.event).get("ts"),
            attempt=retry + 1,
            status=attempt.status,
            failure=attempt.failure,
            request_id=attempt.request_id,
            envelope=delivery.envelope,
        )
        return attempt

    def send(
        self,
        body: bytes,
        *,
        signed: SignatureKind = "valid",
        headers: dict[str, str] | None = None,
        to: Literal["events", "interactivity"] = "events",
        content_type: str = "application/json",
    ) -> Attempt:
        """One POST of `body`, signed; the other kinds are requests that did not come from Slack just now."""
        timestamp = str(int(time.time()) - (STALE_SECONDS if signed == "stale" else 0))
        all_headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        if signed != "none":
            secret = self._installation.signing_secret
            all_headers |= {
                "X-Slack-Request-Timestamp": timestamp,
                "X-Slack-Signature": signature(
                    f"not {secret}" if signed == "forged" else secret, timestamp, body
                ),
            }
        url = self.interactivity_url if to == "interactivity" else self.request_url
        return self._post(url, body, all_headers | (headers or {}))

    def send_many(
        self, body: bytes, times: int, *, together: bool, signed: SignatureKind = "valid"
    ) -> list[Attempt]:
        """`send`, several times: one after the other, or all at the same moment."""
        with ThreadPoolExecutor(times if together else 1) as pool:
            return [f.result() for f in [pool.submit(self.send, body, signed=signed) for _ in range(times)]]

    def send_interaction(self, payload: Json) -> Attempt:
        """A click and the like: docs.slack.dev/interactivity/handling-user-interaction."""
        if self.over_socket:
            attempt = self.over_socket("interactive", payload)
        else:
            body = urlencode({"payload": json.dumps(payload)}).encode()
            attempt = self.send(body, to="interactivity", content_type="application/x-www-form-urlencoded")
        self._journal.add(
            "slack",
            "interaction delivered",
            type=payload.get("type"),
            actions=[action.get("action_id") for action in payload.get("actions", [])],
            status=attempt.status,
            failure=attempt.failure,
        )
        return attempt

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> Attempt:
        at = time.time()
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._http.request(
                    "POST",
                    url,
                    body=body,
                    headers=headers | {"Connection": "close"},
                    timeout=urllib3.Timeout(total=self.answer_seconds),
                    redirect=False,
                )
                if answer.status not in (301, 302):
                    break
                url = urljoin(url, answer.headers.get("Location", ""))
            else:
                return Attempt(at, answer.status, failure="too_many_redirects")
        except urllib3.exceptions.HTTPError as error:
            return Attempt(at, None, failure=_failure(error))
        failure = None if 200 <= answer.status < 300 else "http_error"
        # "x-slack-no-retry: 1" counts on an answer other than 200 only.
        no_retry = failure is not None and answer.headers.get("X-Slack-No-Retry") == "1"
        return Attempt(
            at=at,
            status=answer.status,
            body=answer.data.decode(errors="replace"),
            failure=failure,
            no_retry=no_retry,
            request_id=answer.headers.get("Apigw-Requestid"),
        )


def _failure(error: urllib3.exceptions.HTTPError) -> str:
    # The order matters: urllib3 counts a refused connection among the timeouts.
    if isinstance(error, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ProtocolError)):
        return "connection_failed"
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return "http_timeout"
    if isinstance(error, urllib3.exceptions.SSLError):
        return "ssl_error"
    return "unknown_error"
