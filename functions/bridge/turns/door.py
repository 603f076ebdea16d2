"""What a question passes between its claim and its agent: who may ask, and whether there is a slot."""

from collections.abc import Callable
from contextlib import suppress

from functions.bridge import wording
from functions.bridge.admission import access
from functions.bridge.admission.access import AccessRules, Reason
from functions.bridge.admission.identity import belongs_to_us
from functions.bridge.admission.slots import Full, Limit, Slot
from functions.bridge.channel_ids import is_direct
from functions.bridge.delivery import FIRST_BACK_OFF, Delivery
from functions.bridge.errors import GiveBack, ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import State
from functions.bridge.people import Identity, Person
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
)
from functions.bridge.replies.deliver import final_messages
from functions.bridge.replies.thread_messages import ThreadMessages
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports


class Waits(Exception):
    """There is no slot: the question stays on its queue. Its asker can see that. Says why, for the log."""


class TakenSlot:
    """The slot of one delivery: it is taken beside the claim, and given back when that is over.

    Attributes:
        learned: who asks, as Slack has said it just now.

    Args:
        is_wanted: whether the turn counts as a question of its person, whoever answers it.
    """

    def __init__(self, turn: Turn, delivery: Delivery, ports: Ports, *, is_wanted: bool) -> None:
        self.learned: Person | None = None
        self._turn = turn
        self._slots = ports.slots
        self._clock = ports.clock
        self._wait: Callable[[], Slot] = Slot
        if is_wanted:
            is_new = delivery.receive_count == 1  # else it has come before, and was counted then
            self._wait = ports.slots.take(turn, now=ports.clock.now(), until=delivery.deadline, is_new=is_new)

    def look(self) -> Slot:
        """What was taken. Raises `GiveBack` when the store does not answer."""
        try:
            return self._wait()
        except ServiceUnavailable as exc:
            raise GiveBack(str(exc), FIRST_BACK_OFF) from exc

    def wait(self, *, is_told: bool) -> Full | None:
        """Count the turn among the waiting ones, or say which limit keeps it from that (`Slots.wait`).

        Raises `GiveBack` when the store does not answer.
        """
        slot = self.look()
        try:
            return self._slots.wait(self._turn, slot, now=self._clock.now(), is_told=is_told)
        except ServiceUnavailable as exc:
            raise GiveBack(str(exc), FIRST_BACK_OFF) from exc

    def clear_earlier(self) -> None:
        """Remove what earlier deliveries of the turn have left; if that fails, it expires."""
        with suppress(ServiceUnavailable):
            self._slots.clear_earlier(self._turn, self._wait())

    def give_back(self, *, forget: bool = False) -> None:
        """Free what was taken; if that fails, it expires. `forget` is whether nothing was asked."""
        with suppress(ServiceUnavailable):
            slot = self._wait()
            if slot.held or self.learned:
                self._slots.give_back(self._turn, slot, learned=self.learned, forget=forget)


