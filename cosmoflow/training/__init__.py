"""Training of flows and generative models: losses and the loop that minimises them."""

from ._adapt import AdaptiveHistory as AdaptiveHistory
from ._adapt import fit_adaptively as fit_adaptively
from ._alpha_divergence import AlphaDivergence as AlphaDivergence
from ._fit import FitHistory as FitHistory
from ._fit import default_optimizer as default_optimizer
from ._fit import fit as fit
from ._losses import AbstractLoss as AbstractLoss
from ._losses import NegativeELBO as NegativeELBO
from ._losses import ReverseKL as ReverseKL
from ._matching import Matching as Matching
