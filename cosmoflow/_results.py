"""How a run ended: a status with a sentence that says what to do."""

import enum

RESUMABLE = 75
"""EX_TEMPFAIL, the exit code of a run that ended early: the same command with --resume goes on."""


class Status(enum.Enum):
    """The outcome of a run; the value is the sentence a user reads."""

    SUCCESSFUL = "The run is complete."
    CONVERGED = "The run reached its stop criterion."
    NOT_CONVERGED = (
        "The run made all its draws without reaching its stop criterion; raise `num_draws` and resume it, or shorten "
        "the correlations by another sampler or a flow."
    )
    STOPPED = "The run was stopped on request; resume it to continue."
    OUT_OF_TIME = "The run reached its time budget; resume it to continue."
    LOST = "Another process of the run was lost or stopped; resume the run to continue."
    NO_FINITE_LOSS = "No validation loss of the training was finite; start from a whitened target, or repair it."
    NON_FINITE = (
        "Too many log-densities or gradients were not finite; find the parameter region with "
        "Chain.sample_stats['non_finite'] and repair the likelihood or narrow the prior."
    )
    STUCK = (
        "A chain could not move between two draws; look for a wall or a needle in the likelihood near its place in "
        "Chain.sample_stats['num_stuck'], or shorten the sampler's `draw_interval`."
    )
    BOUND_VIOLATIONS = (
        "Too many event rates exceeded their bound, so the draws may be biased; raise the bound's `num_cells` or "
        "`safety`, shorten the sampler's `draw_interval`, or look for a spike or an edge without a finite gradient."
    )
    DISCONTINUOUS = (
        "The density has a cliff that its gradient does not show, which a piecewise deterministic process passes "
        "unaware; make the likelihood continuous, or take a sampler that compares densities, such as NUTS."
    )
    RUNAWAY = (
        "The chains went ever farther out, so the target may have no finite mass; give every parameter a proper prior, "
        "or start from a warm-up."
    )
    FROZEN = (
        "A chain hardly moved in all its draws; start it elsewhere, or look for a wall or a needle of the likelihood "
        "near its place."
    )
    DIVERGENCES = (
        "Too many trajectories diverged; let the sampler take smaller steps, by a higher `target_acceptance` or a "
        "lower `energy_variance` or `bias`, or sample in the coordinates of a flow."
    )

    @property
    def good(self) -> bool:
        """Whether the run came to its end."""
        return self in (Status.SUCCESSFUL, Status.CONVERGED, Status.NOT_CONVERGED)

    @property
    def resumable(self) -> bool:
        """Whether the run ended early and goes on where it is resumed."""
        return self in (Status.STOPPED, Status.OUT_OF_TIME, Status.LOST)


class CosmoflowError(Exception):
    """A failure that a user can act on; its message is one sentence naming the culprit and a hint."""


class RunError(CosmoflowError):
    """A run ended with a status other than success; `culprit` is what its sentence is about."""

    def __init__(self, status: Status, culprit: str = ""):
        super().__init__(f"{status.value[:-1]} ({culprit})." if culprit else status.value)
        self.status = status


class StartError(CosmoflowError):
    """A chain cannot start where it was put."""


class StoreError(CosmoflowError):
    """A chain store refused or could not complete an operation."""
