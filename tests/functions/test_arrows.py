"""Which part imports which: handlers the adapters, adapters the bridge; and how little the receiver loads."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Where settings and their defaults are declared.
SETTINGS = [
    "functions.environment",
    "functions.settings",
    "functions.bridge.admission.access",
    "functions.bridge.admission.approvers",
    "functions.bridge.admission.slots",
    "functions.bridge.agents.routing",
    "functions.bridge.agents.tools",
    "functions.bridge.channel_ids",
    "functions.bridge.replies.options",
    "functions.bridge.conversation",
]
# What each part may import of this repository.
MAY_IMPORT = {
    "functions.bridge": ["functions.bridge"],
    "functions.environment": [],
    "functions.settings": ["functions.bridge", "functions.environment"],
    "functions.adapters": [
        "functions.adapters",
        "functions.bridge",
        "functions.environment",
        "functions.settings",
    ],
    "functions": ["functions"],
    "config": ["config", *SETTINGS],
    "infra": ["infra", "config", "functions.telemetry", *SETTINGS],
    "sample.tools": ["sample.tools"],
    "sample": ["sample", "infra", "config"],
    "app": ["infra", "sample", "config", *SETTINGS],
    "simulator": ["simulator", "config", *SETTINGS],
    # `ops/dev.py` alone needs the simulator, when it runs.
    "ops": ["ops", "config", "simulator", "functions.bridge.slack_secrets", *SETTINGS],
}
# And each room of the bridge, besides itself and the modules that lie in no room. `turns` may import all.
ROOMS = {
    "admission": [],
    "agents": [],
    "incoming": ["replies.buttons"],
    "ledger": ["admission.approvers", "agents.events", "agents.failures"],
    "markdown": ["agents.events"],
    "replies": ["agents", "ledger", "markdown"],
}
OURS = ["app", "bench", "config", "functions", "infra", "ops", "sample", "simulator", "tests"]
# The bridge gets its clock as an argument, and what comes from outside through a port.
INPUT_AND_OUTPUT = ["http", "os", "pathlib", "socket", "subprocess", "threading", "time", "urllib.request"]

# Without those of a bare interpreter. Each one makes a cold start longer. Measured: 130 (Python 3.11) and 122
# (3.13).
MOST_MODULES_OF_THE_RECEIVER = 132

LOADED = """
import sys
before = {{*sys.modules}}
import {}
print(*{{*sys.modules}} - before)
"""


def paths(part: str) -> list[Path]:
    """The files of a module or package."""
    place = ROOT.joinpath(*part.split("."))
    return [place.with_suffix(".py")] if place.with_suffix(".py").is_file() else sorted(place.rglob("*.py"))


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere in it, for its types too, and their members that it names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which is not read here"
            found |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def loaded_with(modules: str) -> list[str]:
    """What else Python loads when it imports these."""
    command = [sys.executable, "-c", LOADED.format(modules)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def lies_in(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_it_may(part: str) -> None:
    assert paths(part)
    ours = {(name(path), found) for path in paths(part) for found in imports(path) if lies_in(found, OURS)}
    assert {pair for pair in ours if not lies_in(pair[1], MAY_IMPORT[part])} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_bridge_imports_only_the_rooms_that_it_may(room: str) -> None:
    rooms = [f"functions.bridge.{name}" for name in [*ROOMS, "turns"]]
    allowed = [f"functions.bridge.{name}" for name in [room, *ROOMS[room]]]
    found = {(name(path), found) for path in paths(f"functions.bridge.{room}") for found in imports(path)}
    in_rooms = {pair for pair in found if lies_in(pair[1], rooms) and pair[1] not in rooms}
    assert {pair for pair in in_rooms if not lies_in(pair[1], allowed)} == set()


def test_the_bridge_needs_the_standard_library_and_a_markdown_parser_and_does_no_io() -> None:
    allowed = [*sys.stdlib_module_names - {*INPUT_AND_OUTPUT}, "markdown_it", "functions.bridge"]
    needed = {(name(path), found) for path in paths("functions.bridge") for found in imports(path)}
    strays = {pair for pair in needed if not lies_in(pair[1], allowed) or lies_in(pair[1], INPUT_AND_OUTPUT)}
    assert strays == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {name(path): imports(path) for part in ("functions", "sample") for path in paths(part)}
    TopologicalSorter({module: found & modules.keys() for module, found in modules.items()}).prepare()


def test_the_receiver_loads_few_modules_and_none_that_asks_or_answers() -> None:
    loaded = loaded_with("functions.receiver")
    assert "functions.receiver" in loaded
    for word in ("agent", "chat", "ledger", "markdown"):
        assert [module for module in loaded if lies_in(module, OURS) and word in module] == []
    assert [module for module in loaded if lies_in(module, ["slack_sdk", "markdown_it"])] == []
    assert len(loaded) <= MOST_MODULES_OF_THE_RECEIVER


@pytest.mark.parametrize("other", ["receiver", "worker", "control", "dead_letters"])
def test_the_heartbeat_fails_where_something_that_others_import_cannot_be_imported(other: str) -> None:
    ours = {module for module in loaded_with(f"functions.{other}") if lies_in(module, OURS)}
    assert ours - {f"functions.{other}"} <= {*loaded_with("functions.heartbeat")}


def test_bridge_toml_is_read_without_the_cdk() -> None:
    loaded = loaded_with("config.bridge_toml, config.document, config.deployment")
    assert "config.bridge_toml" in loaded
    assert [module for module in loaded if lies_in(module, ["aws_cdk", "jsii", "boto3", "cfnlint"])] == []


def test_the_operators_command_needs_neither_the_cdk_nor_the_simulator() -> None:
    loaded = loaded_with("ops.__main__")
    assert "ops.manifest" in loaded
    assert [module for module in loaded if lies_in(module, ["aws_cdk", "jsii", "simulator", "flask"])] == []
