"""Starts ministack, an AWS on loopback, with eight of its faults mended.

It runs in an environment of its own, which `make deploy-check` makes: ministack runs the deployed functions
with the Python that runs it, and what they import must come from the asset.

The faults, as of ministack 1.5.33:
    A secret's `Ref` is its name; in CloudFormation it is its ARN:
    docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
    The name that a secret without one gets begins with the stack's; in CloudFormation it is the logical id, a
    hyphen and twelve characters, and the CDK takes the name out of the ARN by that:
    github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/aws-secretsmanager/lib/secret.ts
    A function's layer is unpacked into a folder of its own; in Lambda its files are in /opt:
    docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
    It has no saved queries of CloudWatch Logs Insights, and no alarms on expressions; here they are made, and
    nobody can read them.
    `aws:SecureTransport` is false, as the emulator speaks plain HTTP; our queues refuse that, and should.
    `aws:PrincipalArn` of an assumed role is the session's ARN; in IAM it is the role's:
    docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    Who writes to a log stream asks for the log group there; in IAM for the stream, or the group's ARN with a
    colon behind it: docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html

It also says in its log what it denies to whom.
"""

from secrets import token_hex
from typing import Any

import ministack.app as app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services.cloudformation import provisioners

secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
create, update, delete = secret["create"], secret["update"], secret["delete"]
pin_request_origin = app.pin_request_origin
access_denied_response = iam_actions.access_denied_response
extract_resource_arn = iam_actions.extract_resource_arn
resolve_condition_key = iam_evaluator._resolve_condition_key


def create_with_arn(logical_id: str, properties: dict[str, Any], *rest: Any) -> tuple[str, dict[str, str]]:
    named = {"Name": f"{logical_id}-{token_hex(6)}", **properties}
    _, attributes = create(logical_id, named, *rest)
    return attributes["Id"], attributes


def update_by_arn(
    arn: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **more: Any
) -> tuple[str, dict[str, str]]:
    name = name_in(arn)
    _, attributes = update(name, {"Name": name, **old}, {"Name": name, **new}, *rest, **more)
    return attributes["Id"], attributes


def delete_by_arn(arn: str, properties: Any) -> None:
    delete(name_in(arn), properties)


def name_in(arn: str) -> str:
    """Of "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-123abc", without the last seven characters."""
    return arn.rpartition(":")[2][:-7]


def extract_with_stream(service: str, *rest: Any, **more: Any) -> Any:
    arn = extract_resource_arn(service, *rest, **more)
    return f"{arn}:log-stream:" if service == "logs" and ":log-group:" in str(arn) else arn


def resolve_with_role(key: str, context: Any) -> Any:
    value = resolve_condition_key(key, context)
    if key.lower() == "aws:principalarn" and ":assumed-role/" in str(value):
        account, role = str(value).split(":")[4], str(value).split("/")[1]
        return f"arn:aws:iam::{account}:role/{role}"
    return value


def say_what_is_denied(service: str, action: str, principal: str, *rest: Any, **more: Any) -> Any:
    print(f"denied {action} to {principal}", flush=True)
    return access_denied_response(service, action, principal, *rest, **more)


# In the process that runs a function: its variables, as they are read from the standard input.
READ_VARIABLES = "    os.environ.update(env)\n"
LEAD_INTO_THE_LAYER = """
    for _name, _value in env.items():
        if _value.startswith("/opt/"):
            os.environ[_name] = os.environ["_LAMBDA_LAYERS_DIRS"] + _value[4:]
"""
assert lambda_runtime._PYTHON_WORKER_SCRIPT.count(READ_VARIABLES) == 1
lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
    READ_VARIABLES, READ_VARIABLES + LEAD_INTO_THE_LAYER
)

alarm = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
create_alarm, update_alarm = alarm["create"], alarm["update"]


def create_any_alarm(logical_id: str, properties: dict[str, Any], *rest: Any) -> tuple[str, dict[str, str]]:
    if "Metrics" in properties:
        return logical_id, {"Arn": f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{logical_id}"}
    made: tuple[str, dict[str, str]] = create_alarm(logical_id, properties, *rest)
    return made


def update_any_alarm(name: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **more: Any) -> Any:
    if "Metrics" in new:
        return create_any_alarm(name, new)
    return update_alarm(name, old, new, *rest, **more)


alarm.update(create=create_any_alarm, update=update_any_alarm)
provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": lambda logical_id, *_: (logical_id, {"QueryDefinitionId": logical_id}),
    "delete": lambda *_: None,
}

secret.update(create=create_with_arn, update=update_by_arn, delete=delete_by_arn)
iam_actions.access_denied_response = say_what_is_denied
iam_actions.extract_resource_arn = extract_with_stream
iam_evaluator._resolve_condition_key = resolve_with_role
app.pin_request_origin = lambda address, _: pin_request_origin(address, True)
app.main()
