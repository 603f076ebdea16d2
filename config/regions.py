"""Which regions have a type of CloudFormation resource, by the data of cfn-lint, which are AWS's own."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

from config.arns import REGIONS


def has_type(region: str, resource_type: str) -> bool:
    """Whether `region` has it; True also if the data do not know the region."""
    path = _providers() / f"{region}.json"
    return not path.exists() or resource_type in json.loads(path.read_text(encoding="utf-8"))


def regions_with(resource_type: str) -> list[str]:
    """All regions that have it, but for those that have no way to Slack."""
    names = (path.stem for path in _providers().glob("*.json"))
    return sorted(
        name
        for name in names
        if re.fullmatch("|".join(REGIONS.values()), name) and has_type(name, resource_type)
    )


def _providers() -> Path:
    """One JSON file for each region: its keys are the resource types. Importing cfn-lint takes 2 seconds."""
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "schemas" / "providers"
