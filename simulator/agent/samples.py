"""What tries a bridge's rendering: long texts, tables, code, mentions, other alphabets, sources, files."""

import json
import struct
import zlib
from datetime import date, timedelta

from simulator.agent.actions import Reference
from simulator.agent.weather import CITIES, City, weather

_CHART_LINES, _BAR_WIDTH = 160, 54  # in pixels
_BAR, _GAP = bytes((236, 118, 58)), bytes((255, 255, 255))

CHICAGO = next(city for city in CITIES if city.name == "Chicago")

# What a model could write (a prompt injection, a copied message) and what must never notify anybody.
# As Amazon Nova thinks: docs.aws.amazon.com/nova/latest/userguide/tool-use-invocation.html
THINKING = (
    "<thinking>This is < simple.</thinking>\n\nIn code `<thinking>` is nothing special:\n\n"
    "```xml\n<thinking>kept</thinking>\n```\n"
)

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


RIGHT_TO_LEFT = """# الطقس في القاهرة

الجو **مشمس** اليوم، ودرجة الحرارة 25 °C.

1. الصباح: صافٍ
2. المساء: نسيم من الشمال (18 km/h)

> היום **שמשי** בתל אביב, ומחר יירד גשם: 4 mm.

| المدينة | الحرارة |
| --- | --- |
| القاهرة | 25 °C |
"""

EMOJI = (
    "Sun :sunny: or ☀️? A thumbs up 👍🏽, a family 👨\u200d👩\u200d👧\u200d👦, a keycap 1️⃣, a flag 🇨🇭, "
    "a rainbow 🌈, a rainbow flag 🏳️\u200d🌈 and `:not_an_emoji:` at 10:30:00."
)

LISTS = """Before you leave:

- Clothes
  - a coat
    - the long one
    - **not** the red one
  - an umbrella
- Papers

  A paragraph that belongs to *Papers*.

1. Look at the sky.
2. Decide:
   1. cloudy: take the bus
   2. clear: walk
      - along the river
10. Be back by ten.

- [ ] not packed
- [x] packed
"""

DEEP_LIST = "1. The hours of a fortnight:\n" + "".join(
    f"    - hour {hour} of day {day}: a light breeze\n" for day in range(1, 15) for hour in range(24)
)
DEEP_LIST += '\n    ```json\n    {"hours": 336}\n    ```\n2. That is all.\n'

TWO_TABLES = """The day and the night.

| Day | °C |
| --- | --- |
| Rome | 27 |
| Oslo | 14 |

| Night | °C |
| --- | --- |
| Rome | 19 |

Sleep well.
"""

BARE_TABLE = """City | Sky
--- | ---
Rome | sunny
Oslo | `rain | snow`
Bern |

A pipe `a | b` in a sentence, and a | b without a table.
"""

# What a citation refers to ends with each of these.
CITED_BLOCKS = (
    "Run this:\n\n```bash\nwind --scale\n```",
    "\n\nThen read:\n\n| Force | Wind |\n| --- | --- |\n| 8 | gale |",
    "\n\nMore in [the handbook of",
    " winds](https://example.com/winds) (2024), and **bold claims**.\n",
)

HEADINGS = """# The weather

## Today

Fair. Setext headings work too.

Tomorrow
--------

### Morning

Fog at first.

#### Valleys

##### Rivers

###### Banks

Fog until noon. # Not a heading, nor is #this.

***

The [forecast](https://example.com/forecast?city=Chicago&days=3 "three days") in short: **fair**, *mild*,
~~wet~~ dry.
"""

COMPARISONS = (
    "Cold means -5 < t < 0 °C; if a<b and c>d then a&b. Wind >= 60 km/h -> stay in; <= 10 km/h <- go out. "
    "Write &lt;b&gt; or &amp;amp; literally. <b>Not bold</b>, <br/>, <!-- no comment -->, "
    "<https://example.com/a?b=1&c=2>, <me@example.com>, x <y, <3, 1<<4, `a < b && c > d`.\n\n"
    '```html\n<p title="5 > 3">&nbsp;</p>\n```\n\n'
    "> a quotation, and 2 > 1\n\n"
    "$0.99 * 2 * 3 = snake_case_name * 100% \\*not emphasis\\* ~5 mm~"
)

MASKED = "Please write to {EMAIL} or call {PHONE}; your station is number {station-number}."

SOURCES = (
    Reference("S3", "s3://weather-handbook/manuals/wind%20scale.pdf", "Winds above 62 km/h count as a gale."),
    Reference(
        "WEB",
        "https://www.example.com/weather/wind-chill",
        "The wind chill is defined below 10 °C only.",
    ),
    Reference(
        "S3",
        "s3://weather-handbook/manuals/wind-chill.pdf",
        "The wind chill is defined at and below 10 °C.",
    ),
)


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


def long_table(city: City | None, today: date) -> str:
    """A Markdown table of 150 rows: the next 150 days in `city`, or in Chicago."""
    chosen = city or CHICAGO
    forecasts = [weather(chosen, today + timedelta(n)) for n in range(150)]
    rows = [f"| {n} | {f.day.isoformat()} | {f.sky} | {f.high} |" for n, f in enumerate(forecasts, 1)]
    head = ["| Day | Date | Sky | High °C |", "| ---: | --- | --- | ---: |"]
    return "\n".join([f"The next 150 days in {chosen.name}:", "", *head, *rows, "", "After that, ask again."])


def wide_table(city: City | None, today: date) -> str:
    """A Markdown table of 25 columns: the next 24 days in `city`, or in Chicago, from left to right."""
    chosen = city or CHICAGO
    forecasts = [weather(chosen, today + timedelta(n)) for n in range(24)]
    rows = [
        ["", *(f.day.isoformat() for f in forecasts)],
        ["---"] * 25,
        ["High °C", *(str(f.high) for f in forecasts)],
        ["Low °C", *(str(f.low) for f in forecasts)],
        ["Sky", *(f.sky for f in forecasts)],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def chart(city: City | None, today: date) -> bytes:
    """The highs of the next week in `city`, or in Chicago, as a bar chart: https://www.w3.org/TR/png-3/"""
    highs = [weather(city or CHICAGO, today + timedelta(n)).high for n in range(7)]
    top, bottom = max(*highs, 0), min(*highs, 0)
    lines = b""
    for line in range(_CHART_LINES):
        level = top - (top - bottom) * line / _CHART_LINES
        bars = [_BAR if min(high, 0) <= level <= max(high, 0) else _GAP for high in highs]
        lines += b"\0" + b"".join(bar * _BAR_WIDTH + _GAP * 6 for bar in bars)  # 0: the line has no filter
    # 8 bits for each of red, green and blue; the only compression, filter and interlace methods there are.
    header = struct.pack("!IIBBBBB", len(highs) * (_BAR_WIDTH + 6), _CHART_LINES, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def csv(city: City | None, today: date) -> bytes:
    """The next week in `city`, or in Chicago, as a CSV file."""
    chosen = city or CHICAGO
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
