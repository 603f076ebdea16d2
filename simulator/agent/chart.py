"""A bar chart as a PNG file, drawn with the standard library alone.

The format: https://www.w3.org/TR/png-3/
"""

import struct
import zlib
from collections.abc import Sequence

WIDTH, HEIGHT = 420, 160
_MARGIN = 10
_WHITE, _GRID, _WARM, _COLD = (255, 255, 255), (221, 221, 221), (236, 118, 58), (58, 118, 206)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_Pixels = list[list[tuple[int, int, int]]]


def bar_chart(values: Sequence[int]) -> bytes:
    """One bar for each of `values` (at least one), up or down from the line of zero."""
    pixels: _Pixels = [[_WHITE] * WIDTH for _ in range(HEIGHT)]
    top, bottom = max(*values, 0), min(*values, 0)
    scale = (HEIGHT - 2 * _MARGIN) / max(top - bottom, 1)
    zero = _MARGIN + round(top * scale)
    _fill(pixels, _MARGIN, WIDTH - _MARGIN, zero, zero + 1, _GRID)
    step = (WIDTH - 2 * _MARGIN) // len(values)
    for number, value in enumerate(values):
        left = _MARGIN + number * step
        end = zero - round(value * scale)
        _fill(
            pixels, left + 2, left + step - 2, min(zero, end), max(zero, end), _WARM if value > 0 else _COLD
        )
    return _png(pixels)


def _fill(
    pixels: _Pixels, left: int, right: int, top: int, bottom: int, colour: tuple[int, int, int]
) -> None:
    for row in pixels[top:bottom]:
        row[left:right] = [colour] * (right - left)


def _png(pixels: _Pixels) -> bytes:
    # Each line begins with its filter type: 0, none.
    lines = b"".join(b"\0" + bytes(part for pixel in row for part in pixel) for row in pixels)
    # 8 bits for each of red, green and blue; the only compression, filter and interlace methods there are.
    header = struct.pack("!IIBBBBB", len(pixels[0]), len(pixels), 8, 2, 0, 0, 0)
    return (
        _SIGNATURE + _block(b"IHDR", header) + _block(b"IDAT", zlib.compress(lines, 9)) + _block(b"IEND", b"")
    )


def _block(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
