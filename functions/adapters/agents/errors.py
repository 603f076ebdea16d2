"""What boto3 raises while it asks an agent and listens to it, as the `Failed` event that ends the run."""

from collections.abc import Iterator, Mapping

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    EventStreamError,
    NoCredentialsError,
    ParamValidationError,
)
from urllib3.exceptions import HTTPError

from functions.bridge.agents.events import AgentEvent, Failed
from functions.bridge.agents.failures import Failure, at_work

# Errors that quote what was asked, or what a tool said.
_QUOTING = {"validationException", "dependencyFailedException", "runtimeClientError"}

# Refusals that every service may utter under names of its own: an expired token, an unknown operation.
# Whether the agent started is read from names only, as what runs in a container may choose its own status.
_BY_STATUS = {
    400: Failure.INVALID,
    402: Failure.QUOTA,
    403: Failure.ACCESS_DENIED,
    404: Failure.NOT_FOUND,
}


class RoleNotAssumed(Exception):
    """There are no credentials for a role for now, so that nothing was sent to the agent. Says why."""


def errors_as_events(
    events: Iterator[AgentEvent], *, refused: Mapping[str, Failure], broken_off: Mapping[str, Failure]
) -> Iterator[AgentEvent]:
    """`events`, with an exception among them told as a `Failed` event.

    Args:
        refused: errors as the answer to the request, by `code`; where a service gives its errors a `reason`,
            "code/reason" goes first. Those that are missing here, of agents that may have been at work,
            are told by their names.
        broken_off: errors within a stream, by `code`; those that are missing here likewise.
    """
    try:
        yield from events
    except RoleNotAssumed as exc:
        yield Failed(Failure.UNREACHABLE, str(exc))
    except (BotoCoreError, HTTPError) as exc:
        # urllib3's ReadTimeoutError and ProtocolError escape botocore in the middle of a stream.
        # Only the type: some of these exceptions quote what was sent.
        yield Failed(_own_failure(exc), type(exc).__name__)
    except EventStreamError as exc:
        yield Failed(broken_off.get(code(exc)) or _at_work(exc), _detail(exc), begun=True)
    except ClientError as exc:
        known = refused.get(f"{code(exc)}/{exc.response.get('reason')}") or refused.get(code(exc))
        yield Failed(known or _BY_STATUS.get(status(exc)) or _at_work(exc), _detail(exc))


def code(exc: ClientError) -> str:
    """The error's name as the service model spells it in a stream; HTTP errors begin with a capital."""
    name = exc.response.get("Error", {}).get("Code", "")
    return name[:1].lower() + name[1:]


def status(exc: ClientError) -> int:
    """The HTTP status of the answer; 0 for an error within a stream."""
    return exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _at_work(exc: ClientError) -> Failure:
    return at_work(code(exc), message=exc.response.get("Error", {}).get("Message", ""))


def _own_failure(exc: Exception) -> Failure:
    """The failure for an error that is not the service's answer."""
    match exc:
        case EndpointConnectionError() | ConnectTimeoutError():
            # Refused, unknown host, or no connection in time: the request was never sent.
            return Failure.UNREACHABLE
        case ParamValidationError():
            return Failure.INVALID
        case NoCredentialsError() | CredentialRetrievalError():
            return Failure.ACCESS_DENIED
    return Failure.CUT_OFF


def _detail(exc: ClientError) -> str:
    """What the service said, for the operator; but of what it may quote from the question only the name."""
    error = exc.response.get("Error", {})
    metadata = exc.response.get("ResponseMetadata", {})
    said = error.get("Message", "")
    message = f": {said}" if said and code(exc) not in _QUOTING else ""
    # What the service's model does not know, boto3 does not name.
    name = error.get("Code") or "an exception without a name"
    return f"{name} (request {metadata.get('RequestId', 'unknown')}){message}"
