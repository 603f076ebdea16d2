"""agents.sessions.setStatus: docs.slack.dev/reference/methods/agents.sessions.setStatus."""

from simulator.slack.errors import SlackError, refusal
from simulator.slack.methods.call import Call, Method
from simulator.slack.workspace import Json

STATUSES = ("active", "processing", "suspended", "closed")
NO_STOP = "missing_agent_session_stopped_event_subscription"


def set_status(call: Call) -> Json:
    if not call.installation.is_agent:
        raise SlackError("not_authorized")
    channel = call.joined_channel("channel_id")
    status = call.required("status")
    if status not in STATUSES:
        raise refusal("invalid_arguments", f"must be one of {', '.join(STATUSES)} [json-pointer:/status]")
    if not call.args.get("thread_ts"):
        raise SlackError("thread_ts_required")
    root = call.workspace.message(channel.id, call.ts("thread_ts"))
    if root is None or root.is_reply:
        raise SlackError("invalid_thread_ts")
    call.workspace.set_session(channel.id, root.ts, status)
    if "agent_session_stopped" not in call.installation.bot_events:
        call.warnings.append(NO_STOP)
    return {"status": status}


METHODS = {"agents.sessions.setStatus": Method(set_status, 3, ("chat:write",))}
