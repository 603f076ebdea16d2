"""Calls that run beside the caller's work, in threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# An execution environment works on one turn at a time, which hides its message, takes its hourglass away,
# reads and keeps its thread's agent, posts its first message, and notes that it begins beside other calls.
_THREADS = ThreadPoolExecutor(max_workers=5, thread_name_prefix="beside")


def beside(call: Callable[[], T]) -> Callable[[], T]:
    """See `functions.bridge.beside.Beside`."""
    return _THREADS.submit(call).result
