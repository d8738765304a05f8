"""When a run has enough draws."""

from dataclasses import dataclass

from ._summary import MAX_RHAT, MIN_ESS

FIRST_CHECK = 100


@dataclass(frozen=True)
class Converged:
    """A stop criterion for `sample`: enough effective draws, and chains that agree.

    Both are asked of each scalar parameter, at most the first 64, of the log-density and of the squared norm of
    the sampler's coordinates; parameters that are held
    fixed do not count.

    Attributes:
        ess: the smallest bulk or tail effective sample size that is enough.
        rhat: the largest rank-normalised R-hat that will do.

    Raises:
        ValueError: no run can fulfil the criterion, or every run does.
    """

    ess: float = MIN_ESS
    rhat: float = MAX_RHAT

    def __post_init__(self):
        if not self.ess > 0:
            raise ValueError(f"The stop criterion's ess is {self.ess}, but must be positive.")
        if not self.rhat > 1:
            raise ValueError(f"The stop criterion's rhat is {self.rhat}, but must be above one.")

    def holds(self, ess: float, rhat: float) -> bool:
        """Whether the smallest effective sample size and the largest R-hat fulfil it."""
        return ess >= self.ess and rhat <= self.rhat


def next_check(num_draws: int) -> int:
    """The number of draws, above the given one, at which a criterion is looked at next.

    The numbers grow by a quarter each. They depend on nothing else, so that a run ends with the same draws however it
    was cut into chunks and interrupted.
    """
    check = FIRST_CHECK
    while check <= num_draws:
        check += -(-check // 4)
    return check
