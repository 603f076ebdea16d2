"""English phrases that name days: how each is recognised, and which days it means."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBERS = ("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_BACK = ("last", "past", "previous")


@dataclass(frozen=True)
class Viewpoint:
    """From where days are counted: `today` at the place, and whether the question is about what was."""

    today: date
    is_past: bool

    def days(self, first: int, count: int = 1) -> list[date]:
        """`count` days, of which the first is `first` days from today."""
        return [self.today + timedelta(first + day) for day in range(count)]


# A label that fits after "in Lima", and the days; None when the words mean no day after all: 30 February.
Meaning = tuple[str, Sequence[date]] | None


@dataclass(frozen=True)
class Phrase:
    """One kind of phrase: how it looks, and what a match means."""

    pattern: re.Pattern[str]
    meaning: Callable[[re.Match[str], Viewpoint], Meaning]


def full_date(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def _fixed(label: str, ahead: int) -> Callable[[re.Match[str], Viewpoint], Meaning]:
    return lambda _, viewpoint: (label, viewpoint.days(ahead))


def _iso_date(match: re.Match[str], _: Viewpoint) -> Meaning:
    days = list(_existing([int(match["year"])], int(match["month"]), int(match["day"])))
    return (f"on {full_date(days[0])}", days) if days else None


def _calendar_date(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    """December 3, 3rd of December; without a year the one that is nearest."""
    today = viewpoint.today
    years = [int(match["year"])] if match["year"] else [today.year, today.year + 1, today.year - 1]
    month = _MONTHS.index(match["month"][:3].lower()) + 1
    day = min(
        _existing(years, month, int(match["day"])), key=lambda day: abs(day - viewpoint.today), default=None
    )
    return (f"on {full_date(day) if match['year'] else f'{day.day} {day:%B}'}", [day]) if day else None


def _existing(years: list[int], month: int, day: int) -> Iterator[date]:
    for year in years:
        try:
            yield date(year, month, day)
        except ValueError:
            continue


def _several(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    """The next three days, the last two weeks, a five-day forecast: today is none of them."""
    count = _count(match)
    if _which(match) in _BACK:
        return f"over the last {count} days", viewpoint.days(-count, count)
    return f"over the next {count} days", viewpoint.days(1, count)


def _distant(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    """In two weeks, three days ago."""
    words = " ".join(match.group().lower().split())
    return words, viewpoint.days(-_count(match) if words.endswith("ago") else _count(match))


def _count(match: re.Match[str]) -> int:
    """In days, and at least one."""
    number = match["number"].lower()
    count = int(number) if number.isdecimal() else NUMBERS.index(number)
    return max(count, 1) * (7 if match["unit"].lower().startswith("week") else 1)


def _which(match: re.Match[str]) -> str:
    return (match["which"] or "").lower()


def _weekend(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    saturday = 5 - viewpoint.today.weekday()
    if _which(match) in _BACK or (viewpoint.is_past and not match["which"]):
        return "last weekend", viewpoint.days(saturday - 7, 2)
    if _which(match) == "next":
        return "next weekend", viewpoint.days(saturday + 7, 2)
    if saturday < 0:
        return "today, Sunday", viewpoint.days(0)
    return "at the weekend", viewpoint.days(saturday, 2)


def _week(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    """Weeks begin on Monday. Of this one the days that are left count."""
    monday = -viewpoint.today.weekday()
    if _which(match) == "this":
        return _rest_of_week(match, viewpoint)
    if _which(match) in _BACK:
        return "last week", viewpoint.days(monday - 7, 7)
    return "next week", viewpoint.days(monday + 7, 7)


def _rest_of_week(_: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    return "this week", viewpoint.days(0, 7 - viewpoint.today.weekday())


def _week_after_next(_: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    return "in the week after next", viewpoint.days(14 - viewpoint.today.weekday(), 7)


def _seven_days(_: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    return "over the next seven days", viewpoint.days(0, 7)


def _day_of_week(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    """Friday of next week."""
    week = {"this": 0, "last": -7, "past": -7, "previous": -7}.get(_which(match), 7)
    [number] = _numbers(match)
    [day] = viewpoint.days(week + number - viewpoint.today.weekday())
    return f"on {day:%A}, {day.day} {day:%B}", [day]


def _weekdays(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    """Friday; last Monday; Friday and Saturday."""
    days = [_weekday(number, match, viewpoint) for number in _numbers(match)]
    if _which(match) == "next":
        return f"on {' and '.join(f'{day:%A}, {day.day} {day:%B}' for day in days)}", days
    label = "last" if days[0] < viewpoint.today else "on"
    return f"{label} {' and '.join(f'{day:%A}' for day in days)}", days


def _weekday_range(match: re.Match[str], viewpoint: Viewpoint) -> Meaning:
    first, last = _numbers(match)
    start = _weekday(first, match, viewpoint)
    days = [start + timedelta(day) for day in range((last - first) % 7 + 1)]
    return f"from {days[0]:%A} to {days[-1]:%A}", days


def _weekday(number: int, match: re.Match[str], viewpoint: Viewpoint) -> date:
    """Today counts as the coming one; next Friday is next week's; Friday in "how was Friday?" is the last."""
    ahead = (number - viewpoint.today.weekday()) % 7
    if _which(match) == "next":
        ahead = 7 - viewpoint.today.weekday() + number
    elif _which(match) in _BACK or viewpoint.is_past:
        ahead -= 7
    return viewpoint.today + timedelta(ahead)


