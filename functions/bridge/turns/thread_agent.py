"""Which agent a turn's thread is with. It stays with the one that it began with."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.turn import Turn
from functions.bridge.turns.ports import Ports


class ThreadAgent:
    """Reads the agent beside the claim, and keeps it beside the agent's work.

    Args:
        is_read: whether it matters. With one agent it does not yet.
        keeps_asker: whether who asks need not mention the bot in this thread from here on.
    """

    def __init__(self, turn: Turn, ports: Ports, *, is_read: bool, keeps_asker: bool = False) -> None:
        asked = {"user": turn.user, "ts": turn.ts} if keeps_asker else {}
        self._read = partial(ports.ledger.agent_of, turn.thread_id)
        self._keep = partial(ports.ledger.keep_agent, turn.thread_id, **asked)
        self._beside = ports.beside
        self._reading: Callable[[], str | None] = ports.beside(self._read) if is_read else lambda: None
        self._keeping: Callable[[], None] = lambda: None

    def name(self, claimed: ClaimedTurn) -> str | None:
        """The agent's name; None where the thread has none yet. Raises `GiveBack`."""
        try:
            return self._reading()
        except ServiceUnavailable:
            return claimed.retry_until_deadline(self._read)

    def keep(self, name: str) -> None:
        """Begin to keep the agent. With one agent too: there may be several by the thread's next question."""
        self._keeping = self._beside(partial(self._keep, name))

    def ensure_kept(self, claimed: ClaimedTurn, name: str) -> None:
        """Wait for what `keep` has begun. Raises `GiveBack`."""
        try:
            self._keeping()
        except ServiceUnavailable:
            claimed.retry_until_deadline(partial(self._keep, name))

    def close(self) -> None:
        """Wait for what is under way."""
        for call in (self._reading, self._keeping):
            with suppress(ServiceUnavailable):
                call()
