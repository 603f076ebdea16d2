"""Translates exceptions of boto3 into the `Failed` event that ends a run."""

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

# Errors whose messages may quote the question or a tool's output.
_QUOTING = {"validationException", "dependencyFailedException", "runtimeClientError"}

# Refusals with names that differ by service: an expired token, an unknown operation. The status never decides
# whether the agent started, because an agent in a container may choose its own.
_BY_STATUS = {
    400: Failure.INVALID,
    402: Failure.QUOTA,
    403: Failure.ACCESS_DENIED,
    404: Failure.NOT_FOUND,
}


class RoleNotAssumed(Exception):
    """STS gave no credentials, so nothing was sent to the agent. The text says why."""


def errors_as_events(
    events: Iterator[AgentEvent], *, refused: Mapping[str, Failure], broken_off: Mapping[str, Failure]
) -> Iterator[AgentEvent]:
    """`events`, with an exception translated into a last `Failed` event.

    Args:
        refused: the failure by the `code` of an HTTP error, or by "code/reason", which goes first.
        broken_off: the failure by the `code` of an error within the stream.

    For any other code, the failure is that of an agent that was at work (`failures.at_work`).
    """
    try:
        yield from events
    except RoleNotAssumed as exc:
        yield Failed(Failure.UNREACHABLE, str(exc))
    except (BotoCoreError, HTTPError) as exc:
        # In the middle of a stream botocore lets urllib3's ReadTimeoutError and ProtocolError through.
        # Only the type is logged: some of these exceptions quote the request.
        yield Failed(_own_failure(exc), type(exc).__name__)
    except EventStreamError as exc:
        yield Failed(broken_off.get(code(exc)) or _at_work(exc), _detail(exc), begun=True)
    except ClientError as exc:
        known = refused.get(f"{code(exc)}/{exc.response.get('reason')}") or refused.get(code(exc))
        yield Failed(known or _BY_STATUS.get(status(exc)) or _at_work(exc), _detail(exc))


def code(exc: ClientError) -> str:
    """The error's name with a small first letter, as in a stream; HTTP errors have a capital."""
    name = exc.response.get("Error", {}).get("Code", "")
    return name[:1].lower() + name[1:]


def status(exc: ClientError) -> int:
    """The HTTP status; 0 for an error within a stream."""
    return exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _at_work(exc: ClientError) -> Failure:
    return at_work(code(exc), message=exc.response.get("Error", {}).get("Message", ""))


def _own_failure(exc: Exception) -> Failure:
    """The failure for an exception that is no response of the service."""
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
    """The error's name and message, for the operator; only the name where the message may quote the user."""
    error = exc.response.get("Error", {})
    metadata = exc.response.get("ResponseMetadata", {})
    said = error.get("Message", "")
    message = f": {said}" if said and code(exc) not in _QUOTING else ""
    # boto3 gives no name to errors that the service's model lacks.
    name = error.get("Code") or "an exception without a name"
    return f"{name} (request {metadata.get('RequestId', 'unknown')}){message}"
