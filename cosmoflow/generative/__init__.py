"""Noising processes and their reversal."""

from ._base import AbstractGenerativeModel as AbstractGenerativeModel
from ._bouncy_particle import BouncyParticleModel as BouncyParticleModel
from ._critically_damped import CriticallyDamped as CriticallyDamped
from ._diffusion import Diffusion as Diffusion
from ._energy import EnergyNetwork as EnergyNetwork
from ._field_unet import FieldUNet as FieldUNet
from ._flow_matching import FlowMatching as FlowMatching
from ._forward_event_chain import ForwardEventChainModel as ForwardEventChainModel
from ._guidance import Guidance as Guidance
from ._hamiltonian_matching import OscillationMatching as OscillationMatching
from ._hamiltonian_matching import ReflectionMatching as ReflectionMatching
from ._hamiltonian_matching import oscillation_scale as oscillation_scale
from ._network import TimeNetwork as TimeNetwork
from ._piecewise import AbstractPiecewiseModel as AbstractPiecewiseModel
from ._probability_flow import AbstractProbabilityFlow as AbstractProbabilityFlow
from ._randomised_hamiltonian import RandomisedHamiltonianModel as RandomisedHamiltonianModel
from ._schedule import AbstractSchedule as AbstractSchedule
from ._schedule import CosineSchedule as CosineSchedule
from ._schedule import LinearSchedule as LinearSchedule
from ._score_discrepancy import ScoreDiscrepancy as ScoreDiscrepancy
from ._score_discrepancy import hamiltonian_score_discrepancy as hamiltonian_score_discrepancy
from ._velocity import AbstractVelocity as AbstractVelocity
from ._velocity import VelocityMixture as VelocityMixture
from ._velocity_flow import VelocityFlow as VelocityFlow
from ._velocity_model import AbstractVelocityModel as AbstractVelocityModel
from ._zig_zag import ZigZagModel as ZigZagModel
