"""Which days a question asks about, in English.

What looks like a time and has not been understood is told of: an answer for another day than the one that was
asked about would be worse than none.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from simulator.agent.day_phrases import NUMBERS, PHRASES, WEEKDAYS, Viewpoint, full_date

# What `past_days` and `forecast_days` of the weather tool allow; today is the first of the forecast's days.
MOST_BACK, MOST_AHEAD = 14, 15
READ = "\0"  # stands for each character of a phrase that has been understood


@dataclass(frozen=True)
class Days:
    """The days that a question asks about.

    Attributes:
        label: a name for them that fits after "in Lima".
        dates: in order, and whether the tools know them or not.
        named: whether there was any word for them; without one it is today.
        is_past: whether the question is about what was.
        by_hour: whether it names a time of day.
        unclear: the words that look like a time and were not understood, or "".
        rest: the question with `READ` in place of what was understood, and as long as before.
    """

    label: str
    dates: tuple[date, ...]
    named: bool
    is_past: bool
    by_hour: bool
    unclear: str
    rest: str


def days_asked(question: str, today: date) -> Days:
    """`today` is the date at the place: what else there is to find out does not depend on it."""
    viewpoint = Viewpoint(today, is_past=_PAST.search(question) is not None)
    question = rest = question.replace(READ, " ")
    found: list[tuple[int, str]] = []
    dates: set[date] = set()
    for phrase in PHRASES:
        for match in phrase.pattern.finditer(rest):
            if meaning := phrase.meaning(match, viewpoint):
                found.append((match.start(), meaning[0]))
                dates.update(meaning[1])
                rest = rest[: match.start()] + READ * len(match.group()) + rest[match.end() :]
    unclear = _UNCLEAR.search(rest)
    labels = [label for _, label in sorted(found)]
    return Days(
        label=" and ".join(dict.fromkeys(labels)) or "today",
        dates=tuple(sorted(dates)) or (today,),
        named=bool(found),
        is_past=viewpoint.is_past,
        by_hour=_TIME_OF_DAY.search(question) is not None,
        unclear=question[unclear.start() : unclear.end()].strip(" ,") if unclear else "",
        rest=rest,
    )


def not_to_tell(days: Days, today: date) -> str:
    """Why the tools cannot tell of these days, in a sentence; "" when they can."""
    first, last = today - timedelta(MOST_BACK), today + timedelta(MOST_AHEAD)
    if days.dates[-1] > last:
        reach = f"my forecast goes as far as {full_date(last)}"
        return f"I cannot tell the weather of {full_date(days.dates[-1])}: {reach}."
    if days.dates[0] < first:
        reach = f"I can look back as far as {full_date(first)}"
        return f"I cannot tell the weather of {full_date(days.dates[0])}: {reach}."
    if days.dates[0] < today <= days.dates[-1]:
        return "Please ask me about days that have been and days that come one at a time."
    return ""


def _compiled(*patterns: str) -> re.Pattern[str]:
    """A blank stands for any white space."""
    return re.compile("|".join(pattern.replace(" ", r"\s+") for pattern in patterns), re.IGNORECASE)


_PAST = _compiled(r"\b(?:was|wasn't|were|weren't|did|didn't|had|rained|snowed)\b")
_TIME_OF_DAY = _compiled(
    r"\b(?:now|tonight|currently|later|what time|hourly|hours?|noon|midday|midnight|dawn|dusk)\b",
    r"(?<!good\s)\b(?:morning|afternoon|evening|night)\b",
    r"\b\d{1,2}(?::\d\d)?\s*(?:am|pm|o'clock)\b",
    r"\b\d{1,2}:\d\d\b",
)

_PREPOSITION = r"(?:in|on|at|for|over|within|during|by|since|until|till|before|after|of)"
_WHICH = r"(?:the|a|an|this|next|coming|last|past|previous|early|late|mid|rest of the|end of the)"
_WHEN = rf"(?:{_PREPOSITION} )?(?:{_WHICH} ){{0,3}}"
# May and March are also other words.
_LONG_MONTHS = "january|february|april|june|july|august|september|october|november|december"
_SHORT_MONTHS = "jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec"
_MANY = rf"(?:\d+|{'|'.join(NUMBERS[1:])}|few|couple of|several|many)"
_UNCLEAR = _compiled(
    # What changes the meaning of days that were understood: until Friday, not tomorrow, December 3 to 5.
    rf"\b(?:from|since|until|till|before|after|by|around|than|except|not) (?:on )?(?:the )?{READ}+",
    rf"{READ}+\s*(?:,|-|and|or|to|until|till|through)\s*(?:the )?\d+(?:st|nd|rd|th)?\b(?!:)",
    rf"{READ}+ (?:(?:in|on|at|of) )?(?:the )?{READ}+",
    # Other spans of time.
    rf"\b{_WHEN}{_MANY}(?: |-)(?:hours?|days?|nights?)\b(?: (?:from|after|before|ago)\b)?",
    rf"\b{_WHEN}(?:{_MANY} )?(?:weeks?|fortnights?|months?|years?|decades?|century)\b",
    rf"\b(?:{_PREPOSITION} )?{_WHICH} (?:hours?|days|season)\b",
    rf"\b{_WHEN}(?:spring|summer|autumn|winter)\b(?! (?:coat|jacket|clothes))",
    r"\bin (?:the )?fall\b",
    # Other days.
    rf"\b{_WHEN}(?:{_LONG_MONTHS})\b(?:\s+\d+)?",
    rf"\b(?:{_PREPOSITION}|{_WHICH}) (?:march|may|{_SHORT_MONTHS})\b(?:\s+\d+)?",
    rf"\b(?:{'|'.join(WEEKDAYS)})s\b",
    r"\b(?:on|this|next|last) (?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)\b",
    r"\b(?:on )?(?:the )?\d{1,2}(?:st|nd|rd|th)\b",
    r"\b\d{1,4}/\d{1,2}(?:/\d{2,4})?\b|\b\d{1,2}\.\d{1,2}\.(?:\d{2,4}\b)?|\b\d{4}-\d\d?-\d\d?\b",
    r"\b(?:in )?(?:19|20)\d\d\b",
    r"\b(?:(?:at|on|over|before|after) )?(?:christmas|xmas|easter|halloween|thanksgiving|new year)\b",
    r"\b(?:soon|some day|someday|sometime|one day|ago|ever)\b",
    r"\b(?:usually|normally|typically|generally|on average)\b",
)
