"""Every sentence and label that the bridge itself shows to people: Markdown, unless it says otherwise."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from urllib.parse import quote

from functions.bridge.admission.access import Reason
from functions.bridge.admission.approvers import ApproverRule
from functions.bridge.admission.slots import Full, Limit
from functions.bridge.agents.events import Source, ToolKind, ToolRequest, ToolUse, Wanted
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.routing import NoChoice, NoChoiceReason
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.ledger.stops import Press, Stop
from functions.bridge.markdown.links import plainly
from functions.bridge.markdown.safe import clean, disarm, escape
from functions.bridge.names import LONGEST_NAME, one_line, quoted, visible
from functions.bridge.turn import Notice

# Characters of an address that are not percent-encoded. The others could end a Markdown link.
_URL = ":/?#@!$&'+,;=%~-._"

PLACEHOLDER = "Processing…"
NOTHING_YET = "…"
RETRYING = "The agent is busy. Trying again…"
FILES_ONLY = "Here you are."
READY = "The answer to your question is complete."
UNANSWERED = "Your question did not get its answer. The message above says why."
CUT_SHORT = "_The answer was cut short here: it reached the length that the agent may write._"
GUARDRAIL = "_A guardrail of the agent held back or changed a part of this._"
NOT_YOURS = "Only the person who asked can have this question asked again."
WRONG_THREAD = "This button is about a question of another thread, so nothing was asked."
RETRY_BUTTON = "Retry"
STOP_BUTTON = "Stop"
APPROVE_BUTTON = "Approve"
DENY_BUTTON = "Deny"
REASON_LABEL = "If you deny it: why? The agent is told, and may try another way."
NEEDS_APPROVAL = "Before I go on, somebody has to approve this:"
# What the agent is told.
TOLD_APPROVED = "Approved."
TOLD_EXPIRED = "Nobody decided about it in time."
MAY_NOT_STOP = "I'm sorry, only people who may ask me here can stop an answer."
NOTHING_TO_STOP = "There was nothing to stop: I am not working on anything in this thread right now."
SQL_QUERY = "SQL query"
FORGOTTEN = (
    "I have begun a new session in this thread. The agent does not remember what was said here before, and "
    "is not told of it again."
)
KEPT_ALL_THE_SAME = "What it keeps in a memory of its own stays there."
NOTHING_TO_FORGET = (
    "There is nothing to forget here: each new thread begins a new session. Please say “forget” in the "
    "thread that is to be forgotten."
)
# What an agent is told of a tool that the bridge ran for it. It may pass that on.
TOOL_NOT_STARTED = "The tool could not be started. It has done nothing."
TOOL_FAILED = "The tool failed. It may have done a part of its work."
TOOL_UNANSWERED = "The tool gave no answer. It may have done its work, or a part of it, or nothing."
MUTED = "I answer in this thread only who mentions me. Mention me with the word “unmute” to change that."
UNMUTED = "I listen in this thread again: whoever asks me something here need not mention me after that."
EDITED_TOO_LATE = "_The question was edited after I had begun with it. This is about what it said before._"
THREAD_UNREAD = "_What was said in this thread before could not be read, so the agent may not know of it._"

# What somebody is told whose press of Stop comes to this; "" where the turn's own message says it.
PRESSES_OF_STOP = {
    Press.TAKEN: "",
    Press.TWICE: "This answer is being stopped already.",
    Press.OVER: "It was too late to stop this: the answer is complete, or is over for another reason.",
    Press.ELSEWHERE: "This button is about another message, so nothing was stopped.",
}

_NOTICES = {
    Notice.EMPTY: "Hello! Write your question in the same message as the mention. I answer in a thread under "
    "it, and I remember what was said in that thread.",
    Notice.EXTERNAL: "I'm sorry, I only answer people of the organisation that I belong to.",
    Notice.TOO_LONG: "I'm sorry, this question is too long for me: 1 MiB is the most that I can take.",
    Notice.TOO_OLD: "This question is too old to be asked again. Please write it again.",
    Notice.UNREADABLE: ":warning: Something went wrong on our side, and what you wrote was lost. "
    "Please write it again. (Reference: `{reference}`)",
}


_HOW_TO_FORGET = "Write “forget” in a thread, without a question, and I begin anew there."


def notice_text(notice: Notice, *, reference: str) -> str:
    """The bridge's answer to a turn that reaches no agent."""
    return _NOTICES[notice].format(reference=reference)


