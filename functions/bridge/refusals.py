"""Slack's refusals of a write, by what can be done about them.

Their names: docs.slack.dev/reference/methods/chat.postMessage, chat.update, chat.stopStream and chat.delete.
One that is in none of these groups is about what was written, as far as we know: an explanation takes its
place, so that no thread stays without a word.
"""

import re

# The place is gone or closed to us, or the token is: whatever we said there, nobody would see it.
IS_CLOSED = re.compile(
    "|".join(
        (
            "access_denied",
            "account_inactive",
            "cannot_reply_to_message",
            "channel_not_found",
            "channel_type_not_supported",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "invalid_auth",
            "is_archived",
            "is_inactive",
            "message_not_found",
            "messages_tab_disabled",
            "missing_scope",
            "no_permission",
            "not_allowed_token_type",
            "not_authed",
            "not_in_channel",
            "org_login_required",
            "restricted_action.*",
            "slack_connect_.*",
            "team_access_not_granted",
            "thread_not_found",
            "token_expired",
            "token_revoked",
            "two_factor_setup_required",
        )
    )
)
# Smaller pieces have fewer characters, headings and tables.
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
# The message stands and cannot be edited any more: another one can be posted in its stead.
NOT_EDITABLE = frozenset(
    {"edit_window_closed", "cant_update_message", "block_mismatch", "streaming_state_conflict"}
)
# The message is a stream which nobody has stopped.
STILL_A_STREAM = frozenset({"streaming_state_conflict", "cant_delete_message"})
# What a stop is answered with when there is no stream any more.
STREAM_IS_OVER = frozenset(
    {"message_not_in_streaming_state", "message_not_found", "message_not_owned_by_app"}
)
