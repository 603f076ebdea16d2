"""The tokens that an agent's models have used, as its service or its own code reports them."""

from collections.abc import Iterator

from functions.bridge.agents.events import Usage

# No call of a model comes near it: AWS counts tokens with integers of 32 bits.
MOST_TOKENS = 2**31 - 1


def usage_in(reported: object) -> Iterator[Usage]:
    """The `Usage` in an object with the members `inputTokens` and `outputTokens`, in which all wires agree.

    None where a member is missing or no count, as agents' own code may send anything: the answer is worth
    more than its tokens, and half a report would be misread.
    """
    if isinstance(reported, dict):
        read, written = _count(reported.get("inputTokens")), _count(reported.get("outputTokens"))
        if read is not None and written is not None:
            yield Usage(read, written)


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_TOKENS else None
