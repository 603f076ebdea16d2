"""The CDK's entry point: reads bridge.toml and instantiates the bridge's stack."""

import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.bridge_stack import BridgeStack
from infra.config import ConfigError, read_config

BRIDGE_TOML = Path(__file__).parent / "bridge.toml"


def main() -> None:
    try:
        config = read_config(BRIDGE_TOML)
    except ConfigError as error:
        sys.exit(str(error))
    app = cdk.App()
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    BridgeStack(app, config.name, config=config)
    app.synth()


if __name__ == "__main__":
    main()
