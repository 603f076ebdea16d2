"""The weather in words (Markdown). Every number is the weather tool's, but for °F and what counts as hot."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from simulator.agent.question import Quantity
from simulator.agent.tools import Result


@dataclass(frozen=True)
class Forecast:
    """One day, as the tool tells it: °C, percent, mm and km/h.

    `wind_from` is None where there are so many days that the tool leaves it out.
    """

    day: date
    sky: str
    low: float
    high: float
    chance: int
    precipitation: float
    wind: float
    wind_from: str | None

    @property
    def wet(self) -> bool:
        return self.precipitation > 0

    @property
    def kind(self) -> str:
        return "snow" if "snow" in self.sky else "rain"


@dataclass(frozen=True)
class Period:
    """The days that an answer is about.

    Attributes:
        place: as the place search calls it.
        label: of the days; it fits after "in Lima".
        is_past: whether the days have been.
    """

    place: str
    label: str
    is_past: bool
    days: Sequence[Forecast]

    @property
    def when(self) -> str:
        return f"in **{self.place}** {self.label}"

    @property
    def low(self) -> float:
        return min(day.low for day in self.days)

    @property
    def high(self) -> float:
        return max(day.high for day in self.days)

    @property
    def wind(self) -> float:
        return max(day.wind for day in self.days)

    def days_of(self, kind: str) -> list[Forecast]:
        """Those on which "rain", "snow" or "thunderstorms" fall."""
        if kind == Quantity.STORM:
            return [day for day in self.days if "thunder" in day.sky]
        return [day for day in self.days if day.wet and day.kind == kind]

    @property
    def falls(self) -> str:
        """What mostly falls, "rain" or "snow"; "" when it is dry."""
        wettest = max(self.days, key=lambda day: day.precipitation)
        return wettest.kind if wettest.wet else ""


def forecasts(weather: Result) -> Iterator[Forecast]:
    """The days of a result of the weather tool."""
    for row in weather["daily"]["rows"]:
        column: Mapping[str, Any] = dict(zip(weather["daily"]["columns"], row, strict=True))
        yield Forecast(
            day=date.fromisoformat(column["date"]),
            sky=column["weather"],
            low=column["low (°C)"],
            high=column["high (°C)"],
            chance=column["chance of precipitation (%)"],
            precipitation=column["precipitation (mm)"],
            wind=column["strongest wind (km/h)"],
            wind_from=column.get("wind from"),
        )


def summary(period: Period, quantities: Sequence[Quantity], *, is_open: bool) -> str:
    """One paragraph: yes or no to each of `quantities`, or none of both if the question is open."""
    if quantities and not is_open:
        sentences = [_verdict(period, quantity) for quantity in quantities]
    elif falling := [quantity for quantity in quantities if quantity in _FALLING]:
        sentences = [_capital(_fall(period, falling[0]))]
    else:
        verb = "there was" if period.is_past else "expect"
        sentences = [f"In **{period.place}** {verb} **{_skies(period)}** {period.label}."]
    range_ = f"between {_degrees(period.low)} and {_degrees(period.high)}"
    sentences.append(f"It had {range_}." if period.is_past else f"Expect {range_}.")
    if is_open and Quantity.WINDY in quantities:
        sentences.append(f"Wind: up to {period.wind:g} km/h.")
    if not period.is_past:
        sentences.append(_advice(period, _UMBRELLA.intersection(quantities)))
    return " ".join(sentences)


def details(period: Period) -> str:
    """Two days at length, or more of them in a line each."""
    if len(period.days) <= 2:
        return "\n\n".join(_paragraph(day, is_past=period.is_past) for day in period.days)
    return "\n".join(_line(day, is_past=period.is_past) for day in period.days)


_FALLING = (Quantity.RAIN, Quantity.SNOW, Quantity.STORM, Quantity.WET, Quantity.DRY)
_UMBRELLA = {Quantity.RAIN, Quantity.STORM, Quantity.WET, Quantity.DRY}
# What is hot is a matter of taste: so a "no" says what counts. At 20 km/h a breeze raises dust (Beaufort 4).
_LIMITS: dict[Quantity, tuple[Callable[[Period], float], float, str]] = {
    Quantity.HOT: (lambda period: period.high, 30, "°C"),
    Quantity.WARM: (lambda period: period.high, 20, "°C"),
    Quantity.COLD: (lambda period: period.low, 5, "°C"),
    Quantity.FREEZING: (lambda period: period.low, 0, "°C"),
    Quantity.WINDY: (lambda period: period.wind, 20, "km/h"),
}
_FROM_BELOW = (Quantity.COLD, Quantity.FREEZING)
# What the tool says in an adjective.
_SKIES = {"partly cloudy": "a partly cloudy sky", "overcast": "an overcast sky", "clear sky": "a clear sky"}


def _verdict(period: Period, quantity: Quantity) -> str:
    if quantity not in _FALLING:
        return _limit_verdict(period, quantity)
    if quantity is Quantity.DRY:
        holds = not period.falls
    else:
        holds = bool(period.falls if quantity is Quantity.WET else period.days_of(quantity))
    # It snows, but it was rain that was asked about.
    other = not holds and period.falls and quantity is not Quantity.DRY
    return f"**{'Yes' if holds else 'No'}**, {'but ' if other else ''}{_fall(period, quantity)}"


def _fall(period: Period, quantity: Quantity) -> str:
    """Whether something falls: what was asked about, or else what does fall."""
    kind = quantity.value if period.days_of(quantity) else period.falls
    chance = max(day.chance for day in period.days_of(kind) or period.days)
    if period.is_past:
        if not kind:
            return f"it stayed dry {period.when}."
        amount = sum(day.precipitation for day in period.days_of(kind))
        verb = {"rain": "it rained", "snow": "it snowed"}.get(kind, f"there were {kind}")
        return f"{verb} {period.when}: {round(amount, 1):g} mm."
    if not kind:
        return f"it should stay dry {period.when}: the chance of rain is {chance} %."
    verb = "are" if kind == Quantity.STORM else "is"
    return f"{kind} {verb} likely {period.when}: the chance is {chance} %."


def _limit_verdict(period: Period, quantity: Quantity) -> str:
    measure, limit, unit = _LIMITS[quantity]
    value = measure(period)
    is_below = quantity in _FROM_BELOW
    holds = value <= limit if is_below else value >= limit
    number = _degrees(value) if unit == "°C" else f"{value:g} {unit}"
    verb = (
        ("was" if period.is_past else "should be")
        if holds
        else ("was not" if period.is_past else "should not be")
    )
    text = f"it {verb} {quantity.value} {period.when}: {'down' if is_below else 'up'} to {number}"
    return f"**Yes**, {text}." if holds else f"**No**, {text}, and I call {limit:g} {unit} {quantity.value}."


def _skies(period: Period) -> str:
    skies = list(dict.fromkeys(_SKIES.get(day.sky, day.sky) for day in period.days))
    return skies[0] if len(skies) == 1 else f"{', '.join(skies[:-1])} and {skies[-1]} by turns"


def _advice(period: Period, asked: set[Quantity]) -> str:
    if period.falls == "snow":
        return "Dress warmly and mind the roads."
    if asked:
        return "Take an umbrella." if period.falls else "You can leave the umbrella at home."
    if period.falls:
        return "An umbrella will be useful."
    if period.high >= 30:
        return "Drink enough and keep to the shade."
    return "A warm coat is a good idea." if period.low <= 5 else "A good time to be outdoors."


def _paragraph(day: Forecast, *, is_past: bool) -> str:
    amount = f", about {day.precipitation:g} mm" if day.wet else ""
    coming = f"- Chance of {day.kind}: {day.chance} %{amount}"
    return "\n".join(
        [
            f"**{_date(day.day)}**: {day.sky}",
            f"- Temperature: {_degrees(day.low)} to {_degrees(day.high)}",
            f"- {day.kind.title()}: {day.precipitation:g} mm" if is_past else coming,
            f"- Wind: up to {day.wind:g} km/h" + (f" from the {day.wind_from}" if day.wind_from else ""),
        ]
    )


def _line(day: Forecast, *, is_past: bool) -> str:
    range_ = f"{_degrees(day.low)} to {_degrees(day.high)}"
    fall = f"{day.kind} {day.precipitation:g} mm" if is_past else f"chance of {day.kind} {day.chance} %"
    return f"- {_date(day.day)}: {day.sky}, {range_}, {fall}"


def _date(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B}"


def _degrees(celsius: float) -> str:
    return f"{celsius:g} °C ({round(celsius * 9 / 5 + 32)} °F)"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
