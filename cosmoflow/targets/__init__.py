"""What is sampled: priors, posteriors, changes of coordinates, and densities to try samplers on."""

from ._affine import Affine as Affine
from ._analytic import AbstractAnalyticTarget as AbstractAnalyticTarget
from ._analytic import Banana as Banana
from ._analytic import CorrelatedGaussian as CorrelatedGaussian
from ._analytic import Funnel as Funnel
from ._analytic import GaussianMixture as GaussianMixture
from ._analytic import Skewed as Skewed
from ._analytic import StudentT as StudentT
from ._augmented import Augmented as Augmented
from ._base import AbstractTarget as AbstractTarget
from ._callable import CallableTarget as CallableTarget
from ._diagnose import explain_non_finite as explain_non_finite
from ._marginals import AbstractTransport as AbstractTransport
from ._marginals import Delta as Delta
from ._marginals import LogNormal as LogNormal
from ._marginals import Normal as Normal
from ._marginals import TruncatedNormal as TruncatedNormal
from ._marginals import Uniform as Uniform
from ._polygon import UniformPolygon as UniformPolygon
from ._posterior import Posterior as Posterior
from ._prior import Prior as Prior
from ._pullback import Pullback as Pullback
from ._tempered import Tempered as Tempered
from ._tempered import log_standard_normal as log_standard_normal
