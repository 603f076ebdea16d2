"""The sample agent's stacks, made as those of the bridge are."""

from tests.infra.conftest import cdk_context as cdk_context
