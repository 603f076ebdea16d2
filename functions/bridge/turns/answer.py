"""Decides who answers a claimed turn: an agent, or the bridge itself."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from functions.bridge import wording
from functions.bridge.admission.access import Access, Reason
from functions.bridge.admission.identity import check_meant
from functions.bridge.agents.attachments import Attachments, objection
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.memory import Memory
from functions.bridge.agents.routing import Agents, Choice, NoChoice, NoChoiceReason
from functions.bridge.agents.tools import ToolFunctions
from functions.bridge.conversation import ConversationOptions
from functions.bridge.delivery import Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.pauses import Decided
from functions.bridge.ledger.record import State
from functions.bridge.people import Identity
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.replies.writer import Writer
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns import approvals
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.ask_agent import AskAgent
from functions.bridge.turns.door import Door, TakenSlot
from functions.bridge.turns.follow_up import MUTE, UNMUTE
from functions.bridge.turns.outcome import Approval, Outcome
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.settle import MOST_TRIES, settle_turn
from functions.bridge.turns.stopped import owe_stop
from functions.bridge.turns.thread_agent import ThreadAgent
from functions.bridge.turns.thread_session import ThreadSession

# With this word, instead of a question, a person has the agent's session in a thread begin anew.
FORGET = "forget"

# What people are told whether they may ask or not: they have asked, and it was lost or forgotten.
_OUR_FAULT = (Notice.UNREADABLE, Notice.TOO_OLD)


def answer(
    turn: Turn,
    delivery: Delivery,
    ports: Ports,
    *,
    agents: Agents,
    access: Access,
    approval_rules: Mapping[str, ApprovalRules],
    tools: ToolFunctions,
    attachments: Attachments,
    options: ReplyOptions,
    conversations: ConversationOptions,
    margin: float,
) -> Outcome:
    """Ask the agent and show its answer; or finish, or explain, what an earlier delivery left behind.

    Args:
        agents: one of them is asked, unless the turn has a notice or may have been asked before.
        access: who may ask them.
        approval_rules: by the agents' names, what is done when they ask before they act.
        tools: runs what they leave to the bridge.
        attachments: fetches the files that hang on the question.
        conversations: what the agent is told of its thread.
        margin: how many seconds before the delivery's deadline the agent is not waited for any longer.
    """

    asking: AskAgent | None = None

    def session_of(
        name: str, memory: Memory, claimed: ClaimedTurn, outcome: Outcome, us: Identity
    ) -> ThreadSession:
        rules = (access.bridge, access.of(name))
        return ThreadSession(claimed, ports, outcome, memory, conversations, us, rules)

    def attempt_in(
        session: ThreadSession, claimed: ClaimedTurn, writer: Writer, outcome: Outcome
    ) -> AskAgent:
        nonlocal asking
        approving = approval_rules.get(outcome.agent, ApprovalRules())
        stop_at = delivery.deadline - margin
        asking = AskAgent(
            claimed, writer.progress, ports, session, outcome, options, approving, tools, stop_at=stop_at
        )
        return asking

    has_follow_ups = conversations.has_follow_ups_in(turn.channel)
    thread = ThreadAgent(
        turn,
        ports,
        is_read=agents.are_several(),
        keeps_asker=has_follow_ups and turn.attempt == 1,  # a press of Retry may come days later
    )

    def work(claimed: ClaimedTurn, writer: Writer, outcome: Outcome, slot: TakenSlot) -> None:
        turn = claimed.turn  # it may have been edited
        us = claimed.retry_until_deadline(ports.chat.identity)
        if turn.notice is not Notice.UNREADABLE:  # which may not say whose it was
            check_meant(turn, us)
        record, is_new = claimed.record, delivery.receive_count == 1
        if not is_new and owe_stop(claimed, ports, outcome):
            return
        if record.state is State.WAITING:
            go_on(claimed, writer, outcome, us)
            return
        door = Door(claimed, ports, writer.messages, us, outcome, slot, is_new=is_new)
        is_tried = record.state is not State.RECEIVED or record.tries > MOST_TRIES
        if is_tried or turn.notice in _OUR_FAULT:
            _owe_own_words(claimed, ports, outcome)
        elif turn.notice is Notice.EXTERNAL:
            door.refuse(Reason.FOREIGN, wording.refusal(Reason.FOREIGN))
        elif door.lets_in(access.bridge) and door.is_within_minute():
            here = _to_be_asked(turn, agents, access, door)
            so_far = thread.name(claimed)
            chosen = _own_answer(turn, agents, here) or _choose(turn, agents, here, so_far=so_far)
            if isinstance(chosen, str):
                claimed.owe_notice(chosen)
            elif door.lets_in(access.of(chosen.name)) and door.has_slot():
                outcome.agent = chosen.name
                thread.keep(chosen.name)
                session = session_of(chosen.name, chosen.memory, claimed, outcome, us)
                word = "" if turn.files or turn.is_follow_up else chosen.text.lower()
                if word == FORGET or (has_follow_ups and word in (MUTE, UNMUTE)):
                    claimed.owe_notice(session.forget() if word == FORGET else _mute(word, claimed, ports))
                    thread.ensure_kept(claimed, chosen.name)
                    return
                question = replace(turn, text=chosen.text)
                attempt = attempt_in(session, claimed, writer, outcome)
                attempt.ask(chosen.agent, question, attachments, asker=door.name)
                thread.ensure_kept(claimed, chosen.name)

    def go_on(claimed: ClaimedTurn, writer: Writer, outcome: Outcome, us: Identity) -> None:
        """Tell the agent of a turn that waits what was decided; or let it wait on."""
        pause, decision = claimed.record.pause, approvals.decision_of(claimed, ports)
        if pause is None or decision is None:
            claimed.wait_for_decision()
            return
        outcome.agent, outcome.decided_by = pause.agent, decision.user
        if decision.decided is Decided.EXPIRED:
            outcome.approval = Approval.of(pause, decision)
        approvals.show_decision(claimed, writer.messages, pause, decision)
        chosen = agents.named(pause.agent)
        waited = ports.clock.now() - pause.asked_at
        if chosen is None or (decision.decided is Decided.EXPIRED and chosen.memory.is_over(waited)):
            claimed.note(base=claimed.record.base + 1)
            failure = Failure.NOT_FOUND if chosen is None else Failure.EXPIRED
            claimed.owe_explanation(failure, State.FAILED)
            return
        session = session_of(pause.agent, chosen.memory, claimed, outcome, us)
        attempt_in(session, claimed, writer, outcome).go_on(chosen.agent, turn, pause, decision)

    is_limited = turn.notice not in (*_OUR_FAULT, Notice.EXTERNAL)
    try:
        outcome = settle_turn(turn, delivery, ports, work, options=options, is_limited=is_limited)
    finally:
        thread.close()
    if asking is not None:
        asking.note_session(deadline=delivery.deadline)
    return outcome


def give_up(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
    """Tell the thread of a turn that the worker could not finish; or land the text that is still owed."""

    def work(claimed: ClaimedTurn, _: Writer, outcome: Outcome, __: TakenSlot) -> None:
        if not owe_stop(claimed, ports, outcome):
            _owe_own_words(claimed, ports, outcome)

    outcome = settle_turn(turn, delivery, ports, work, is_last=True)
    if outcome.retry_in_seconds is None:
        with suppress(ServiceUnavailable):  # then the slots expire
            ports.slots.free(turn)
    return outcome


def _mute(word: str, claimed: ClaimedTurn, ports: Ports) -> str:
    """Have the bot answer in the thread only who mentions it, or others too. Returns the words for that."""
    thread_id, is_muted = claimed.turn.thread_id, word == MUTE
    claimed.retry_until_deadline(lambda: ports.ledger.mute(thread_id, is_muted=is_muted))
    return wording.MUTED if is_muted else wording.UNMUTED


def _to_be_asked(asked: Turn, agents: Agents, access: Access, door: Door) -> dict[str, str]:
    """The agents that this person is told of: names with descriptions, without those they may not ask."""
    return {
        name: about
        for name, about in agents.reachable(asked.channel).items()
        if door.may_ask(access.of(name))
    }


def _own_answer(asked: Turn, agents: Agents, here: Mapping[str, str]) -> str:
    """What the bridge answers by itself; "" when the question is for an agent. `here`: see `_to_be_asked`."""
    if asked.notice is not None:
        return wording.notice_text(asked.notice, reference=asked.reference)
    if asked.text.lower() == "help":
        return _help(agents, here)
    return objection(asked.files)


def _choose(asked: Turn, agents: Agents, here: Mapping[str, str], *, so_far: str | None) -> Choice | str:
    """Who is asked what, or why nobody is. A thread stays with the agent that it began with."""
    match agents.choose(asked.channel, asked.text, so_far=so_far):
        case NoChoice() as nobody:
            return wording.no_choice(nobody, here)
        case Choice(is_named=True, name=name) if name not in here:
            return wording.no_choice(NoChoice(NoChoiceReason.UNKNOWN), here)
        case Choice(text=text) as choice if text or asked.files:
            return choice
    return _help(agents, here)


def _help(agents: Agents, here: Mapping[str, str]) -> str:
    return wording.help_text(here, are_several=agents.are_several())


def _owe_own_words(claimed: ClaimedTurn, ports: Ports, outcome: Outcome) -> None:
    """What the bridge says by itself: its notice, that the agent was interrupted, or that it gives up."""
    turn, record = claimed.turn, claimed.record
    if record.state is State.STARTED or record.pause is not None:
        approvals.begin_new_sessions(claimed)
        # Whoever was killed can write no audit record any more: this one says at least who was asked.
        outcome.agent = claimed.retry_until_deadline(lambda: ports.ledger.agent_of(turn.thread_id)) or ""
        # What stands above a card that is still owed stays.
        claimed.owe_explanation(Failure.INTERRUPTED, State.INTERRUPTED, after=record.owed[:-1])
    elif turn.notice is not None:  # without a button to ask again
        claimed.owe_notice(wording.notice_text(turn.notice, reference=turn.reference))
    else:
        claimed.owe_explanation(Failure.UNDELIVERABLE, State.FAILED)
