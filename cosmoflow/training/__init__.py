"""Training of flows: losses and the loop that minimises them."""

from ._fit import FitHistory as FitHistory
from ._fit import default_optimizer as default_optimizer
from ._fit import fit as fit
from ._losses import AbstractLoss as AbstractLoss
from ._losses import NegativeELBO as NegativeELBO
from ._losses import ReverseKL as ReverseKL
