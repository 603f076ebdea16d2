import shutil
import subprocess
import sys
from pathlib import Path

import botocore
import botocore.loaders
import botocore.session
import pytest

from infra.service_data import keep_only, services_called

FUNCTIONS = Path(__file__).parents[2] / "functions"
DATA = Path(botocore.__file__).parent / "data"
CLIENTS = """
import sys
import boto3, botocore.loaders, botocore.session
session = botocore.session.Session()
data, *services = sys.argv[1:]
loader = botocore.loaders.Loader(extra_search_paths=[data], include_default_search_paths=False)
session.register_component("data_loader", loader)
for service in services:
    for region in ("us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"):
        client = session.create_client(service, region_name=region)
        print(client.meta.endpoint_url, client.meta.service_model.operation_names)
"""


@pytest.fixture
def pruned(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    services = services_called(FUNCTIONS)
    # Copying all 450 folders would take longer than everything else.
    data.mkdir()
    for entry in DATA.iterdir():
        if entry.is_file():
            shutil.copy(entry, data)
        elif entry.name in {*services, "s3", "ec2"}:
            shutil.copytree(entry, data / entry.name)
    keep_only(services, data)
    return data


def clients(data: Path) -> str:
    command = [sys.executable, "-c", CLIENTS, str(data), *sorted(services_called(FUNCTIONS))]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_services_are_found_where_clients_are_made(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text('client = session.client("sts")\nagent_client("bedrock-runtime", x=1)\n')
    (tmp_path / "two.py").write_text('session.client(service)\nother("s3")\n')
    assert services_called(tmp_path) == {"sts", "bedrock-runtime"}


def test_every_client_of_the_functions_names_its_service_where_it_is_found() -> None:
    assert {"bedrock-agent-runtime", "bedrock-agentcore", "sts"} <= services_called(FUNCTIONS)


def test_the_data_of_other_services_is_removed(pruned: Path) -> None:
    assert {path.name for path in pruned.iterdir() if path.is_dir()} == services_called(FUNCTIONS)
    assert (pruned / "endpoints.json").stat().st_size < 60_000


def test_clients_have_the_same_endpoints_and_operations_as_with_everything(pruned: Path) -> None:
    assert clients(pruned) == clients(DATA)


def test_a_service_that_botocore_does_not_know_is_named(tmp_path: Path) -> None:
    (tmp_path / "endpoints.json").write_text('{"partitions": []}')
    with pytest.raises(KeyError, match="no-such-service"):
        keep_only({"no-such-service"}, tmp_path)
