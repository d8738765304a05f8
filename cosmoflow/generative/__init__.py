"""Noising processes and their reversal."""

from ._base import AbstractGenerativeModel as AbstractGenerativeModel
from ._bouncy_particle import BouncyParticleModel as BouncyParticleModel
from ._forward_event_chain import ForwardEventChainModel as ForwardEventChainModel
from ._network import TimeNetwork as TimeNetwork
from ._piecewise import AbstractPiecewiseModel as AbstractPiecewiseModel
from ._randomised_hamiltonian import RandomisedHamiltonianModel as RandomisedHamiltonianModel
from ._velocity import AbstractVelocity as AbstractVelocity
from ._velocity import VelocityMixture as VelocityMixture
from ._velocity_flow import VelocityFlow as VelocityFlow
from ._velocity_model import AbstractVelocityModel as AbstractVelocityModel
from ._zig_zag import ZigZagModel as ZigZagModel
