"""The public face; the names are resolved when they are first used."""

from . import adapters as adapters
from . import cosmology as cosmology
from . import datasets as datasets
from . import diagnostics as diagnostics
from . import dynamics as dynamics
from . import fitting as fitting
from . import flows as flows
from . import generative as generative
from . import likelihoods as likelihoods
from . import plotting as plotting
from . import samplers as samplers
from . import targets as targets
from . import training as training
from ._merge import merge as merge
from ._record import Keep as Keep
from ._record import Record as Record
from ._results import CosmoflowError as CosmoflowError
from ._results import Status as Status
from ._sample import sample as sample
from .chains import Chain as Chain
from .chains import ChainStore as ChainStore
from .chains import export_chain as export_chain
from .chains import import_chain as import_chain
from .cosmology import Cosmology as Cosmology
from .diagnostics import summarize as summarize
from .flows import fixed_kinetic_flow as fixed_kinetic_flow
from .flows import importance_sample as importance_sample
from .flows import neural_transport as neural_transport
from .plotting import corner as corner
from .targets import CallableTarget as CallableTarget
from .targets import LogNormal as LogNormal
from .targets import Normal as Normal
from .targets import Posterior as Posterior
from .targets import Prior as Prior
from .targets import Pullback as Pullback
from .targets import TruncatedNormal as TruncatedNormal
from .targets import Uniform as Uniform
from .targets import UniformPolygon as UniformPolygon
from .training import NegativeELBO as NegativeELBO
from .training import ReverseKL as ReverseKL
from .training import fit as fit
from .warmup import warmup as warmup
from .warmup import whiten as whiten

__version__: str