class Door:
    """Lets one claimed turn in, or tells its asker why not.

    Args:
        messages: writes the turn's reply, which may say that it waits or is refused.
        us: who the bot is.
        outcome: is told of a refusal.
        is_new: whether this is the first delivery of the turn.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        ports: Ports,
        messages: ThreadMessages,
        us: Identity,
        outcome: Outcome,
        slot: TakenSlot,
        *,
        is_new: bool,
    ) -> None:
        self._claimed = claimed
        self._chat = ports.chat
        self._messages = messages
        self._us = us
        self._outcome = outcome
        self._slot = slot
        self._is_new = is_new
        self._person: Person | None = None

    @property
    def name(self) -> str:
        """What people call who asks; "" where that is not known yet."""
        return self._person.name if self._person else ""

    def lets_in(self, rules: AccessRules) -> bool:
        """Whether the rules let the question in. Else its asker is told.

        Raises what `ClaimedTurn.retry_until_deadline` raises, and ChatAppRefused.
        """
        reason = self._reason(rules)
        if reason is not None:
            self.refuse(reason, wording.refusal(reason))
        return reason is None

    def may_ask(self, rules: AccessRules) -> bool:
        """The same, and nobody is told."""
        return self._reason(rules) is None

    def is_within_minute(self) -> bool:
        """Whether it may be answered now. Else its asker has asked too much in a minute, and is told."""
        full = self._slot.look().full
        if full is None or full.limit is not Limit.MINUTE:
            return True
        self._refuse_too_many(Reason.TOO_MANY, wording.too_many(full.most, full.seconds))
        return False

    def has_slot(self) -> bool:
        """Whether the turn may run now. Else too many questions of its asker wait, and they are told.

        Raises:
            Waits: it may run later.
            GiveBack: nobody knows whether it may wait.
        """
        full = self._slot.look().full
        if full is None:
            if not self._is_new:
                self._slot.clear_earlier()
            return True
        if too_many := self._slot.wait(is_told=self._is_told_to_wait):
            self._refuse_too_many(Reason.TOO_MANY_WAITING, wording.too_many_waiting(too_many.most))
            return False
        self._show_waiting(full)
        raise Waits(f"all {full.most} slots of the {full.limit} are taken")

    def refuse(self, reason: Reason, words: str, *, ending: State = State.ANSWERED) -> None:
        """Tell the asker why they are not answered, which ends the turn.

        Them alone; but in direct messages, and where a message of the turn stands, that says it.

        Raises:
            GiveBack: Slack does not take it now. No worker waits for that: whoever is refused may ask as
                much as Slack lets them, and would take all workers. Who asks too much is told if Slack is
                not busy.
        """
        self._outcome.refusal = reason
        turn = self._claimed.turn
        is_in_thread = is_direct(turn.channel) or self._claimed.record.intended > 0
        try:
            if is_in_thread:
                first = self._claimed.record.base
                self._messages.try_write(*final_messages(turn, [words], ending, is_notice=True, first=first))
            else:
                self._chat.post_ephemeral(turn.channel, turn.thread_ts, turn.user, words)
        except ChatStopped:
            raise
        except ChatRefused as exc:
            if not is_in_thread:  # what is owed finds another message
                self._outcome.note(f"the asker could not be told: {exc.code}")
        except (ChatRateLimited, ChatUnavailable, ServiceUnavailable) as exc:
            # At the next delivery nobody knows any more how much was asked in this minute, and what came
            # back to the queue would wait, which it may not.
            is_too_much = reason in (Reason.TOO_MANY, Reason.TOO_MANY_WAITING)
            if not (is_too_much and isinstance(exc, ChatRateLimited)):
                raise GiveBack(str(exc), exc.retry_after or FIRST_BACK_OFF) from exc
            self._outcome.note(f"the asker could not be told: {exc}")
            self._claimed.settle(ending)
            return
        if is_in_thread:
            self._claimed.owe_notice(words, ending)  # it stands
        else:
            self._claimed.settle(State.ANSWERED)

    def _refuse_too_many(self, reason: Reason, words: str) -> None:
        # Under a message of an earlier attempt there is a button, with which to ask again.
        ending = State.FAILED if self._claimed.turn.attempt > 1 else State.ANSWERED
        self.refuse(reason, words, ending=ending)

    def _reason(self, rules: AccessRules) -> Reason | None:
        turn = self._claimed.turn
        if reason := access.refused_by_event(turn, rules):
            return reason
        if turn.notice is not None or not access.asks_who(turn, rules):
            return None  # who gets no agent's answer is not looked up
        try:
            person = self._person = self._person or self._slot.look().person or self._ask_slack()
        except ChatRefused as exc:
            self._outcome.note(f"Slack does not tell who asks: {exc.code}")
            return Reason.UNKNOWN
        return access.refused_for_person(turn, person, rules, is_ours=belongs_to_us(person.home, self._us))

    def _ask_slack(self) -> Person:
        user = self._claimed.turn.user
        person = self._claimed.retry_until_deadline(lambda: self._chat.person(user))
        self._slot.learned = person
        return person

    @property
    def _is_told_to_wait(self) -> bool:
        """Whether the turn's message says so already."""
        return bool(self._claimed.record.reply) and not self._is_new

    def _show_waiting(self, full: Full) -> None:
        """Say so in the message that becomes the answer; in any style, as no status lasts that long."""
        if self._is_told_to_wait:
            return
        try:
            self._messages.try_show([wording.waits(full)])
        except (ChatAppRefused, ChatStopped):
            raise
        except (ChatError, ServiceUnavailable) as exc:
            self._outcome.note(str(exc))
