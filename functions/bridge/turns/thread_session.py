"""The agent's session in a turn's thread: which one it is, and what it is told of the thread."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from functions.bridge import wording
from functions.bridge.admission import access
from functions.bridge.admission.access import AccessRules
from functions.bridge.admission.identity import belongs_to_us
from functions.bridge.agents.memory import Memory
from functions.bridge.channel_ids import is_direct
from functions.bridge.conversation import ConversationOptions
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.session import Session
from functions.bridge.people import Identity, Person
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatUnavailable,
)
from functions.bridge.turn import Turn
from functions.bridge.turns.history import Author, Said
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.thread_context import Quotation, quote, span, unknown_to_agent

# Seconds after which a thread counts as unreadable, and how often each page of it is asked for.
PATIENCE_SECONDS = 15.0
PAGE_TRIES = 3
# For so many people Slack is asked at most who they are: each takes a call, once in a worker's life.
MOST_PEOPLE = 10


class ThreadSession:
    """Reads once what is known of the session, with the lease kept. Raises `GiveBack` where that fails.

    Args:
        outcome: what the operator should know of a thread that could not be read goes in here.
        us: who the bot is.
        rules: who may ask. What others say in the thread is not told.

    Attributes:
        person: whose session it is where each person of a thread has one; "" elsewhere.
        names: of people who have written in the thread, by id, as far as Slack was asked for them.
        note: what stands under the answer about what the agent was told; "" for nothing.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        ports: Ports,
        outcome: Outcome,
        memory: Memory,
        options: ConversationOptions,
        us: Identity,
        rules: Sequence[AccessRules],
    ) -> None:
        self._claimed = claimed
        self._turn = claimed.turn
        self._ports = ports
        self._outcome = outcome
        self._memory = memory
        self._options = options
        self._us = us
        self._rules = rules
        self.person = self._turn.user if memory.is_personal else ""
        self._known = self._look_up()
        self._span = span(self._turn, self._known, memory, now=ports.clock.now())
        self._is_unread = False
        self._people: dict[str, Person] = {}
        self.note = ""

    @property
    def id(self) -> str:
        """The session's id: one for each thread, until somebody has it begin anew."""
        return self._known.id_in(self._turn.thread_id)

    @property
    def names(self) -> dict[str, str]:
        return {user: person.name for user, person in self._people.items() if person.name}

    @property
    def has_to_read(self) -> bool:
        """Whether the thread has to be read before the agent is asked."""
        return self._options.thread_context and self._span is not None

    @property
    def hears_edits(self) -> bool:
        """Whether Slack may tell the app of edits here: `config.manifest.message_events`."""
        return is_direct(self._turn.channel) or bool(self._options.follow_ups)

    def forget(self) -> str:
        """Begin a new session, and return the words for that. Raises `GiveBack`."""
        turn = self._turn
        if turn.thread_ts == turn.ts:
            return wording.NOTHING_TO_FORGET
        self._claimed.begin_session(self.person)
        more = [wording.KEPT_ALL_THE_SAME] if self._memory.outlives_session else []
        return " ".join([wording.FORGOTTEN, *more])

    def read(self, *, stop_at: float) -> list[Said]:
        """What the agent is to be told of the thread, oldest first. Nothing if it cannot be read.

        Args:
            stop_at: when nobody waits for the agent any longer, seconds since the epoch.

        Raises:
            ChatAppRefused: Slack refused the app.
        """
        if not self.has_to_read:
            return []
        assert self._span is not None
        until = min(self._ports.clock.now() + PATIENCE_SECONDS, stop_at)
        try:
            messages = self._pages(after=self._span.after, until=until)
        except ChatAppRefused:
            raise
        except ChatError as exc:
            self._is_unread = True
            scopes = f"; it takes {exc.needed}" if isinstance(exc, ChatRefused) and exc.needed else ""
            self._outcome.note(f"the thread was not read: {exc}{scopes}")
            self.note = wording.THREAD_UNREAD if self._span.is_whole else ""
            return []
        # Slack may have repeated the thread's first message.
        self._look_people_up([said for said in messages if said.ts > self._span.after])
        return unknown_to_agent(
            messages,
            self._span,
            turn=self._turn,
            session=self._known,
            memory=self._memory,
            may_ask=self._may_ask,
        )

    def quotation(self, messages: list[Said], names: dict[str, str]) -> Quotation | None:
        """What goes in front of the question; None for nothing. Notes how much that is."""
        if not messages:
            return None
        assert self._span is not None
        most = self._options.context_characters
        quotation = quote(messages, names, turn=self._turn, wanted=self._span, most=most)
        self.note = wording.read_messages(quotation.told, quotation.found)
        return quotation

    def keep_seen(self) -> None:
        """Keep that the agent has answered to the question, unless it was not told what came before it."""
        if not self._options.thread_context or self._is_unread:
            return
        turn, at = self._turn, self._ports.clock.now()
        try:
            self._ports.ledger.keep_seen(turn.thread_id, self.person, seen=turn.ts, at=at)
        except ServiceUnavailable as exc:  # then the agent is told once more what it knows
            self._outcome.note(f"what the agent has seen was not kept: {exc}")

    def _look_up(self) -> Session:
        """What is known of the session: nothing of a thread's first question, unless it is asked again."""
        turn = self._turn
        if turn.thread_ts == turn.ts and turn.attempt == 1:
            return Session()
        ledger = self._ports.ledger
        return self._claimed.retry_until_deadline(lambda: ledger.session(turn.thread_id, self.person))

    def _pages(self, *, after: str, until: float) -> list[Said]:
        """The messages of the thread, page by page to the end: the last page has the newest."""
        messages: list[Said] = []
        cursor = ""
        while True:
            self._claimed.heartbeat()
            page = self._claimed.retry(
                partial(self._ports.history.page, self._turn, after=after, cursor=cursor),
                until=until,
                most_tries=PAGE_TRIES,
                after=(ChatRateLimited, ChatUnavailable),
            )
            messages += page.messages
            cursor = page.cursor
            if not cursor:
                return messages
            if self._ports.clock.now() >= until:
                raise ChatUnavailable("it took too long")

    def _look_people_up(self, messages: Sequence[Said]) -> None:
        """Ask Slack who has written in the thread, the newest messages first. Trouble ends the asking.

        Raises:
            ChatAppRefused: Slack refused the app.
        """
        people = (said.user for said in reversed(messages) if said.author is Author.PERSON)
        others = [user for user in dict.fromkeys(people) if user != self._turn.user]
        for user in others[:MOST_PEOPLE]:
            self._claimed.heartbeat()
            try:
                self._people[user] = self._ports.chat.person(user)
            except ChatAppRefused:
                raise
            except ChatRefused as exc:  # another one may be known
                self._outcome.note(f"Slack does not tell who wrote in the thread: {exc.code}")
            except ChatError as exc:
                self._is_unread = True  # what they wrote is told another time
                self._outcome.note(f"Slack does not tell who wrote in the thread: {exc}")
                break

    def _may_ask(self, said: Said) -> bool:
        """Whether a person may ask the agent here. Of whom nobody knows enough, they may not."""
        if said.user == self._turn.user:
            return True
        is_ours = said.team != "" and said.team in (self._us.team, self._us.organization)
        turn = replace(self._turn, user=said.user, sender_unknown=not is_ours)
        return all(self._lets_in(turn, rules) for rules in self._rules)

    def _lets_in(self, turn: Turn, rules: AccessRules) -> bool:
        if access.refused_by_event(turn, rules):
            return False
        if not access.asks_who(turn, rules):
            return True
        person = self._people.get(turn.user)
        if person is None:
            return False
        is_ours = belongs_to_us(person.home, self._us)
        return access.refused_for_person(turn, person, rules, is_ours=is_ours) is None
