"""Which parameters there is anything to say about."""

import numpy as np

from ..chains import Chain


def varying(chain: Chain) -> list[str]:
    """The parameters that are not held fixed."""
    return [name for name, draws in chain.posterior.items() if np.ptp(draws) > 0]
