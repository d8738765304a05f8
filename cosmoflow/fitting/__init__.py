"""Best fits, what they are worth, and surrogates around them, for Gaussian data."""

from ._best_fit import BestFit as BestFit
from ._best_fit import best_fit as best_fit
from ._best_fit import maximum_posterior as maximum_posterior
from ._fisher import Fisher as Fisher
from ._fisher import fisher as fisher
from ._goodness import Goodness as Goodness
from ._goodness import goodness_of_fit as goodness_of_fit
from ._levenberg_marquardt import FitStatus as FitStatus
from ._surrogate import SurrogateError as SurrogateError
from ._surrogate import TaylorSurrogate as TaylorSurrogate
from ._surrogate import surrogate_error as surrogate_error
from ._surrogate import taylor_surrogate as taylor_surrogate
from ._whitening import laplace_whitening as laplace_whitening
