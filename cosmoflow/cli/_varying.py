"""Which parameters there is anything to say about."""

import numpy as np

from ..chains import Chain


def varying(chain: Chain) -> list[str]:
    """The parameters that are not held fixed, or all where none of them moved."""
    moving = [name for name, draws in chain.posterior.items() if np.ptp(draws) != 0]
    return moving or list(chain.posterior)