_MAY_NOT = "I'm sorry, you may not ask me this. The people who run this bot can tell you more."
_REFUSALS = {
    Reason.CHANNEL: "I'm sorry, I don't answer in this channel.",
    Reason.DIRECT_MESSAGE: "I'm sorry, I don't answer direct messages. Please ask me in a channel.",
    Reason.SHARED_CHANNEL: "I'm sorry, I don't answer in channels that are shared with another organisation, "
    "as its people would read the answer.",
    Reason.NOT_LISTED: _MAY_NOT,
    Reason.DENIED: _MAY_NOT,
    Reason.FOREIGN: _NOTICES[Notice.EXTERNAL],
    Reason.GUEST: "I'm sorry, I don't answer guests of this workspace.",
    Reason.DEACTIVATED: _MAY_NOT,
    Reason.BOT: _MAY_NOT,
    Reason.UNKNOWN: "I'm sorry, Slack does not tell me who you are, so I cannot answer you.",
}


def refusal(reason: Reason) -> str:
    """Why the access rules refuse a question. It names no rule and no person."""
    return _REFUSALS[reason]


def stopped(stop: Stop, *, agent_may_go_on: bool) -> str:
    """Who stopped an answer and when, and what that does not stop, as Markdown."""
    at = datetime.fromtimestamp(float(stop.ts), UTC)
    goes_on = " The agent may go on by itself with what it has begun." if agent_may_go_on else ""
    return (
        f"_Stopped by <@{stop.user}> at {at:%H:%M} UTC.{goes_on} "
        "Questions that wait behind it in this thread are still answered._"
    )


def too_many(most: int, seconds: float) -> str:
    """Says that a person has asked `most` questions within a minute and may ask again in so many seconds."""
    return (
        f"You have asked {_questions(most)} within a minute, and that is the most that I take. "
        f"Please ask this one again in {max(1, ceil(seconds))} seconds."
    )


def too_many_waiting(most: int) -> str:
    """Says that `most` questions of a person wait, so that another one cannot."""
    return (
        f"You have {_questions(most)} waiting, and that is the most that I take. "
        "Please ask this one again when one has been answered."
    )


def waits(full: Full) -> str:
    """Says that a question waits until others have been answered."""
    if full.limit is Limit.CHANNEL:
        return f"This channel has {_questions(full.most)} running; this one waits."
    return f"You have {_questions(full.most)} running; this one waits."


def _questions(number: int) -> str:
    return "one question" if number == 1 else f"{number} questions"


_NO_CHOICES = {
    NoChoiceReason.UNKNOWN: "I'm sorry, there is no agent of that name here, so nobody was asked.",
    NoChoiceReason.ANOTHER_THREAD: "This thread is with **{name}**, and stays with it, so nobody was asked. "
    "Please ask the other agent in a new thread.",
    NoChoiceReason.GONE: "I'm sorry, **{name}**, with which this thread began, cannot be asked here any "
    "more. Please ask in a new thread.",
    NoChoiceReason.UNNAMED: "Please say whom you ask.",
    NoChoiceReason.NOBODY: "I'm sorry, there is no agent in this channel.",
}


def help_text(agents: Mapping[str, str], *, are_several: bool) -> str:
    """How to ask, and which agents there are. `agents`: descriptions of this channel's agents, by name."""
    return "\n\n".join([_NOTICES[Notice.EMPTY], _HOW_TO_FORGET, *(_whom(agents) if are_several else [])])


def no_choice(nobody: NoChoice, agents: Mapping[str, str]) -> str:
    """Why no agent is asked, and which could be. `agents`: as in `help_text`."""
    return "\n\n".join([_NO_CHOICES[nobody.why].format(name=nobody.name), *_whom(agents)])


