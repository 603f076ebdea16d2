"""Reads the access rules of bridge.toml, for the whole bridge or for one agent."""

from config.table import Rule, Table
from functions.bridge.admission.access import AccessRules, SharedChannels

CHANNEL: Rule = (
    r"[CGD][A-Z0-9]{2,20}|dm",
    'the id of a channel, such as "C0123456789", or "dm" for direct messages',
)
USER: Rule = (r"[UW][A-Z0-9]{2,20}", 'the id of a person, such as "U0123456789"')


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
    table.refuse_the_rest()
    return rules
