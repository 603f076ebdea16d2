"""Which places a question names: our cities by name, others by their capitals and by where they stand."""

import re
from dataclasses import dataclass

from simulator.agent.days import READ
from simulator.agent.weather import City, cities_named, lies_in, plain


@dataclass(frozen=True)
class Place:
    """A place that a question names.

    Attributes:
        name: for the place search.
        city: None when it is none of ours.
    """

    name: str
    city: City | None = None


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    city: City | None = None


def places_asked(rest: str) -> tuple[tuple[Place, ...], str]:
    """The places of a question in the order of their names, each once; and the words that are left.

    Args:
        rest: the question with `READ` for each character that named a day.
    """
    text = plain(rest.lower() if rest.isupper() else rest)  # of one who shouts, no capital says anything
    cities = [_Span(*found) for found in cities_named(rest)]
    spans = [_whole_name(_marked(text, cities), city) for city in cities]
    for pattern in (_AFTER_PREPOSITION, _AFTER_LIST, _BEFORE_LIST):
        spans += _unknown(pattern, text, spans)
    for pattern in _ALONE:
        spans = spans or list(_unknown(pattern, text, spans))[:1]
    spans.sort(key=lambda span: span.start)
    return tuple(dict.fromkeys(_place(rest, span) for span in spans)), _marked(text, spans)


def _place(rest: str, span: _Span) -> Place:
    if span.city:
        return Place(span.city.name, span.city)
    name = " ".join(rest[span.start : span.end].split())
    return Place(name.title() if name.islower() or name.isupper() else name)


def _whole_name(text: str, span: _Span) -> _Span:
    """The name with what belongs to it: Paris, Texas is not our Paris, and East London not our London."""
    before = _BEFORE_NAME.search(text, 0, span.start)
    if before and not _begins_sentence(text, before.start()):
        return _Span(before.start(), span.end)
    if after := _AFTER_NAME.match(text, span.end):
        area = after[str(after.lastgroup)]
        return _Span(span.start, after.end(), span.city if span.city and lies_in(span.city, area) else None)
    return span


def _unknown(pattern: re.Pattern[str], text: str, spans: list[_Span]) -> list[_Span]:
    """The names that `pattern` finds, one after the other: in a list each name leads to the next."""
    found: list[_Span] = []
    position = 0
    while match := pattern.search(_marked(text, [*spans, *found]), position):
        position = match.start() + 1
        if pattern is not _CAPITALISED or not _begins_sentence(text, match.start()):
            name = _Span(*match.span("name"))
            found.append(_whole_name(text, name) if text[name.start].isupper() else name)
    return found


def _marked(text: str, spans: list[_Span]) -> str:
    for span in spans:
        text = text[: span.start] + _PLACE * (span.end - span.start) + text[span.end :]
    return text


def _begins_sentence(text: str, position: int) -> bool:
    return text[:position].rstrip(" \"'(*_")[-1:] in ("", ".", "!", "?", ":", "\n")


_PLACE = "\1"  # stands for each character of a name that has been found
# Words that are no names, though a capital or a preposition may suggest it.
_COMMON = (
    "a|am|an|and|any|are|at|be|but|buddy|can|celsius|could|did|do|does|else|elsewhere|english|fahrenheit|for|"
    "general|give|had|has|have|hello|hey|hi|how|i|if|in|is|it|its|me|my|no|not|now|of|off|ok|okay|on|or|our|please|"
    "pm|right|shall|should|show|slack|so|tell|thank|thanks|that|the|there|these|this|those|to|too|us|uv|was|were|"
    "what|whats|when|where|which|who|why|will|with|would|yes|you|your|advance|case|degrees|detail|here|home|"
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august|"
    "september|october|november|december|forecast|weather|temperatures?|rain\\w*|snow\\w*|sun\\w*|wind\\w*|storm\\w*|"
    "cloud\\w*|hot|cold|warm|cool|wet|dry|humid\\w*|time|date"
)
_WORD = rf"(?!(?i:{_COMMON})\b)[A-Z](?:[\w-]|'(?!s\b)|\.(?=\w)|(?<=\bSt)\.)*"
_NAME = rf"{_WORD}(?: (?:(?:de|del|la|of|the|upon) )?{_WORD}){{0,4}}"
_SMALL = rf"(?!(?:{_COMMON})\b)[a-z][a-z'-]*(?: (?!(?:{_COMMON}|like)\b)[a-z][a-z'-]*)?"
_ENDS = rf"(?=\s*(?:[?!.,;{READ}]|$))"
_EITHER = rf"(?P<name>{_NAME}|{_SMALL}{_ENDS})"
_LINK = r"(?:,|,? (?:and|or|vs\.?|versus|than))"

_BEFORE_NAME = re.compile(rf"\b{_NAME} $")
# After a comma not where a list goes on: Lima, Quito and Cairo.
_AFTER_NAME = re.compile(
    rf"(?: | ?\()(?P<area>{_NAME})\b|, ?(?P<state>{_NAME})\b(?!,? (?:and|or) |, [A-Z{_PLACE}])|"
    rf", ?(?P<small>{_SMALL}){_ENDS}"
)
_AFTER_LIST = re.compile(rf"{_PLACE}{_LINK} (?:(?:in|at|for) )?(?:the )?{_EITHER}")
_BEFORE_LIST = re.compile(rf"\b(?P<name>{_NAME}){_LINK} (?:(?:in|at|for) )?(?:the )?(?={_PLACE})")
_AFTER_PREPOSITION = re.compile(rf"\b(?i:in|at|for|near|of|about|around) (?:the )?(?P<name>{_NAME})")
_CAPITALISED = re.compile(rf"(?<!\w)(?P<name>{_NAME})")
# Tried one after the other where no place has been found.
_ALONE = (
    re.compile(rf"^\W*(?i:and )?(?P<name>{_NAME})(?='s|\W*$|, ?[A-Z]| (?:weather|forecast|temperature))"),
    _CAPITALISED,
    re.compile(rf"\b(?:in|at|about) (?P<name>{_SMALL}){_ENDS}", re.IGNORECASE),
)
