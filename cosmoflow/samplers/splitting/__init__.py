"""Metropolised splittings of piecewise deterministic processes."""

from ._base import AbstractSplitting as AbstractSplitting
from ._base import SplittingState as SplittingState
from ._bouncy_particle import BouncyParticleSplitting as BouncyParticleSplitting
from ._coordinate import CoordinateSplitting as CoordinateSplitting
from ._forward_event_chain import ForwardEventChainSplitting as ForwardEventChainSplitting
from ._hybrid import HybridInfo as HybridInfo
from ._hybrid import HybridSplitting as HybridSplitting
from ._tuned import AbstractTunedSplitting as AbstractTunedSplitting
from ._tuned import SplittingInfo as SplittingInfo
from ._zig_zag import ZigZagSplitting as ZigZagSplitting
