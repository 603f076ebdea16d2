"""Claims a turn, decides who answers it, and settles it: one outcome in the thread."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from functions.bridge import wording
from functions.bridge.admission.access import Access, Reason
from functions.bridge.admission.identity import NotForUs, check_meant
from functions.bridge.agents.attachments import Attachments, objection
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.routing import Agents, Choice, NoChoice, NoChoiceReason
from functions.bridge.agents.tools import ToolFunctions
from functions.bridge.conversation import ConversationOptions
from functions.bridge.delivery import FIRST_BACK_OFF, Delivery
from functions.bridge.errors import GiveBack, ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.pauses import Decided
from functions.bridge.ledger.record import AlreadySettled, Held, LeaseLost, Record, State
from functions.bridge.people import Identity
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    Message,
)
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.replies.writer import Writer
from functions.bridge.turn import Notice, Turn
from functions.bridge.turns import approvals
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.ask_agent import AskAgent
from functions.bridge.turns.audit import TurnAudit
from functions.bridge.turns.door import Door, TakenSlot, Waits
from functions.bridge.turns.edits import edited
from functions.bridge.turns.follow_up import MUTE, UNMUTE
from functions.bridge.turns.hourglass import take_away
from functions.bridge.turns.outcome import Approval, Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stop_watch import StopWatch
from functions.bridge.turns.thread_agent import ThreadAgent
from functions.bridge.turns.thread_session import ThreadSession
from functions.bridge.waits import Retry

# After so many tries in vain a turn is given up, and its thread told so.
MOST_TRIES = 3
# What is owed is tried for longer, as Slack may be down for hours. After so many tries, when it could not be
# written once more, it is explained instead: it may be this text that Slack always fails on.
HOPELESS_TRIES = 100
# Where Slack refuses the app, somebody has to mend that: the turn is tried again in so many seconds at most.
# In the 14 days that it may lie in its queue that makes some 900 receives; SQS counts up to 1,000.
LONGEST_WAIT_FOR_APP = 30 * 60
# With this word, instead of a question, a person has the agent's session in a thread begin anew.
FORGET = "forget"
# Seconds to wait for the word who has stopped a stream.
STOP_SECONDS = 3.0
# How often a mention is sent at most while Slack limits the rate.
MENTION_TRIES = 3

# What people are told whether they may ask or not: they have asked, and it was lost or forgotten.
_OUR_FAULT = (Notice.UNREADABLE, Notice.TOO_OLD)
# Decides what a claimed turn is owed.
Decide = Callable[[ClaimedTurn, Writer, Outcome, TakenSlot], None]

_VERDICTS = {
    State.ANSWERED: Verdict.ANSWERED,
    State.INTERRUPTED: Verdict.INTERRUPTED,
    State.FAILED: Verdict.FAILED,
    State.STOPPED: Verdict.STOPPED,
    State.WAITING: Verdict.AWAITING_APPROVAL,
}


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
    has_follow_ups = conversations.has_follow_ups_in(turn.channel)
    thread = ThreadAgent(
        turn,
        ports,
        is_read=agents.are_several(),
        keeps_asker=has_follow_ups and turn.attempt == 1,  # a press of Retry may come days later
    )

    def work(claimed: ClaimedTurn, writer: Writer, outcome: Outcome, slot: TakenSlot) -> None:
        nonlocal asking
        turn = claimed.turn  # it may have been edited
        us = claimed.retry_until_deadline(ports.chat.identity)
        if turn.notice is not Notice.UNREADABLE:  # which may not say whose it was
            check_meant(turn, us)
        record, is_new = claimed.record, delivery.receive_count == 1
        if not is_new and _owe_stop(claimed, ports, outcome):
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
                rules = (access.bridge, access.of(chosen.name))
                session = ThreadSession(claimed, ports, outcome, chosen.memory, conversations, us, rules)
                word = "" if turn.files or turn.is_follow_up else chosen.text.lower()
                if word == FORGET or (has_follow_ups and word in (MUTE, UNMUTE)):
                    claimed.owe_notice(session.forget() if word == FORGET else _mute(word, claimed, ports))
                    thread.ensure_kept(claimed, chosen.name)
                    return
                question = replace(turn, text=chosen.text)
                stop_at = delivery.deadline - margin
                asking = AskAgent(
                    claimed,
                    writer.progress,
                    ports,
                    session,
                    outcome,
                    options,
                    approval_rules.get(chosen.name, ApprovalRules()),
                    tools,
                    stop_at=stop_at,
                )
                asking.ask(chosen.agent, question, attachments, asker=door.name)
                thread.ensure_kept(claimed, chosen.name)

    def go_on(claimed: ClaimedTurn, writer: Writer, outcome: Outcome, us: Identity) -> None:
        """Tell the agent of a turn that waits what was decided; or let it wait on."""
        nonlocal asking
        pause, decision = claimed.record.pause, approvals.decision_of(claimed, ports)
        if pause is None or decision is None:
            claimed.wait_for_decision()
            return
        outcome.agent = pause.agent
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
        rules = (access.bridge, access.of(pause.agent))
        session = ThreadSession(claimed, ports, outcome, chosen.memory, conversations, us, rules)
        stop_at = delivery.deadline - margin
        asking = AskAgent(
            claimed,
            writer.progress,
            ports,
            session,
            outcome,
            options,
            approval_rules.get(pause.agent, ApprovalRules()),
            tools,
            stop_at=stop_at,
        )
        asking.go_on(chosen.agent, turn, pause, decision)

    is_limited = turn.notice not in (*_OUR_FAULT, Notice.EXTERNAL)
    try:
        outcome = _hold(turn, delivery, ports, work, options=options, is_limited=is_limited)
    finally:
        thread.close()
    if asking is not None:
        asking.note_session(deadline=delivery.deadline)
    return outcome


def give_up(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
    """Tell the thread of a turn that the worker could not finish; or land the text that is still owed."""

    def work(claimed: ClaimedTurn, _: Writer, outcome: Outcome, __: TakenSlot) -> None:
        if not _owe_stop(claimed, ports, outcome):
            _owe_own_words(claimed, ports, outcome)

    return _hold(turn, delivery, ports, work, is_last=True)


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


def _hold(
    turn: Turn,
    delivery: Delivery,
    ports: Ports,
    work: Decide,
    *,
    options: ReplyOptions = ReplyOptions(style=Style.EDIT),  # noqa: B008 - it is frozen
    is_limited: bool = False,
    is_last: bool = False,
) -> Outcome:
    """Claim the turn, let `work` decide what it is owed unless that is decided, and deliver it.

    `is_limited` is whether it counts as a question of its person: then a slot is taken beside the claim.
    `is_last` is whether nobody comes after this, while later turns of the thread may be at work.
    """
    hidden = ports.beside(lambda: delivery.extend_for_claim(ports.lease_seconds))
    now = ports.clock.now()
    slot = TakenSlot(turn, delivery, ports, is_wanted=is_limited)
    try:
        claim = ports.ledger.claim(turn, owner=delivery.owner, now=now, lease_seconds=ports.lease_seconds)
    except ServiceUnavailable as exc:
        slot.give_back(forget=True)
        retry_in_seconds = delivery.back_off(delivery.receive_count)  # nobody knows how often it was tried
        return Outcome(Verdict.UNAVAILABLE, detail=str(exc), retry_in_seconds=retry_in_seconds)
    finally:
        is_hidden = hidden()  # before anybody hides the message for another time
    if isinstance(claim, AlreadySettled):
        slot.give_back(forget=True)
        # Who settled the turn may have been killed before that was in the log: rather twice than never.
        return Outcome(Verdict.DUPLICATE, failure=claim.failure if delivery.receive_count > 1 else None)
    if isinstance(claim, Held):
        slot.give_back(forget=True)
        return Outcome(Verdict.HELD, retry_in_seconds=claim.seconds)
    hourglass = take_away(turn, delivery, ports) if claim.has_hourglass else lambda: ""
    claimed = ClaimedTurn(
        edited(turn, claim.edit),
        claim,
        delivery,
        ports.ledger,
        ports.clock,
        lease_seconds=ports.lease_seconds,
        leased_at=now,
        is_hidden=is_hidden,
    )
    try:
        outcome = _work_on(
            claimed, claim, delivery, ports, work, slot, options=options, began_at=now, is_last=is_last
        )
    except Exception:
        slot.give_back()
        hourglass()
        raise
    slot.give_back(forget=outcome.refusal is not None)
    outcome.note(hourglass())
    return outcome


def _work_on(
    claimed: ClaimedTurn,
    claim: Record,
    delivery: Delivery,
    ports: Ports,
    work: Decide,
    slot: TakenSlot,
    *,
    options: ReplyOptions,
    began_at: float,
    is_last: bool,
) -> Outcome:
    """Have the turn settled, or say why it is given back. `claim` is its record as it was claimed."""
    turn = claimed.turn
    style = options.style_in(turn.channel)
    writer = Writer(
        claimed, ports.chat, ports.clock, ports.beside, style=style, most_messages=options.max_messages
    )
    outcome = Outcome(Verdict.FAILED, claimed_at=began_at)
    if claim.ending is State.STOPPED:
        outcome.stop = claim.stop
    if is_last:  # the worker may have said so before anything was on record
        writer.status.seems_busy = not _has_later(claimed, ports)
    audit = TurnAudit(turn, delivery, ports, outcome)
    claimed.before_settling = lambda state: audit.write(_verdict(state, outcome), claimed.record.failure)
    try:
        do = partial(work, claimed, writer, outcome, slot)
        _finish(claimed, writer, ports, outcome, do, is_last=is_last)
        outcome.verdict = _verdict(claimed.record.state, outcome)
        if outcome.verdict is Verdict.AWAITING_APPROVAL:
            approvals.keep(claimed, delivery, ports)
            outcome.is_kept = True
        if outcome.verdict is Verdict.ANSWERED and outcome.first_text_seconds is None:
            outcome.first_text_seconds = ports.clock.now() - began_at
        tells_itself = outcome.refusal or outcome.is_kept or outcome.verdict is Verdict.STOPPED
        if writer.messages.ends_silently and not tells_itself:
            words = wording.READY if outcome.verdict is Verdict.ANSWERED else wording.UNANSWERED
            _notify_if_late(turn, words, delivery, ports, began_at=began_at)
    except NotForUs as exc:
        outcome.verdict = Verdict.NOT_FOR_US
        outcome.note(str(exc))
    except ChatRefused as exc:
        outcome.verdict = Verdict.REFUSED_BY_SLACK
        outcome.note(exc.code)
    except ChatAppRefused as exc:
        _let_go(claimed, is_try=False)
        outcome.verdict, outcome.retry_in_seconds = Verdict.APP_REFUSED, _wait_for_app(turn, delivery, ports)
        outcome.app_refusal, outcome.remedy = exc.code, exc.remedy
    except Waits as exc:
        _let_go(claimed, is_try=False)
        outcome.verdict, outcome.retry_in_seconds = Verdict.WAITING, delivery.wait
        outcome.note(str(exc))
    except GiveBack as exc:
        if claim.state is State.REPLYING and claim.tries >= HOPELESS_TRIES:
            _owe_explanation_instead(claimed)
        # Before the agent was asked, and with nothing owed, there was no try.
        _let_go(claimed, is_try=claimed.record.state is not State.RECEIVED)
        outcome.verdict = Verdict.OWED
        outcome.retry_in_seconds = max(exc.seconds, delivery.back_off(claim.tries))
        outcome.note(str(exc))
    except LeaseLost:
        outcome.verdict, outcome.retry_in_seconds = Verdict.LEASE_LOST, ports.lease_seconds
    except Exception:  # a defect, which is reported by whoever called us
        if claim.state is State.REPLYING and claim.tries >= MOST_TRIES:
            _owe_explanation_instead(claimed)
        if outcome.asked_at is not None:
            audit.write("error", claimed.record.failure)
        raise
    outcome.failure = claimed.record.failure
    if outcome.asked_at is not None or (outcome.retry_in_seconds is None and not outcome.is_kept):
        audit.write(outcome.verdict, outcome.failure)
    if writer.owed.refusal:
        outcome.note(f"Slack refused the text: {writer.owed.refusal}")
    return outcome


def _verdict(state: State, outcome: Outcome) -> Verdict:
    """What became of a turn that is settled in `state`."""
    return Verdict.REFUSED if outcome.refusal else _VERDICTS[state]


def _let_go(claimed: ClaimedTurn, *, is_try: bool) -> None:
    with suppress(ServiceUnavailable, LeaseLost):  # then the lease has to run out
        claimed.release(is_try=is_try)


def _owe_explanation_instead(claimed: ClaimedTurn) -> None:
    """What is owed cannot be written, whatever it is: the next delivery says that."""
    with suppress(ServiceUnavailable, LeaseLost, GiveBack):
        claimed.owe_explanation(Failure.NOT_SHOWABLE, State.FAILED)


def _wait_for_app(turn: Turn, delivery: Delivery, ports: Ports) -> float:
    """Seconds until a turn is tried again whose app was refused: about as long as it has waited so far."""
    age = ports.clock.now() - float(turn.ts)
    return delivery.spread(min(max(age, FIRST_BACK_OFF), LONGEST_WAIT_FOR_APP))


def _finish(
    claimed: ClaimedTurn,
    writer: Writer,
    ports: Ports,
    outcome: Outcome,
    work: Callable[[], None],
    *,
    is_last: bool,
) -> None:
    """Have the turn settled, unless it must be given back: it raises what `OwedText.land` raises."""
    try:
        # Behind the dead letters no turn begins to wait.
        begins_to_wait = claimed.record.ending is State.WAITING and is_last
        if claimed.record.state is not State.REPLYING or begins_to_wait:
            work()
        if claimed.record.state is State.REPLYING:
            writer.deliver()
    except ChatStopped:
        with suppress(GiveBack, ChatAppRefused):  # these would have the turn told as interrupted
            writer.status.clear()
        _note_who_stopped(claimed, ports, outcome)
        claimed.settle(State.STOPPED)
        if outcome.stop:  # in a message of its own, as Slack keeps the stream as it is
            with suppress(ChatError):
                ports.chat.post(Message(claimed.turn, len(claimed.record.reply), outcome.stopped()))


def _note_who_stopped(claimed: ClaimedTurn, ports: Ports, outcome: Outcome) -> None:
    """Wait a little for the word who has stopped the stream, which comes through a queue."""
    if outcome.stop is None:
        watch = StopWatch(claimed, ports)
        watch.wait(STOP_SECONDS)
        watch.obeyed()
        outcome.stop = watch.stop


def _owe_stop(claimed: ClaimedTurn, ports: Ports, outcome: Outcome) -> bool:
    """Whether somebody wants the turn stopped that another owner, or an earlier delivery, has begun.

    Then the turn owes the word about that.
    """
    if claimed.turn.notice is not None:
        return False
    watch = StopWatch(claimed, ports)
    outcome.stop = watch.look()
    if outcome.stop is None:
        return False
    outcome.agent_may_go_on = claimed.record.state is State.STARTED
    approvals.begin_new_sessions(claimed)
    claimed.owe([outcome.stopped()], State.STOPPED)
    watch.obeyed()
    return True


def _has_later(claimed: ClaimedTurn, ports: Ports) -> bool:
    """Whether a later turn of the thread has asked its agent: what Slack shows is that turn's."""
    began_at = claimed.record.began_at
    try:
        return 0 < began_at < ports.stops.of_thread(claimed.turn.thread_id).began_at
    except ServiceUnavailable:
        return False


def _notify_if_late(turn: Turn, words: str, delivery: Delivery, ports: Ports, *, began_at: float) -> None:
    """Mention who asked, if that was so long ago that they may have gone elsewhere; `words` say what for.

    Not tried at another delivery: the turn is settled. And not after the deadline, which is passed when Slack
    is slow: what became of the turn is not in the log yet.
    """
    # Of a later attempt nobody knows when the button was pressed.
    asked_at = float(turn.ts) if turn.attempt == 1 else began_at
    now = ports.clock.now()
    if now - asked_at <= ports.notify_after or now >= delivery.deadline or not turn.user:
        return
    retry = Retry(
        ports.clock,
        ports.clock.sleep,  # the lease ended with the turn
        delivery.share,
        until=delivery.deadline,
        most_tries=MENTION_TRIES,
        after=(ChatRateLimited,),
    )
    with suppress(ChatError):
        retry.run(lambda: ports.chat.mention(turn, words))


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
