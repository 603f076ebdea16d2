"""Posts that nobody confirmed. Such a message may stand, and is looked for before it is posted again."""

from collections.abc import Callable, Iterable

from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.replies.chat import Chat, ChatRefused, ChatUnavailable, Found


class Unconfirmed:
    """The unconfirmed messages of one turn, by their numbers.

    They are those that earlier owners intended to post, and posts of ours whose answer got lost. Without a
    history scope Slack lets nobody look for them: then one message may be left over in the thread.
    """

    def __init__(self, claimed: ClaimedTurn, chat: Chat) -> None:
        self._claimed = claimed
        self._chat = chat
        self._numbers = {*range(len(claimed.record.reply), claimed.record.intended)}
        self._abandoned: set[str] = set()
        self._may_search = True

    def __bool__(self) -> bool:
        """Whether there may be any."""
        return bool(self._numbers)

    def add(self, number: int) -> None:
        """Message `number` was posted, and the answer to that got lost."""
        self._numbers.add(number)

    def is_hopeless(self, number: int) -> bool:
        """Whether message `number` may stand, and cannot be looked for."""
        return number in self._numbers and not self._may_search

    def abandon(self, messages: Iterable[str]) -> None:
        """Leave these messages (their ts) out of `found`: they are no part of the reply any more."""
        self._abandoned.update(messages)

    def once(self, number: int, post: Callable[[], str], *, until_deadline: bool) -> tuple[str, bool]:
        """Post message `number` with `post`, unless it is found in the thread.

        Returns its ts and whether it was found. `until_deadline` as in `found`. Raises what `post` raises.
        """
        if number in self._numbers and number in (found := self.found(until_deadline=until_deadline)):
            self._numbers.discard(number)
            return found[number], True
        try:
            ts = post()
        except ChatUnavailable:
            self._numbers.add(number)
            raise
        self._numbers.discard(number)
        return ts, False

    def all_found(self) -> dict[int, str]:
        """What `found` returns, certainly. From here on no message is unconfirmed."""
        found = self.found(until_deadline=True)
        self._numbers.clear()
        return found

    def found(self, *, until_deadline: bool) -> dict[int, str]:
        """The messages of the reply that stand in the thread, number to ts.

        With `until_deadline` the search is repeated, and raises `GiveBack`; else it is tried once, and raises
        `ChatError`.
        """
        if not self._may_search:
            return {}
        try:
            found = self._claimed.retry_until_deadline(self._find) if until_deadline else self._find()
        except ChatRefused:
            self._may_search = False
            return {}
        every = self._open_stream(found) | found.messages
        return {number: ts for number, ts in every.items() if ts not in self._abandoned}

    def _find(self) -> Found:
        return self._chat.find(self._claimed.turn)

    def _open_stream(self, found: Found) -> dict[int, str]:
        """A stream that nobody stopped is the message that was intended last."""
        unknown = [ts for ts in found.streams if ts not in self._claimed.record.reply]
        return {self._claimed.record.intended - 1: unknown[-1]} if unknown else {}
