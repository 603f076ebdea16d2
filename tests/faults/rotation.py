"""The bot token is replaced while a turn is under way: at once, or some time after it was revoked.

All turns have the same token, so that each such case runs when every other turn is over.
"""

import secrets
import threading

from werkzeug.wrappers import Response

from simulator.aws import BOT_TOKEN_SECRET_ID
from simulator.simulation import Simulation
from tests.faults.faults import Fault
from tests.faults.watch import Incident

LONGEST_WAIT = 120.0
# So long there is no token that Slack accepts: a turn is given back and tried again meanwhile.
REVOKED_SECONDS = 5.0


def rotated(incident: Incident) -> Response:
    incident.watch.wait(lambda: incident.watch.under_way <= 1, LONGEST_WAIT)
    _replace_token(incident.simulation)
    return incident.perform()


def revoked(incident: Incident) -> Response:
    incident.watch.wait(lambda: incident.watch.under_way <= 1, LONGEST_WAIT)
    incident.simulation.slack.installation.token_error = "token_revoked"
    threading.Timer(REVOKED_SECONDS, _replace_token, [incident.simulation]).start()
    return incident.perform()


def _replace_token(simulation: Simulation) -> None:
    token = f"xoxb-{secrets.token_hex(12)}"
    simulation.aws.secrets.put_secret_value(SecretId=BOT_TOKEN_SECRET_ID, SecretString=token)
    simulation.slack.installation.bot_token = token
    simulation.slack.installation.token_error = None


ROTATED = Fault("token rotated", "Slack and Secrets Manager have a new bot token from here on", rotated)
REVOKED = Fault(
    "token revoked, then replaced",
    f"Slack refuses the token from here on; {REVOKED_SECONDS:g} s later there is another one",
    revoked,
)
