"""The bot token is replaced while a turn is under way."""

import secrets

from werkzeug.wrappers import Response

from simulator.aws import BOT_TOKEN_SECRET_ID
from tests.faults.faults import Fault
from tests.faults.watch import Incident

LONGEST_WAIT = 120.0


def rotated(incident: Incident) -> Response:
    """Waits until every other turn is over, as they all have the same token."""
    incident.watch.wait(lambda: incident.watch.under_way <= 1, LONGEST_WAIT)
    token = f"xoxb-{secrets.token_hex(12)}"
    incident.simulation.aws.secrets.put_secret_value(SecretId=BOT_TOKEN_SECRET_ID, SecretString=token)
    incident.simulation.slack.installation.bot_token = token
    return incident.perform()


ROTATED = Fault("token rotated", "Slack and Secrets Manager have a new bot token from here on", rotated)
