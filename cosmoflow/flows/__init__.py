"""One-shot transports: neural Hamiltonian flows, their momentum encoders, and their exact reweighting."""

from ._additive_momentum import AdditiveGaussianMomentum as AdditiveGaussianMomentum
from ._base import Given as Given
from ._base import PhaseBase as PhaseBase
from ._build import fixed_kinetic_flow as fixed_kinetic_flow
from ._build import learned_kinetic_flow as learned_kinetic_flow
from ._dense_momentum import DenseGaussianMomentum as DenseGaussianMomentum
from ._field import field_flow as field_flow
from ._field_momentum import FieldMomentum as FieldMomentum
from ._flow_posterior import FlowPosterior as FlowPosterior
from ._hamiltonian import HamiltonianFlow as HamiltonianFlow
from ._importance import ImportanceSample as ImportanceSample
from ._importance import importance_sample as importance_sample
from ._interpret import PotentialComparison as PotentialComparison
from ._interpret import compare_potential as compare_potential
from ._low_rank_momentum import LowRankGaussianMomentum as LowRankGaussianMomentum
from ._momentum import GaussianMomentum as GaussianMomentum
from ._pareto import pareto_smooth as pareto_smooth
from ._save import load_flow as load_flow
from ._save import save_flow as save_flow
from ._spectral_scale import SpectralScale as SpectralScale
from ._tails import SinhTails as SinhTails
from ._transport import neural_transport as neural_transport
