"""Texts that try a bridge's rendering: very long ones, tables, code, mentions, other alphabets."""

import json
from datetime import date, timedelta

from simulator.agent.weather import CITIES, City, weather

# What a model could write (a prompt injection, a copied message) and what must never notify anybody.
MENTIONS = (
    "Storm warning! <!channel> and <!here> and <!everyone>: stay inside. <@U0123456789>, <@W0123456789|sam> "
    "and <!subteam^S1>, <!subteam^S0123456789|@oncall>: please read <#C0123456789>. "
    "Also @channel @here @everyone, `<!channel>` in code, and\n\n```\n<!here> in a block\n```\n\n"
    "and [a link](https://example.com/<!channel>)."
)

UNICODE = (
    "Sunny in many scripts: ☀️ 東京は晴れです。 Στην Αθήνα έχει ήλιο. Жарко. "
    "الطقس مشمس في القاهرة. मुंबई में धूप है। 서울은 맑습니다. São Paulo: 25 °C. "
    # people and a flag that consist of several characters; accents of their own; beyond the basic plane
    "Emoji: 👩🏽\u200d🚀 👨\u200d👩\u200d👧 🇨🇭. Combining: e\u0301 n\u0303. Rare: 𓀀 🀄."
)

CODE = """Here is how to ask for it yourself.

```python
def feels_like(celsius: float, wind_kmh: float) -> float:
    \"\"\"The wind chill, in °C.\"\"\"
    factor = wind_kmh**0.16
    return 13.12 + 0.6215 * celsius - 11.37 * factor + 0.3965 * celsius * factor
```

The data are JSON, with a fence of another kind:

~~~~json
{"sky": "sunny", "note": "three backticks inside: ```", "html": "<b>&amp;</b>"}
~~~~

And inline: `feels_like(-4, 29)`, ``a `tick` inside``.
"""


def report(characters: int, today: date) -> str:
    """A report of at least `characters` characters (and little more) with headings, lists and rules."""
    parts = ["# The long report\n\nEvery city, one week after the other, as far as the page goes.\n"]
    length, week = len(parts[0]), 0
    while length < characters:
        for city in CITIES:
            parts.append(_week(city, today + timedelta(7 * week)))
            length += len(parts[-1])
            if length >= characters:
                break
        week += 1
    return "".join(parts) + "\nEnd of the report.\n"


def table(city: City | None, today: date) -> str:
    """A Markdown table: the next fortnight in `city`, or today in all cities."""
    forecasts = (
        [weather(city, today + timedelta(n)) for n in range(14)]
        if city
        else [weather(c, today) for c in CITIES]
    )
    rows = [
        f"| {f.city.name} | {f.day.isoformat()} | {f.sky} | {f.low} | {f.high} | {f.precipitation_chance} % "
        f"| {f.precipitation:g} | {f.wind} km/h {f.wind_from} |"
        for f in forecasts
    ]
    head = "| City | Date | Sky | Low °C | High °C | Chance of rain | mm | Wind |"
    rule = "| :--- | :--- | :--- | ---: | ---: | ---: | ---: | :--- |"
    return "\n".join(
        ["Here is the table.", "", head, rule, *rows, "", "All of it is computed, not measured."]
    )


def csv(city: City | None, today: date) -> bytes:
    """The next week in `city` (Chicago when there is none) as a CSV file."""
    chosen = city or next(c for c in CITIES if c.name == "Chicago")
    lines = ["date,sky,low_c,high_c,rain_mm"]
    for forecast in (weather(chosen, today + timedelta(n)) for n in range(7)):
        fields = (forecast.day, forecast.sky, forecast.low, forecast.high, forecast.precipitation)
        lines.append(",".join(map(str, fields)))
    return ("\n".join(lines) + "\n").encode()


def _week(city: City, start: date) -> str:
    forecasts = [weather(city, start + timedelta(n)) for n in range(7)]
    lines = [f"\n## {city.name}, week of {start.isoformat()}\n"]
    lines += [
        f"- **{f.day:%A}**: {f.sky}, {f.low} to {f.high} °C\n"
        f"  - rain: {f.precipitation_chance} %, {f.precipitation:g} mm\n"
        f"  - wind: {f.wind} km/h from the {f.wind_from}"
        for f in forecasts
    ]
    numbers = json.dumps(
        {"warmest": max(f.high for f in forecasts), "coldest": min(f.low for f in forecasts)}
    )
    return "\n".join([*lines, f"\n> In short: `{numbers}`\n"])
