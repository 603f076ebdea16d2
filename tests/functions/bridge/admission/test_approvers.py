from dataclasses import replace

import pytest

from functions.bridge.admission.approvers import (
    ApproverRule,
    Approvers,
    GroupUnreadable,
    may_decide,
)
from tests.functions.fakes import TURN, FakeUserGroups


@pytest.mark.parametrize(
    ("rule", "user", "may"),
    [
        (ApproverRule.ASKER, "U1", True),
        (ApproverRule.ASKER, "U2", False),
        (ApproverRule.ANYONE, "U1", True),
        (ApproverRule.ANYONE, "U2", True),
        (ApproverRule.NOT_ASKER, "U1", False),
        (ApproverRule.NOT_ASKER, "U2", True),
    ],
)
def test_a_word_decides_by_who_asked(rule: ApproverRule, user: str, may: bool) -> None:
    groups = FakeUserGroups()
    assert may_decide(Approvers(rule), user, turn=TURN, groups=groups) is may
    assert groups.asked == []


LISTED = Approvers(ApproverRule.LISTED, users=("U1",), groups=("S1", "S2"))


@pytest.mark.parametrize(("user", "may"), [("U1", True), ("U2", True), ("U3", True), ("U4", False)])
def test_people_are_listed_by_themselves_or_with_a_group(user: str, may: bool) -> None:
    groups = FakeUserGroups({"S1": {"U2"}, "S2": {"U3"}})
    assert may_decide(LISTED, user, turn=replace(TURN, user="U4"), groups=groups) is may


def test_slack_is_not_asked_about_somebody_who_is_listed() -> None:
    groups = FakeUserGroups()
    assert may_decide(LISTED, "U1", turn=TURN, groups=groups)
    assert groups.asked == []


def test_a_group_that_cannot_be_read_lets_nobody_in_and_keeps_nobody_of_another_group_out() -> None:
    groups = FakeUserGroups({"S2": {"U2"}})
    assert may_decide(LISTED, "U2", turn=TURN, groups=groups)
    with pytest.raises(GroupUnreadable, match="S1"):
        may_decide(LISTED, "U3", turn=TURN, groups=groups)
