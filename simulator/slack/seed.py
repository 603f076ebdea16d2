"""The workspace with which the fake Slack starts."""

from simulator.slack.workspace import Channel, Team, User, UserGroup, Workspace

TEAM = Team("T01WEATHER", "Weather Company")
OTHER_TEAM = Team("T02PARTNER", "Partner Incorporated")

ALICE = User("U01ALICE", TEAM.id, "alice", "Alice Archer")
BOB = User("U02BOB", TEAM.id, "bob", "Bob Bailey")
GWEN = User("U03GWEN", TEAM.id, "gwen", "Gwen Gray (guest)", is_restricted=True)
ERIN = User("U09ERIN", OTHER_TEAM.id, "erin", "Erin Ellis (Partner Incorporated)")

GENERAL = "C01GENERAL"
WEATHER = "C02WEATHER"
PRIVATE = "C03PRIVATE"
SHARED = "C04SHARED"
# One for each kind of agent.
CLASSIC = "C05CLASSIC"
HARNESS = "C06HARNESS"
RUNTIME = "C07RUNTIME"
ALICE_DM = "D01ALICE"
BOB_DM = "D02BOB"
FORECASTERS = "S01FORECASTERS"


def seeded(bot: User) -> Workspace:
    """Two colleagues with a DM with the bot each, a guest, a person of another company, channels, a group."""
    colleagues = {ALICE.id, BOB.id, bot.id}
    own = (TEAM.id,)
    return Workspace(
        teams=[TEAM, OTHER_TEAM],
        users=[ALICE, BOB, GWEN, ERIN, bot],
        channels=[
            Channel(GENERAL, "general", "public", set(colleagues), own),
            Channel(WEATHER, "weather-demo", "public", colleagues | {GWEN.id}, own),
            Channel(PRIVATE, "weather-private", "private", {ALICE.id, bot.id}, own),
            Channel(SHARED, "weather-partner", "public", colleagues | {ERIN.id}, (TEAM.id, OTHER_TEAM.id)),
            Channel(CLASSIC, "agent-classic", "public", set(colleagues), own),
            Channel(HARNESS, "agent-harness", "public", set(colleagues), own),
            Channel(RUNTIME, "agent-runtime", "public", set(colleagues), own),
            Channel(ALICE_DM, "", "im", {ALICE.id, bot.id}, own),
            Channel(BOB_DM, "", "im", {BOB.id, bot.id}, own),
        ],
        groups=[UserGroup(FORECASTERS, TEAM.id, "forecasters", {BOB.id})],
    )