def _numbers(match: re.Match[str]) -> list[int]:
    return [WEEKDAYS.index(name.lower()) for name in re.findall(_WEEKDAY, match.group(), re.IGNORECASE)]


_WEEKDAY = rf"\b(?:{'|'.join(WEEKDAYS)})\b"
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(NUMBERS)})"
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
_YEAR = r"(?:,? (?P<year>\d{4})\b)?"
_MANY = rf"(?P<number>{_NUMBER})(?: |-)(?P<unit>days?|weeks?)"
_WHICH = r"(?P<which>this|next|coming|following|last|past|previous)"
_OVER = r"(?:(?:over|for|in|within|during|on|at|all) )?(?:the )?"

# The longer phrase stands before the one that is a part of it. A blank stands for any white space.
PHRASES = [
    Phrase(re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE), meaning)
    for pattern, meaning in (
        (r"\b(?:on )?(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)\b", _iso_date),
        (rf"\b(?:on )?(?:{_WEEKDAY},? )?(?:the )?{_MONTH} (?:the )?{_DAY}{_YEAR}", _calendar_date),
        (rf"\b(?:on )?(?:{_WEEKDAY},? )?(?:the )?{_DAY} (?:of )?{_MONTH}{_YEAR}", _calendar_date),
        (r"\b(?:the )?day after tomorrow\b", _fixed("the day after tomorrow", 2)),
        (r"\b(?:the )?day before yesterday\b", _fixed("the day before yesterday", -2)),
        (rf"\b{_OVER}{_WHICH} {_MANY}\b", _several),
        (rf"(?P<which>)\b{_MANY}(?= (?:weather )?(?:forecast|outlook))", _several),
        (rf"\bin {_MANY}\b(?:'? time\b)?", _distant),
        (rf"\b{_MANY} (?:ago\b|from (?:now|today)\b)", _distant),
        (rf"\b(?:on )?{_WEEKDAY},? (?:of |in )?{_WHICH} week\b", _day_of_week),
        (rf"\b{_WHICH} week,? (?:on )?{_WEEKDAY}", _day_of_week),
        (rf"\b{_OVER}week after next\b", _week_after_next),
        (rf"\b{_OVER}(?:{_WHICH} )?weekend\b", _weekend),
        (rf"\b{_OVER}{_WHICH} (?:whole )?week\b", _week),
        (rf"\b{_OVER}rest of the week\b", _rest_of_week),
        (r"\b(?:for|over|during|all) (?:the |a )?(?:whole )?week\b(?! (?:from|after|of)\b)", _seven_days),
        (
            rf"\b(?:from )?(?:{_WHICH} )?{_WEEKDAY}\s*(?:-|to|through|until|till)\s*{_WEEKDAY}",
            _weekday_range,
        ),
        (rf"\bbetween (?:{_WHICH} )?{_WEEKDAY} and {_WEEKDAY}", _weekday_range),
        (rf"\b(?:on )?(?:{_WHICH} )?{_WEEKDAY}(?:(?:,|,? (?:and|or)) (?:on )?{_WEEKDAY})*", _weekdays),
        (r"\b(?:tom+or+ow|tmrw)\b", _fixed("tomorrow", 1)),
        (r"\b(?:yesterday|last night)\b", _fixed("yesterday", -1)),
        (r"\b(?:today|tonight|now|this (?:morning|afternoon|evening))\b", _fixed("today", 0)),
    )
]
