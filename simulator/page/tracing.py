"""Which thread a journal entry is about.

Some entries name it: a queue message by its group, an agent's run by its session, a Slack call by channel and
ts. The others share an id with one of those: an invocation has the id of the queue message or of the HTTP
request that triggered it, and Slack learns the request's id from the answer. An entry may be understood only
once a later one has come.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from simulator.journal import Entry

FindThread = Callable[[str, str], str | None]

_SHARED_IDS = ("request_id", "trigger_id", "message_id", "session")


class Tracer:
    """Follows the journal. `find_thread` gives the thread_ts of the message with a channel and a ts.

    Attributes:
        threads: "channel:thread_ts" by the entry's number, as far as known.
    """

    def __init__(self, find_thread: FindThread) -> None:
        self.threads: dict[int, str] = {}
        self._find_thread = find_thread
        self._thread_of_id: dict[str, str] = {}
        self._waiting: defaultdict[str, list[Entry]] = defaultdict(list)

    def add(self, entry: Entry) -> None:
        ids = [entry.detail[name] for name in _SHARED_IDS if entry.detail.get(name)]
        known = (self._thread_of_id[shared] for shared in ids if shared in self._thread_of_id)
        thread = next(self._named(entry.detail), None) or next(known, None)
        if thread and (group := entry.detail.get("group_id")):
            # AgentCore's sessions have a hash of the thread for a name.
            self._thread_of_id[hashlib.sha256(group.encode()).hexdigest()] = thread
        if thread is None:
            for shared in ids:
                self._waiting[shared].append(entry)
            return
        self.threads[entry.number] = thread
        for shared in ids:
            self._thread_of_id[shared] = thread
        for shared in ids:
            for earlier in self._waiting.pop(shared, []):
                if earlier.number not in self.threads:
                    self.add(earlier)

    def _named(self, detail: dict[str, Any]) -> Iterator[str]:
        for name in ("group_id", "session"):
            # "team:channel:ts"
            if parts := _last_two(detail.get(name)):
                yield self._thread(*parts)
        match detail:
            case {"channel": str(channel), "ts": str(ts)}:
                yield self._thread(channel, ts)
            case {"channel": str(channel), "arguments": {"thread_ts": str(ts)}}:  # a post that was refused
                yield self._thread(channel, ts)

    def _thread(self, channel: str, ts: str) -> str:
        return f"{channel}:{self._find_thread(channel, ts) or ts}"


def _last_two(value: Any) -> tuple[str, str] | None:
    parts = str(value or "").split(":")
    return (parts[-2], parts[-1]) if len(parts) >= 3 else None
