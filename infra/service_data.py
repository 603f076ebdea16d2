"""Removes botocore's data about services that the functions do not call.

botocore describes some 450 services in 25 MB. Its first client reads their list and 1.2 MB of endpoints.
"""

import ast
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

# Functions whose first argument names the service of the client that they make.
CLIENT_FACTORIES = ("client", "agent_client")


def services_called(code: Path) -> set[str]:
    """boto3's names of the services for which the sources in `code` make clients."""
    return {
        call.args[0].value
        for path in code.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and _name(call.func) in CLIENT_FACTORIES
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def keep_only(services: set[str], data: Path) -> None:
    """Remove all other services from botocore's folder `data`. Raises KeyError if one is not there."""
    folders = {path.name: path for path in data.iterdir() if path.is_dir()}
    prefixes = {_model(folders[service])["metadata"]["endpointPrefix"] for service in services}
    for name in folders.keys() - services:
        shutil.rmtree(folders[name])
    endpoints = json.loads((data / "endpoints.json").read_text("utf-8"))
    for partition in endpoints["partitions"]:
        known = partition["services"]
        partition["services"] = {name: known[name] for name in sorted(prefixes & known.keys())}
    (data / "endpoints.json").write_text(json.dumps(endpoints, separators=(",", ":")), "utf-8")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _model(folder: Path) -> Any:
    """The newest description of a service."""
    newest = max(path for path in folder.iterdir() if path.is_dir())
    return json.loads(gzip.decompress((newest / "service-2.json.gz").read_bytes()))
