import pytest

from functions.adapters.slack.chat import SlackChat
from functions.adapters.slack.user_groups import KNOWN_SECONDS, SlackUserGroups
from functions.bridge.admission.approvers import GroupUnreadable
from functions.bridge.replies.chat import ChatAppRefused, ChatRateLimited, ChatUnavailable
from simulator.slack import seed
from simulator.slack.faults import Fault
from simulator.slack.service import SlackService
from tests.functions.adapters.slack.test_chat import chat as chat
from tests.functions.adapters.slack.test_chat import clock as clock
from tests.functions.fakes import FakeClock

METHOD = "usergroups.users.list"


@pytest.fixture(autouse=True)
def scope(slack: SlackService) -> None:
    slack.installation.scopes.add("usergroups:read")


@pytest.fixture
def groups(chat: SlackChat, clock: FakeClock) -> SlackUserGroups:
    return SlackUserGroups(chat, clock)


def members(groups: SlackUserGroups, group: str = seed.FORECASTERS) -> frozenset[str]:
    return groups.members(group, team=seed.TEAM.id)


def calls(slack: SlackService) -> int:
    return sum(call.method == METHOD for call in slack.web_api.calls)


def test_the_people_of_a_group_are_known_by_their_ids(groups: SlackUserGroups) -> None:
    assert members(groups) == {seed.BOB.id}


def test_slack_is_asked_again_after_five_minutes(
    slack: SlackService, groups: SlackUserGroups, clock: FakeClock
) -> None:
    members(groups)
    slack.workspace.groups[seed.FORECASTERS].members.clear()
    clock.sleep(KNOWN_SECONDS - 1)
    assert members(groups) == {seed.BOB.id}
    assert calls(slack) == 1
    clock.sleep(1)
    assert members(groups) == frozenset()
    assert calls(slack) == 2


def test_the_workspace_is_named_for_a_token_of_an_organization(
    slack: SlackService, groups: SlackUserGroups
) -> None:
    members(groups)
    [call] = [call for call in slack.web_api.calls if call.method == METHOD]
    assert call.args["team_id"] == seed.TEAM.id


def test_without_the_scope_nobody_is_in_a_group_and_the_log_names_it(
    slack: SlackService, groups: SlackUserGroups
) -> None:
    slack.installation.scopes.discard("usergroups:read")
    with pytest.raises(GroupUnreadable, match="missing_scope; give the app the scope usergroups:read"):
        members(groups)


def test_a_group_that_is_not_there_is_named(groups: SlackUserGroups) -> None:
    with pytest.raises(GroupUnreadable, match="S0NOBODY: no_such_subteam; there is none, or it is disabled"):
        members(groups, "S0NOBODY")


@pytest.mark.parametrize("error", ["plan_upgrade_required", "some_other_error"])
def test_every_other_refusal_means_that_nobody_knows(
    slack: SlackService, groups: SlackUserGroups, error: str
) -> None:
    slack.faults.add(Fault(METHOD, error=error))
    with pytest.raises(GroupUnreadable, match=error):
        members(groups)


def test_what_passes_is_raised_as_what_passes(slack: SlackService, groups: SlackUserGroups) -> None:
    slack.faults.add(Fault(METHOD, retry_after=7))
    with pytest.raises(ChatRateLimited):
        members(groups)
    slack.faults.add(Fault(METHOD, status=503))
    with pytest.raises(ChatUnavailable):
        members(groups)
    assert members(groups) == {seed.BOB.id}


def test_a_token_that_is_refused_concerns_the_whole_app(slack: SlackService, groups: SlackUserGroups) -> None:
    slack.installation.token_error = "token_revoked"
    with pytest.raises(ChatAppRefused):
        members(groups)