def _whom(agents: Mapping[str, str]) -> list[str]:
    """Paragraphs that say which agents there are."""
    if not agents:
        return []
    lines = [f"- **{name}**" + (f": {escape(about)}" if about else "") for name, about in agents.items()]
    how = (
        "You can say whom you ask, as in “@agent NAME: your question”; the thread then stays with that agent."
    )
    return [how, "\n".join(lines)]


def without_notes(text: str) -> str:
    """What an agent has said in one of the bot's messages, without what the bridge adds or shows meanwhile.

    `text` may have come back from Slack without its markup.
    """
    return "\n".join(line for line in text.splitlines() if not _NOTE.match(line)).strip()


_FAILURES = {
    Failure.THROTTLED: "The agent has too much to do right now and did not take your question. "
    "Please ask again in a minute.",
    Failure.THROTTLED_AT_WORK: "The agent's model has too much to do right now, so the agent stopped in the "
    "middle of this. Please ask again in a minute.",
    Failure.BUSY: "The agent was still busy with something else in this thread and did not take your "
    "question. Please ask again in a minute.",
    Failure.NOT_READY: "The agent was not ready and did not take your question. "
    "Please ask again in a minute.",
    Failure.UNREACHABLE: "The agent could not be reached and did not take your question. "
    "Please ask again in a minute.",
    Failure.ACCESS_DENIED: "This bot is not set up to reach its agent. Please tell the people who run it.",
    Failure.NOT_FOUND: "This bot's agent does not exist any more. Please tell the people who run it.",
    Failure.INVALID: "The agent did not accept this question. Asking it differently may help.",
    Failure.QUOTA: "The agent has used up what it may do for now. Please tell the people who run it.",
    Failure.DEPENDENCY: "One of the agent's tools failed, so the agent stopped.",
    Failure.INTERNAL: "The agent stopped because of an error of its own.",
    Failure.CUT_OFF: "The connection to the agent broke before the answer was complete.",
    Failure.DEADLINE: "The agent took longer than this bot may wait, so the answer ends here.",
    Failure.EMPTY: "The agent finished without saying anything. Asking differently may help.",
    Failure.RETURN_OF_CONTROL: "The agent asked this bot to act for it, which it cannot do.",
    Failure.EXPIRED: "The agent does not wait for this any more: its session may have ended by now. "
    "Please ask again.",
    Failure.INTERRUPTED: "Something went wrong on our side while the agent was working on this. "
    "It was not asked again, because it may have done part of its work already.",
    Failure.GUARDRAIL: "A guardrail of this agent blocked the answer. Asking differently may help.",
    Failure.ATTACHMENT: "A file of your message{subject} could not be fetched from Slack, so the agent "
    "was not asked.",
    Failure.UPLOAD: "Slack did not take all files of the agent's.",
    Failure.FILES_NOT_TAKEN: "This agent takes no files, so it was not asked. "
    "Please put what matters into your message.",
    Failure.LIMIT: "The agent reached one of its own limits before it was done.",
    Failure.NOT_SHOWABLE: "The agent's answer cannot be shown in Slack.",
    Failure.UNDELIVERABLE: "Something went wrong on our side, and this question was given up.",
}


def explanation(
    failure: Failure, *, reference: str, may_have_acted: bool = False, about: str = "", words: str = ""
) -> str:
    """What the user reads after a failure: the cause, whether work may have been done, and a reference.

    Args:
        about: the subject of the failure, such as the name of a file.
        words: replace the failure's own sentence where more is known (`requested`).
    """
    subject = f" (“{escape(about)}”)" if about else ""
    said = words or _FAILURES[failure].format(subject=subject)
    caution = " It may have done part of its work." if may_have_acted else ""
    return f":warning: {said}{caution} (Reference: `{reference}`)"


def step(use: ToolUse) -> str:
    """What the agent is doing: a few words of plain text."""
    name = disarm(clean(_spoken(use.name)[:LONGEST_NAME]))
    match use.kind:
        case ToolKind.KNOWLEDGE_BASE:
            return f"Searching {name or 'the knowledge base'}…"
        case ToolKind.COLLABORATOR:
            return f"Asking {name or 'another agent'}…"
        case ToolKind.CODE_INTERPRETER:
            return "Running code…"
        case ToolKind.TOOL:
            return f"{_capital(name)}…" if name else "Using a tool…"


