"""Which regions have a CloudFormation resource type, according to cfn-lint's copy of AWS's data."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

from config.arns import REGIONS


def has_type(region: str, resource_type: str) -> bool:
    """Whether `region` has the resource type; True if the data lack the region."""
    path = _providers() / f"{region}.json"
    return not path.exists() or resource_type in json.loads(path.read_text(encoding="utf-8"))


def regions_with(resource_type: str) -> list[str]:
    """All regions of `config.arns.REGIONS` that have the resource type."""
    names = (path.stem for path in _providers().glob("*.json"))
    return sorted(
        name
        for name in names
        if re.fullmatch("|".join(REGIONS.values()), name) and has_type(name, resource_type)
    )


def _providers() -> Path:
    """The folder with a JSON file for each region, whose keys are resource types.

    It is found without importing cfn-lint, which would take 2 seconds.
    """
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "schemas" / "providers"
