"""Slack's refusals, grouped by what can be done about them.

Their names: docs.slack.dev/reference/methods/chat.postMessage, chat.update, chat.stopStream and chat.delete.
A refusal in no group is taken to concern the text: an explanation is written instead, so that no thread stays
without an answer.
"""

import re

_STORE_IT = (
    "store the bot token (xoxb-…) that the app's page OAuth & Permissions shows in the secret {secret}"
)
_INSTALL = f"install the app into the workspace (again), then {_STORE_IT}"
_ADMINISTRATORS = "ask the workspace's administrators to let the app in again"

# Our own name for "there is no token to ask Slack with".
UNREADABLE = "token_unreadable"
# Slack refuses the app in every thread until somebody has done what stands here. Turns wait for that.
REFUSES_APP = {
    UNREADABLE: f"{{trouble}}: {_STORE_IT}, and let the functions read it",
    "accesslimited": "let AWS's addresses into the workspace's list of allowed networks",
    "account_inactive": _INSTALL,
    "ekm_access_denied": _ADMINISTRATORS,
    "invalid_auth": _STORE_IT,
    "missing_scope": "give the app the scope {needed} (bridge manifest --apply) and install it again",
    "no_permission": "give the app its scopes (bridge manifest --apply) and install it again",
    "not_allowed_token_type": _STORE_IT,
    "not_authed": _STORE_IT,
    "org_login_required": "wait: the workspace is being moved into an organization",
    "team_access_not_granted": _ADMINISTRATORS,
    "token_expired": f"make an app without token rotation, as it cannot be switched off, and {_STORE_IT}",
    "token_revoked": _INSTALL,
    "two_factor_setup_required": _ADMINISTRATORS,
}
# About a call with a scope of its own, which the answer can do without, these concern that call only.
REFUSES_ONE_CALL = frozenset({"missing_scope", "no_permission", "not_allowed_token_type"})
# The thread or its channel is gone, or closed to us. Nobody would see what we write there.
IS_CLOSED = re.compile(
    "|".join(
        (
            "access_denied",
            "cannot_reply_to_message",
            "channel_not_found",
            "channel_type_not_supported",
            "enterprise_is_restricted",
            "is_archived",
            "is_inactive",
            "message_not_found",
            "messages_tab_disabled",
            "not_in_channel",
            "restricted_action.*",
            "slack_connect_.*",
            "thread_not_found",
        )
    )
)
# The message has too many characters, headings or tables. Smaller messages have fewer.
IS_TOO_MUCH = frozenset(
    {
        "invalid_attachments",  # two tables in one message
        "invalid_blocks",
        "invalid_blocks_format",
        "markdown_text_conflict",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "msg_too_long",
        "no_text",
    }
)
# The message cannot be edited any more. Another one can be posted instead.
NOT_EDITABLE = frozenset(
    {"edit_window_closed", "cant_update_message", "block_mismatch", "streaming_state_conflict"}
)
# Slack shows this app no sessions of agents, whatever the thread.
# docs.slack.dev/reference/methods/agents.sessions.setStatus
NO_SESSIONS = frozenset(
    {
        "deprecated_endpoint",
        "feature_disabled",
        "method_deprecated",
        "missing_agent_session_stopped_event_subscription",
        "not_authorized",
        "unknown_method",
    }
)
# The message is a stream that nobody has stopped.
STILL_A_STREAM = frozenset({"streaming_state_conflict", "cant_delete_message"})
# Slack's answer to a stop when the stream is over.
STREAM_IS_OVER = frozenset(
    {"message_not_in_streaming_state", "message_not_found", "message_not_owned_by_app"}
)
