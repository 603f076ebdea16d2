"""What a question asks, as far as its words tell: nothing is understood."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from simulator.agent.days import Days, days_asked
from simulator.agent.places import Place, places_asked
from simulator.agent.weather import fold

LONGEST = 2000  # characters that are read: patterns are slow on what is no question any more
_SOME_DAY = date(2000, 1, 1)


class Quantity(StrEnum):
    """What the weather may be, so that the answer is yes or no."""

    RAIN = "rain"
    SNOW = "snow"
    STORM = "thunderstorms"
    WET = "wet"
    DRY = "dry"
    HOT = "hot"
    WARM = "warm"
    COLD = "cold"
    FREEZING = "freezing"
    WINDY = "windy"


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        text: in one spelling of accents, apostrophes and dashes.
        places: that it names, in their order.
        quantities: that it names, in their order.
        is_open: whether yes or no would be no answer, or a misleading one: how hot, when, no rain.
        is_bare: whether it names a place, a day or nothing, and asks nothing about them: "and in Lima?".
        days: as they were found; which dates they are depends on the date at the place: see `days_on`.
    """

    text: str
    places: tuple[Place, ...]
    quantities: tuple[Quantity, ...]
    is_open: bool
    is_bare: bool
    days: Days

    @classmethod
    def read(cls, text: str) -> "Question":
        text = unicodedata.normalize("NFC", text[:LONGEST]).translate(_SPELLINGS)
        days = days_asked(text, _SOME_DAY)
        places, rest = places_asked(days.rest)
        found = [(m.start(), quantity) for quantity, word in _QUANTITIES.items() for m in word.finditer(text)]
        return cls(
            text=text,
            places=places,
            quantities=tuple(dict.fromkeys(quantity for _, quantity in sorted(found))),
            is_open=_OPEN.search(text) is not None,
            is_bare=not re.search(r"[^\W_]", _FILLERS.sub("", rest)),
            days=days,
        )

    def days_on(self, today: date) -> Days:
        return days_asked(self.text, today)

    @property
    def asks_time(self) -> bool:
        """What time it is, or what day."""
        return _TIME.search(self.text) is not None

    @property
    def asks_weather(self) -> bool:
        """The weather, or a place and a day with no word of anything else."""
        if self.asks_time or _WEATHER.search(self.text):
            return _WEATHER.search(self.text) is not None
        if any(place.city for place in self.places) and (self.days.named or self.days.unclear):
            return True
        return self.is_bare and bool(self.places or self.days.named or self.days.unclear)

    @property
    def is_english(self) -> bool:
        letters = [unicodedata.name(letter, "") for letter in self.text if letter.isalpha()]
        others = [
            name for name in letters if not name.startswith(("LATIN ", "MICRO ", "MASCULINE ", "FEMININE "))
        ]
        return len(others) < 2 and not _OTHER_LANGUAGES.search(fold(self.text))

    @property
    def not_told(self) -> str:
        """What it asks about the weather and this agent does not tell, such as "humidity"; or ""."""
        match = _NOT_TOLD.search(self.text)
        word = match.group().lower() if match else ""
        return {"humid": "humidity", "uv": "UV index"}.get(word, word)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


_SPELLINGS = {0x2019: "'", 0x2018: "'", 0x2013: "-", 0x2014: "-", 0x0: " ", 0x1: " "}
_QUANTITIES = {
    Quantity.RAIN: _words(r"rain\w*|umbrella|showers?|drizzl\w*|pour\w*"),
    Quantity.SNOW: _words(r"snow\w*"),
    Quantity.STORM: _words(r"storm\w*|thunder\w*|lightning"),
    Quantity.WET: _words(r"wet"),
    Quantity.DRY: _words(r"dry"),
    Quantity.HOT: _words(r"hot"),
    Quantity.WARM: _words(r"warm"),
    Quantity.COLD: _words(r"cold|coat|jacket|chilly"),
    Quantity.FREEZING: _words(r"freez\w*|frost\w*|icy|ice"),
    Quantity.WINDY: _words(r"wind|winds|windy"),
}
_WEATHER = _words(
    r"weather|forecasts?|climate|temperatures?|degrees|celsius|fahrenheit|umbrella|precipitation|rain\w*|showers?|"
    r"drizzl\w*|pour\w*|snow\w*|sun|sunny|sunshine|sky|wind\w*|storm\w*|thunder\w*|lightning|cloud\w*|overcast|"
    r"(?:hot|cold|warm|cool|wet|dri)(?:t?er|t?est)?|dry|chilly|freez\w*|frost\w*|icy|humid\w*|fog\w*|jacket|coat|"
    r"uv|sunrise|sunset|pollen|air quality"
)
_NOT_TOLD = _words(r"humid\w*|uv|sunrise|sunset|pollen|air quality|pressure|visibility")
_OPEN = _words(r"how|what|what's|whats|when|when's|where|where's|which|no|not|never|without|stop\w*")
_TIME = _words(
    r"what (?:time|day|date) is it|what(?:'s| is) (?:the )?(?:current |local |exact )?(?:time|day|date)|"
    r"today's date|(?:current|local) (?:time|date)|the time in"
)
_OTHER_LANGUAGES = re.compile(
    r"[¿¡]|\b(?:quel|quelle|demain|aujourd|hier|fera|pleut|pleuvra|pleuvoir|meteo|neige|wie|wird|wetter|morgen|heute|"
    r"gestern|ubermorgen|regnet|regen|schneit|manana|hoy|ayer|llueve|llovera|llover|tiempo|clima|domani|oggi|ieri|"
    r"piove|piovera|amanha|hoje|ontem|chove|chover|chovera|weer|vandaag|pogoda|jutro|dzisiaj|imorgon|idag|yarin|bugun)\b"
)
_FILLERS = _words(
    r"a|about|again|agent|also|and|are|at|be|been|compare|did|do|does|for|from|going|happening|hello|hey|hi|how|in|is|"
    r"it|its|like|look|looking|looks|me|now|of|ok|okay|on|or|out|outside|over|please|s|same|show|so|tell|than|that|"
    r"the|then|there|things|to|too|versus|vs|was|what|whats|what's|will|with"
)
