"""The bridge as attackers meet it: the real handlers and adapters, against the simulator's servers."""

from tests.functions.bridge.conftest import stage as stage
from tests.functions.conftest import agent_service as agent_service
from tests.functions.conftest import aws as aws
from tests.functions.conftest import bot_token as bot_token
from tests.functions.conftest import service_name as service_name
from tests.functions.conftest import slack as slack
