"""A receiver with Bolt for Python and lazy listeners, as its documentation shows it for AWS Lambda.

https://docs.slack.dev/tools/bolt-python/concepts/lazy-listeners
"""

import os
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_sdk import WebClient

app = App(
    process_before_response=True,
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    # Its own client, but for the address.
    client=WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
)


def acknowledge(ack: Any) -> None:
    ack()


def answer(body: Any) -> None:
    """What asks the agent: another invocation of this function, which is not measured here."""


app.event("app_mention")(ack=acknowledge, lazy=[answer])
SlackRequestHandler.clear_all_log_handlers()


def handler(event: dict[str, Any], context: Any) -> Any:
    return SlackRequestHandler(app=app).handle(event, context)
