"""Learned potential energies."""

from ._additive import AdditivePotential as AdditivePotential
from ._bounded import BoundedPotential as BoundedPotential
from ._convex import ConvexPotential as ConvexPotential
from ._convolutional import ConvolutionalPotential as ConvolutionalPotential
from ._deep_set import DeepSetPotential as DeepSetPotential
from ._extended import ConditionalPotential as ConditionalPotential
from ._extended import TimeDependentPotential as TimeDependentPotential
from ._mixture import MixturePotential as MixturePotential
from ._mixture import RadialPotential as RadialPotential
from ._neural import NeuralPotential as NeuralPotential
from ._residual import ResidualPotential as ResidualPotential
from ._spectral import SpectralPotential as SpectralPotential
