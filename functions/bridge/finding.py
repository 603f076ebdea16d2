"""What the heartbeat finds wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing on which an answer depends, and which is not as it should be.

    Attributes:
        why: a word for it, such as "not_found" or Slack's "token_revoked".
        detail: for the operator: who said what, or what is to be done.
        is_trouble: False where it could not be found out, which need not mean that nobody is answered.
    """

    why: str
    detail: str = ""
    is_trouble: bool = True
