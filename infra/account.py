"""Checks the account's Lambda concurrency before `make deploy` deploys.

An account may run 1,000 functions at once in a region, a new account only 10. When slow answers take them
all, the receiver is throttled, Slack gives up after three retries, and the question is lost.
docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

import os
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from config.bridge_toml import CONFIG_FILE, Config, ConfigError, read_config

# Executions for the receiver, control and dead_letters.
OTHER_FUNCTIONS = 6
# Lambda keeps so many executions for functions without a reservation.
LEAST_UNRESERVED = 100
LEAST_CONCURRENCY = 2  # `MaximumConcurrency` of an SQS event source
QUOTA = "Service Quotas, AWS Lambda, “Concurrent executions” (L-B99A9384)"


def main(arguments: list[str]) -> int:
    """Prints problems to stderr. The exit code is 1 if there are any or bridge.toml is wrong."""
    path = Path(arguments[0]) if arguments else Path(__file__).parents[1] / CONFIG_FILE
    try:
        config = read_config(path)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        # The CDK reads AWS_REGION, boto3 does not.
        region = config.region or os.environ.get("AWS_REGION")
        limits = boto3.client("lambda", region_name=region).get_account_settings()["AccountLimit"]
    except (BotoCoreError, ClientError) as error:
        # Whoever deploys may lack this permission: deploying only needs to assume the CDK's roles.
        print(
            f"Not checked: whether the account may run {config.worker.max_concurrency} answers at once "
            f"(worker.max_concurrency), as lambda:GetAccountSettings failed: {error}",
            file=sys.stderr,
        )
        return 0
    problems = problems_with(config, limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"])
    for problem in problems:
        print(f"{path.name}: {problem}", file=sys.stderr)
    return 1 if problems else 0


def problems_with(config: Config, limit: int, unreserved: int) -> list[str]:
    """The settings that do not fit into an account with these limits on concurrent executions.

    `limit`: of all functions. `unreserved`: of functions without a reservation.
    """
    problems = []
    asked, fits = config.worker.max_concurrency, unreserved - OTHER_FUNCTIONS
    if asked > fits:
        allowed = f"at most {fits}" if fits >= LEAST_CONCURRENCY else "nothing"
        problems.append(
            f"worker.max_concurrency is {asked}, and the account may run {unreserved} functions at once, "
            f"of which {OTHER_FUNCTIONS} are for the others; allowed: {allowed}. Ask for more: {QUOTA}"
        )
    reserved, reservable = config.receiver.reserved_concurrency, limit - LEAST_UNRESERVED
    if reserved and reserved > reservable:
        allowed = f"at most {reservable}, or none" if reservable > 0 else "none"
        problems.append(
            f"receiver.reserved_concurrency is {reserved}, and of the {limit} functions that the account may "
            f"run at once {LEAST_UNRESERVED} cannot be reserved; allowed: {allowed}. Ask for more: {QUOTA}"
        )
    return problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
