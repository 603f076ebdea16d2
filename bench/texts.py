"""CPU time of the bridge for long answers of one block, which should grow no faster than the text."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from functions.bridge.agents.events import TextDelta
from functions.bridge.markdown.growing import preview
from functions.bridge.markdown.split import Pages
from functions.bridge.replies.reply import Reply
from simulator.agent import samples

SHORTER, LONGER = 15_000, 60_000
DELTA = 30  # characters
EDITS = 16  # of an answer that lasts a minute
REPEATS = 3

SHAPES: dict[str, Callable[[int], str]] = {
    "a list": lambda at: f"- item {at} with some words in it\n",
    "a table": lambda at: f"| {at} | Chicago | windy |\n" if at else "| a | b | c |\n|-|-|-|\n",
    "quotes, 40 deep": lambda at: f"{'> ' * 40}words {at}\n",
}


def measure() -> dict[str, dict[int, float]]:
    """Seconds of a processor, by shape and length in characters; the least of some runs."""
    found = {
        shape: {length: _least(_grown(line, length)) for length in (SHORTER, LONGER)}
        for shape, line in SHAPES.items()
    }
    today = datetime.now(UTC).date()
    found["a report"] = {length: _least(samples.report(length, today)) for length in (SHORTER, LONGER)}
    return found


def _grown(line: Callable[[int], str], length: int) -> str:
    text, at = "", 0
    while len(text) < length:
        text += line(at)
        at += 1
    return text[:length]


def _least(text: str) -> float:
    return min(_work(text) for _ in range(REPEATS))


def _work(text: str) -> float:
    """The work of a worker: deltas arrive, some edits show them, and the end shows the whole answer."""
    deltas = [text[at : at + DELTA] for at in range(0, len(text), DELTA)]
    began = time.process_time()
    reply, pages = Reply(show_rationale=False), Pages()
    for number, delta in enumerate(deltas, 1):
        reply.add(TextDelta(delta))
        if number % (len(deltas) // EDITS) == 0:
            preview(pages.of(reply.growing())[-1])
    pages.of(reply.final())
    return time.process_time() - began
