"""Hamiltonian mechanics: potentials, kinetic energies, integrators, and the maps they make."""

from ._dense_kinetic import DenseKinetic as DenseKinetic
from ._hamiltonian import Hamiltonian as Hamiltonian
from ._harmonic import HarmonicSplitting as HarmonicSplitting
from ._integrator import AbstractIntegrator as AbstractIntegrator
from ._integrator import PhaseState as PhaseState
from ._isokinetic import IsokineticKinetic as IsokineticKinetic
from ._kinetic import AbstractKinetic as AbstractKinetic
from ._kinetic import GaussianKinetic as GaussianKinetic
from ._network import zero_start_mlp as zero_start_mlp
from ._neural_kinetic import NeuralKinetic as NeuralKinetic
from ._potential import AbstractPotential as AbstractPotential
from ._potential import NeuralPotential as NeuralPotential
from ._potential import SumPotential as SumPotential
from ._potential import TargetPotential as TargetPotential
from ._splitting import AbstractSplitting as AbstractSplitting
from ._splitting import BlanesMoan as BlanesMoan
from ._splitting import Leapfrog as Leapfrog
from ._splitting import MinimalNorm as MinimalNorm
from ._splitting import Yoshida as Yoshida
from ._splitting import quarter_turn_step as quarter_turn_step
from ._symplectic_map import SymplecticMap as SymplecticMap
from ._symplectic_map import with_num_steps as with_num_steps
from ._symplectic_map import with_reversible as with_reversible
