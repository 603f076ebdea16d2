"""What bridge.toml may say, checked. Needs neither the CDK nor Node: `infra/` and `simulator/` read it."""
