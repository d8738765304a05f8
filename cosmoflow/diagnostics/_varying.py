"""Which parameters there is anything to say about."""

import numpy as np

from ..chains import Chain
from ._fields import is_field


def varying(chain: Chain) -> list[str]:
    """The parameters that are not held fixed, or all where none of them moved; of a field those of one number."""
    shown = {name: draws for name, draws in chain.posterior.items() if draws.ndim == 2 or not is_field(chain)}
    moving = [name for name, draws in shown.items() if np.ptp(draws) != 0]
    return moving or list(shown)
