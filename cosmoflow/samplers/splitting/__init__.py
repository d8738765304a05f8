"""Metropolised splittings of piecewise deterministic processes."""

from ._base import AbstractSplitting as AbstractSplitting
from ._base import SplittingState as SplittingState
from ._hybrid import HybridInfo as HybridInfo
from ._hybrid import HybridSplitting as HybridSplitting
