"""What the ledger knows of an agent's session in a thread."""

from dataclasses import dataclass

# For so long a thread's sessions are known, in seconds. After that `forget` is forgotten as well.
SESSION_KEPT_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Session:
    """An agent's session in a thread.

    Attributes:
        seen: the ts of the last question that the agent has answered to, and so what it knows of the thread;
            "" for none.
        seen_at: when that was, seconds since the epoch.
        began: the ts of the `forget` that began it, or of a question whose agent waits in the session before
            for an answer that it will not get, and a millionth of a second later for each Retry; "" for the
            thread's first session.
    """

    seen: str = ""
    seen_at: float = 0.0
    began: str = ""

    def id_in(self, thread_id: str) -> str:
        """The session's id: the thread's, and behind that what began it.

        At most 100 of `[0-9a-zA-Z._:-]`, which is what Bedrock's `SessionId` may have.
        """
        return f"{thread_id}:{self.began}" if self.began else thread_id
