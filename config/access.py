"""Reads the access rules of bridge.toml, for the whole bridge or for one agent."""

from config.table import Rule, Table
from functions.bridge.admission.access import AccessRules, SharedChannels
from functions.bridge.channel_ids import DIRECT_MESSAGES, is_direct

CHANNEL: Rule = (
    r"[CGD][A-Z0-9]{2,20}|dm",
    'the id of a channel, such as "C0123456789", or "dm" for direct messages',
)
USER: Rule = (r"[UW][A-Z0-9]{2,20}", 'the id of a person, such as "U0123456789"')


def _is_direct(name: str) -> bool:
    return name == DIRECT_MESSAGES or is_direct(name)


def read_access(table: Table, *, default: AccessRules) -> AccessRules:
    """The rules of a table. Keys that it lacks have the values of `default`."""
    rules = AccessRules(
        guests=table.boolean("guests", default=default.guests),
        channels=table.only("channels", CHANNEL),
        users=table.only("users", USER),
        deny_users=table.texts("deny_users", USER),
        direct_messages=table.boolean("direct_messages", default=default.direct_messages),
        shared_channels=SharedChannels(
            table.choice("shared_channels", [*SharedChannels], default=default.shared_channels)
        ),
    )
    if rules.channels and not rules.direct_messages and all(map(_is_direct, rules.channels)):
        table.refuse(
            "channels", "a channel too, or direct_messages = true: nobody could ask, as it names only these"
        )
    table.refuse_the_rest()
    return rules
