import hashlib
import re
import ssl
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.adapters.aws.trust import AMAZON_ROOTS, ca_file

# The serial number of Starfield's root is 0.
pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")

# SHA-256 of each root's public key (SubjectPublicKeyInfo): amazontrust.com/repository
PUBLISHED = {
    "Amazon Root CA 1": "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
    "Amazon Root CA 2": "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
    "Amazon Root CA 3": "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
    "Amazon Root CA 4": "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
    "Starfield Services Root Certificate Authority - G2": (
        "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92"
    ),
}
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def roots() -> list[x509.Certificate]:
    return [
        x509.load_pem_x509_certificate(pem.encode()) for pem in PEM.findall(Path(AMAZON_ROOTS).read_text())
    ]


def name_of(root: x509.Certificate) -> str:
    [name] = root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def test_the_roots_have_the_keys_that_amazon_publishes() -> None:
    keys = {
        name_of(root): root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for root in roots()
    }
    assert {name: hashlib.sha256(key).hexdigest() for name, key in keys.items()} == PUBLISHED


def test_botocore_trusts_each_root_too() -> None:
    bundle = files("botocore").joinpath("cacert.pem").read_text("utf-8")
    trusted = {ssl.PEM_cert_to_DER_cert(pem) for pem in PEM.findall(bundle)}
    assert {root.public_bytes(Encoding.DER) for root in roots()} <= trusted


def test_no_root_ends_within_two_years() -> None:
    late = datetime.now(UTC) + timedelta(days=730)
    assert [name_of(root) for root in roots() if root.not_valid_after_utc < late] == []


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1"])
def test_the_addresses_of_aws_are_vouched_for_by_amazon_alone(region: str) -> None:
    assert ca_file({"AWS_REGION": region}) == AMAZON_ROOTS


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_REGION": "cn-north-1"},
        {"AWS_REGION": "eusc-de-east-1"},
        {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_SQS": "https://sqs.example.com"},
    ],
)
def test_other_addresses_are_vouched_for_by_whom_everybody_trusts(environment: dict[str, str]) -> None:
    assert ca_file(environment) is None


def test_the_operator_may_name_a_file() -> None:
    environment = {"AWS_REGION": "us-east-1", "AWS_CA_BUNDLE": "/opt/ours.pem"}
    assert ca_file(environment) == "/opt/ours.pem"
