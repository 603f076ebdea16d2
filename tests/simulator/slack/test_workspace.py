from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.slack import seed
from simulator.slack.workspace import Change, User, Workspace

BOT = User("U0AGENT01", seed.TEAM.id, "agent", "Agent", bot_id="B0AGENT01", app_id="A0AGENT01")


@pytest.fixture
def workspace() -> Workspace:
    return seed.seeded(BOT)


def test_messages_from_many_threads_get_growing_timestamps(workspace: Workspace) -> None:
    channel = workspace.channels[seed.GENERAL]
    with ThreadPoolExecutor(8) as pool:
        posted = list(pool.map(lambda n: workspace.post(channel, BOT, str(n)), range(200)))
    stamps = [message.ts for message in workspace.messages(seed.GENERAL)]
    assert stamps == sorted(set(stamps))
    assert len(stamps) == len(posted)


def test_every_change_is_told_in_order_and_grows_the_version(workspace: Workspace) -> None:
    told: list[Change] = []
    workspace.listen(told.append)
    message = workspace.post(workspace.channels[seed.GENERAL], BOT, "a")
    workspace.edit(message, BOT, "b", [])
    workspace.delete(message)
    assert [change.kind for change in told] == ["posted", "edited", "deleted"]
    assert [change.previous and change.previous["text"] for change in told] == [None, "a", "b"]
    assert workspace.version == 3


def test_a_rendered_message_does_not_change_later(workspace: Workspace) -> None:
    message = workspace.post(workspace.channels[seed.GENERAL], seed.ALICE, "a")
    shown = workspace.render(message)
    shown["blocks"][0]["elements"].clear()
    assert workspace.render(message)["blocks"][0]["elements"]


def test_waiting_ends_at_its_timeout(workspace: Workspace) -> None:
    assert workspace.wait(0, timeout=0.01) == 0


def test_people_and_channels_are_found_by_id_and_by_name(workspace: Workspace) -> None:
    assert workspace.user("alice") == workspace.user("@alice") == workspace.user(seed.ALICE.id) == seed.ALICE
    assert workspace.channel("#general") is workspace.channel(seed.GENERAL)
    assert workspace.channel("") is None
    assert workspace.direct_message(seed.ERIN.id) is None
