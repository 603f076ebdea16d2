from dataclasses import fields

import pytest

from functions.settings import AgentSettings
from infra.targets import KINDS, Target


@pytest.mark.parametrize("kind", KINDS)
def test_a_kinds_members_are_known_to_the_worker(kind: str) -> None:
    members = {member.name for member in fields(KINDS[kind])}
    assert members
    assert members <= {member.name for member in fields(AgentSettings)}


def test_every_kind_is_in_the_table_under_its_own_word() -> None:
    assert {kind: target.kind for kind, target in KINDS.items()} == {
        target.kind: target.kind for target in Target.__subclasses__()
    }
