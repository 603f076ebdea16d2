import struct
import zlib
from datetime import date, timedelta

import pytest

from simulator.agent import samples
from simulator.agent.weather import CITIES, City, weather

DAY = date(2026, 1, 15)
ORANGE = bytes((236, 118, 58))


def blocks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG file by type; each checksum is verified."""
    assert data[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    found, at = {}, 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert int.from_bytes(data[at + 8 + length : at + 12 + length], "big") == zlib.crc32(kind + content)
        found[kind] = content
        at += 12 + length
    return found


def lines_of(data: bytes) -> tuple[int, list[bytes]]:
    """The width in pixels, and the lines of pixels without their filter types, each of which is 0."""
    found = blocks(data)
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *rest = struct.unpack("!IIBBBBB", found[b"IHDR"])
    assert rest == [8, 2, 0, 0, 0]
    pixels = zlib.decompress(found[b"IDAT"])
    lines = [pixels[at : at + 1 + 3 * width] for at in range(0, len(pixels), 1 + 3 * width)]
    assert len(lines) == height
    assert {line[0] for line in lines} == {0}
    return width, [line[1:] for line in lines]


@pytest.mark.parametrize("city", [None, *CITIES], ids=lambda city: city.name if city else "no city")
def test_a_chart_has_a_bar_for_the_high_of_each_of_seven_days(city: City | None) -> None:
    width, lines = lines_of(samples.chart(city, DAY))
    middles = [3 * (width // 7 * number + width // 14) for number in range(7)]
    lengths = [sum(line[at : at + 3] == ORANGE for line in lines) for at in middles]
    highs = [weather(city or samples.CHICAGO, DAY + timedelta(ahead)).high for ahead in range(7)]
    scale = len(lines) / (max(*highs, 0) - min(*highs, 0))
    assert lengths == pytest.approx([abs(high) * scale for high in highs], abs=1)
