"""Piecewise deterministic Markov processes."""

from ._base import AbstractPDMP as AbstractPDMP
from ._base import PDMPInfo as PDMPInfo
from ._base import PDMPState as PDMPState
from ._base import Tick as Tick
from ._boomerang import Boomerang as Boomerang
from ._bouncy_particle import BouncyParticle as BouncyParticle
from ._chord_bound import ChordBound as ChordBound
from ._coordinate import CoordinateSampler as CoordinateSampler
from ._event_time import AbstractRateBound as AbstractRateBound
from ._event_time import Majorant as Majorant
from ._event_time import Path as Path
from ._forward_event_chain import ForwardEventChain as ForwardEventChain
from ._given_bound import ConstantBound as ConstantBound
from ._given_bound import HessianBound as HessianBound
from ._path_integral import AbstractIntegrand as AbstractIntegrand
from ._path_integral import Moments as Moments
from ._path_integral import PathIntegral as PathIntegral
from ._path_integral import Quadrature as Quadrature
from ._path_integral import path_integral as path_integral
from ._skeleton import Skeleton as Skeleton
from ._skeleton import skeleton as skeleton
from ._slope_bound import SlopeBound as SlopeBound
from ._zig_zag import ZigZag as ZigZag
