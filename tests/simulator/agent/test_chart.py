import struct
import zlib

import pytest

from simulator.agent.chart import HEIGHT, WIDTH, bar_chart


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


@pytest.mark.parametrize("values", [[20, 25, 30], [-5, -1, -3], [-4, 0, 4], [0]])
def test_a_chart_is_a_whole_png_of_its_size(values: list[int]) -> None:
    found = blocks(bar_chart(values))
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack("!IIBBBBB", found[b"IHDR"]) == (WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    lines = zlib.decompress(found[b"IDAT"])
    assert len(lines) == HEIGHT * (1 + 3 * WIDTH)
    assert {lines[row * (1 + 3 * WIDTH)] for row in range(HEIGHT)} == {0}


def test_a_higher_value_has_a_longer_bar() -> None:
    def painted(values: list[int]) -> int:
        return zlib.decompress(blocks(bar_chart(values))[b"IDAT"]).count(bytes((236, 118, 58)))

    assert painted([10, 10]) > painted([10, 5]) > painted([10, 1])
