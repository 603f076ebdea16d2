import pytest

from tests.functions.fakes import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()
