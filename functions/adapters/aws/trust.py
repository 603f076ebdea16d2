"""Which certificate authorities vouch for AWS's addresses.

botocore brings a file of some 130 authorities and parses it for each new connection: 17 ms of a whole
processor, 120 ms of what Lambda gives a function of 256 MB. AWS's own addresses have certificates of five.
"""

import os.path
from collections.abc import Mapping

# amazontrust.com/repository, which recommends to trust all five. The tests hold the file to the hashes there.
AMAZON_ROOTS = os.path.join(os.path.dirname(__file__), "amazon_roots.pem")
# China and the European Sovereign Cloud are no part of that promise.
_ELSEWHERE = ("cn-", "eusc-")


def ca_file(environment: Mapping[str, str]) -> str | None:
    """The file of authorities for AWS's addresses; None stands for those that Python or botocore trusts.

    `AWS_CA_BUNDLE` is the operator's word. Where addresses are replaced (`AWS_ENDPOINT_URL…`), nobody knows
    whose certificates they have.
    """
    if named := environment.get("AWS_CA_BUNDLE"):
        return named
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION", "")
    is_replaced = any(name.startswith("AWS_ENDPOINT_URL") for name in environment)
    return None if is_replaced or region.startswith(_ELSEWHERE) else AMAZON_ROOTS