def asks_for(pause: Pause) -> str:
    """The card's text: what an agent wants to do, who may decide about it, and until when."""
    said = [f"> {escape(visible(one.message))}" for one in pause.requests if one.message]
    return "\n\n".join(
        [
            f":raised_hand: **{_tools(pause)}**",
            *dict.fromkeys(said),
            f"_{_approvers(pause)} This expires {_in(pause.until - pause.asked_at)} after it was asked "
            f"({_time(pause.asked_at)})._",
        ]
    )


def decided(pause: Pause, decision: Decision) -> str:
    """What a card becomes: what the agent wanted to do, who decided about it, and when."""
    at = _time(decision.at)
    match decision.decided:
        case Decided.APPROVED:
            return f":white_check_mark: **{_tools(pause)}** was approved by <@{decision.user}> at {at}."
        case Decided.DENIED:
            why = f": “{escape(visible(decision.reason))}”" if decision.reason else "."
            return f":no_entry_sign: **{_tools(pause)}** was denied by <@{decision.user}> at {at}{why}"
        case Decided.EXPIRED:
            return f":hourglass: **{_tools(pause)}** expired at {at}: nobody decided about it in time."


def decided_already(decision: Decision) -> str:
    """For somebody who presses a button of a card that is decided."""
    who = f"<@{decision.user}> was faster" if decision.user else "The time was over"
    return f"{who}: this is {decision.decided.value} already."


NOT_PENDING = (
    "There is nothing to decide here any more: it was decided, has expired, or its question was stopped."
)
PRESS_LOST = "I'm sorry, I could not record what you decided. Please press the button again."
MAY_NOT_DECIDE = "I'm sorry, you may not decide about this. The message says who may."
UNKNOWN_WHETHER_THEY_MAY = (
    "I'm sorry, Slack does not tell me who is in the group that may decide about this. "
    "Please tell the people who run this bot."
)


def tool_name(name: str) -> str:
    """A tool's name as people read it, all of it, in plain text."""
    return _capital(one_line(_spoken(name), most=len(name))) or "A tool"


def _tools(pause: Pause) -> str:
    return ", ".join(dict.fromkeys(escape(tool_name(one.name)) for one in pause.requests))


def _approvers(pause: Pause) -> str:
    """Who may decide. People and groups who are listed are notified."""
    match pause.approvers.rule:
        case ApproverRule.ASKER:
            return f"<@{pause.asker}> may decide."
        case ApproverRule.ANYONE:
            return "Anyone who may ask me here may decide."
        case ApproverRule.NOT_ASKER:
            return f"Anyone who may ask me here may decide, except <@{pause.asker}>, who asked."
        case ApproverRule.LISTED:
            people = [f"<@{user}>" for user in pause.approvers.users]
            groups = [f"<!subteam^{group}>" for group in pause.approvers.groups]
            return f"{', '.join([*people, *groups])} may decide."


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M} UTC"


def _in(seconds: float) -> str:
    """A span of time in words, whole and exact: "90 seconds", "15 minutes", "11 hours"."""
    whole = round(seconds)
    unit, size = next(one for one in (("hour", 3600), ("minute", 60), ("second", 1)) if whole % one[1] == 0)
    return f"{whole // size} {unit}{'' if whole == size else 's'}"


def told_denied_again(reason: str) -> str:
    """What an agent is told that asks at once for what a person has denied, for this reason ("" for none)."""
    said = f" They said: {reason}" if reason else ""
    return f"A person has denied exactly this a moment ago, and is not asked again.{said}"


def cut_result(characters: int) -> str:
    """Says to an agent that a tool's result of so many characters was cut."""
    return f"\n[The result has {characters} characters. The rest is left out.]"


