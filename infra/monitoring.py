"""What an operator asks the logs: questions for CloudWatch Logs Insights, saved."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

# By name in the console: the query, and its parameters with a description.
QUERIES = {
    "what became of a question": (
        "fields @timestamp, message, command, verdict, failure, detail, retry_in_seconds, receive_count"
        ' | filter reference = "{{reference}}" | sort @timestamp',
        {"reference": "the number under the explanation in the thread, such as 03111004"},
    ),
    "what became of questions": (
        "fields @timestamp, message, turn_id, reference, command, verdict, failure, refusal, detail, error"
        ' | filter message = "turn accepted" or message = "turn handled" or message = "turn broke"'
        ' or message = "message malformed" or message = "app refused by Slack" | sort @timestamp desc',
        {},
    ),
    "requests that became no question": (
        'filter message = "request rejected" or message = "request not taken" or message = "event ignored"'
        " | stats count(*) as requests, latest(@timestamp) as last by message, status, reason"
        " | sort last desc",
        {},
    ),
    "what the heartbeat found": (
        'filter message = "heartbeat found" | fields @timestamp, what, agent, why, detail'
        " | sort @timestamp desc",
        {},
    ),
    "slowest answers": (
        'filter message = "turn handled" and verdict = "answered"'
        " | fields @timestamp, reference, agent, claimed_after, asked_after, first_text_after, ended_after"
        " | sort ended_after desc | limit 50",
        {},
    ),
    "failures by kind": (
        'filter message = "turn handled" and ispresent(failure)'
        " | stats count(*) as turns, latest(detail) as last by failure, verdict | sort turns desc",
        {},
    ),
}


class SavedQueries(Construct):
    """The queries over these log groups. `folder`: where the console lists them."""

    def __init__(self, scope: Construct, construct_id: str, log_groups: Sequence[logs.ILogGroup]) -> None:
        super().__init__(scope, construct_id)
        self.folder = cdk.Stack.of(self).stack_name
        for name, (query, parameters) in QUERIES.items():
            logs.CfnQueryDefinition(
                self,
                name.title().replace(" ", ""),
                name=f"{self.folder}/{name}",
                query_string=query,
                log_group_names=[group.log_group_name for group in log_groups],
                parameters=[
                    logs.CfnQueryDefinition.QueryParameterProperty(name=parameter, description=description)
                    for parameter, description in parameters.items()
                ]
                or None,
            )
