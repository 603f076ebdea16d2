"""How long to wait between two tries, in seconds: longer each time, and by a share of each delivery's own.

Without that share all who failed at the same moment would try again at the same moment
(aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter; this is its "equal jitter").
"""


def grown(first: float, tries: int, *, longest: float) -> float:
    """`first` after one try, twice as long after each further one, `longest` at most."""
    return min(first * 2.0 ** min(max(tries, 1) - 1, 30), longest)


def spread(seconds: float, share: float) -> float:
    """Between half of the wait and all of it, by a share from 0 to 1."""
    return seconds * (1 + share) / 2


def spread_beyond(seconds: float, share: float) -> float:
    """Between the wait and five quarters of it: for one that Slack asked for, which must not be shorter."""
    return seconds * (1 + share / 4)