def requested(requests: Sequence[ToolRequest], *, is_unreadable: bool = False) -> str:
    """What the agent asked for when it ended its turn, and why in vain; "" when that is not known."""
    if not requests:
        return ""
    names = [_capital(_spoken(one.name)[:LONGEST_NAME]) for one in requests]
    tools = ", ".join(dict.fromkeys(f"“{escape(name)}”" if name else "a tool" for name in names))
    if is_unreadable:
        return f"The agent asked to use {tools} with more than can be shown for approval."
    if all(one.wanted is Wanted.CONSENT for one in requests):
        return f"The agent asked for a person's consent to use {tools}, which this bot cannot pass on."
    return f"The agent asked this bot to run {tools} for it, which it cannot do."


def _spoken(name: str) -> str:
    """A tool's name with spaces for underscores and hyphens."""
    return " ".join(name.replace("_", " ").replace("-", " ").split())


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def sources(cited: Sequence[Source], link_hosts: Collection[str] = ()) -> str:
    """The numbered list of the sources that the text cites; "" without sources."""
    lines = [
        f"{number}. {plainly(_source(source), link_hosts)}" for number, source in enumerate(cited, start=1)
    ]
    return "\n".join(["**Sources**", "", *lines]) if lines else ""


def _source(source: Source) -> str:
    title = escape(source.title)
    return f"[{title}]({quote(source.url, safe=_URL)})" if source.url else title


def too_many_files(count: int, most: int) -> str:
    """Says that a question has more files than the `most` that an agent takes."""
    return f"I'm sorry, I can take {most} files with a question at most, and there are {count}."


def hidden_file(name: str) -> str:
    """Says that Slack does not let the bridge read a file of the question."""
    return f"I'm sorry, Slack does not let me read “{escape(name)}”. Please upload it here."


def unreadable_file(name: str) -> str:
    """Says that no agent reads files of this type."""
    return f"I'm sorry, I cannot read “{escape(name)}”. I can take images, PDF, text, CSV and Office files."


def too_large_files(size: int, most: int, largest: str) -> str:
    """Says that the files of a question have more than `most` bytes together. `largest` names the largest."""
    return (
        f"I'm sorry, I can take {most // 1_000_000} MB of files with a question at most, and these "
        f"have {size / 1_000_000:.1f} MB. The largest is “{escape(largest)}”."
    )


def read_messages(told: int, found: int) -> str:
    """Under an answer: how many of the messages `found` in its thread the agent was told."""
    if told < found:
        return f"_Read {told} of {found} messages of this thread._"
    return f"_Read {told} {'message' if told == 1 else 'messages'} of this thread._"


def table_in_file(rows: int, name: str) -> str:
    """Replaces a table that was put into a file. `rows` does not count its head."""
    return f"_The table ({rows} rows) is in the file {name}._"


def rest_in_file(name: str) -> str:
    """Says that the rest of an answer is in a file, because it has its most messages."""
    return f"_The answer is long. It goes on in the file {name}._"


def caption(rows: int) -> str:
    """The caption of a data table, in plain text. `rows` does not count its head."""
    return f"Table of {rows} rows" if rows > 1 else "Table of one row"


def uncertain_files(names: Sequence[str]) -> str:
    """Says that files of the agent may be missing from the thread: no confirmation came."""
    return f":warning: Files of the agent's may be missing here: {_quoted(names)}."


def missing_files(names: Sequence[str]) -> str:
    """Says that files of the agent could not be put into the thread."""
    these = "these files" if len(names) > 1 else "this file"
    return f":warning: Slack did not take {these} of the agent's: {_quoted(names)}."


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"“{escape(name)}”" for name in names)


def only_files(names: Sequence[str]) -> str:
    """The question to the agent when a user attached files and wrote nothing."""
    return f"The user sent these files without a word: {', '.join(map(quoted, names))}"


# Lines of the bridge's own in a message with an agent's words, or in one that was to become an answer.
_NOTE = re.compile(
    rf"({re.escape(PLACEHOLDER)}|{re.escape(RETRYING)}|{re.escape(NEEDS_APPROVAL)}|{NOTHING_YET})$"
    r"|:warning: .*(\(Reference: |of the agent's)"
    r"|_?(Read \d+ (of \d+ )?messages? of this thread|What was said in this thread before could not be read"
    r"|The question was edited after I had begun with it)"
)
