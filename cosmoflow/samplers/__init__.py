"""Markov processes that leave a target invariant."""

from ._base import AbstractInfo as AbstractInfo
from ._base import AbstractKernel as AbstractKernel
from ._base import AbstractSampler as AbstractSampler
from ._base import AbstractState as AbstractState
from ._base import AbstractTunedKernel as AbstractTunedKernel
from ._base import Draws as Draws
from ._base import over_draws as over_draws
from ._base import scaled as scaled
from ._ghmc import GHMC as GHMC
from ._independence import Independence as Independence
from ._mixture import Mixture as Mixture
from ._nuts import NUTS as NUTS
from ._parallel_tempering import ParallelTempering as ParallelTempering
from .pdmp import ZigZag as ZigZag
