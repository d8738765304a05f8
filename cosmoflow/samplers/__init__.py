"""Markov processes that leave a target invariant."""

from ._adjusted_mclmc import AdjustedMCLMC as AdjustedMCLMC
from ._base import AbstractInfo as AbstractInfo
from ._base import AbstractKernel as AbstractKernel
from ._base import AbstractSampler as AbstractSampler
from ._base import AbstractState as AbstractState
from ._base import AbstractTunedKernel as AbstractTunedKernel
from ._base import Draws as Draws
from ._base import over_draws as over_draws
from ._base import scaled as scaled
from ._discrete_bouncy_particle import DiscreteBouncyParticle as DiscreteBouncyParticle
from ._ghmc import GHMC as GHMC
from ._langevin import Langevin as Langevin
from ._hug_and_hop import HugAndHop as HugAndHop
from ._motions import Rotation as Rotation
from ._motions import Straight as Straight
from ._malt import MALT as MALT
from ._mclmc import MCLMC as MCLMC
from ._nuts import NUTS as NUTS
from .pdmp import ZigZag as ZigZag
from .splitting import BouncyParticleSplitting as BouncyParticleSplitting
from .splitting import CoordinateSplitting as CoordinateSplitting
from .splitting import ForwardEventChainSplitting as ForwardEventChainSplitting
from .splitting import HybridSplitting as HybridSplitting
from .splitting import ZigZagSplitting as ZigZagSplitting
