"""Which segments to join while a run lasts, so that a year of commits is still a few dozen files."""

from collections.abc import Sequence

FAN_IN = 8
"""Segments of one size that become one of the next: a draw is rewritten once per power of this."""

SMALLEST = 2**16
LARGEST = 2**26
"""Bytes of a segment above which it is left as it is until the final file is made."""


def tail_to_join(sizes: Sequence[int]) -> int:
    """How many of the last segments shall be joined; 0 where none.

    Sizes fall into levels, each `FAN_IN` times the one below; the last `FAN_IN` segments are joined once none of them
    has a higher level than the last.

    Args:
        sizes: Bytes of the draws of all segments, in their order.
    """
    tail = sizes[-FAN_IN:]
    joined = len(tail) == FAN_IN and sum(tail) <= LARGEST and max(map(_level, tail)) <= _level(tail[-1])
    return FAN_IN if joined else 0


def _level(size: int) -> int:
    level = 0
    while size > SMALLEST * FAN_IN**level:
        level += 1
    return level
