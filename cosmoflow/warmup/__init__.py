"""Tuning before a run: coordinates, the choice of a sampler and its tuning, starting points."""

from ..targets import Affine as Affine
from ._kept import STAGE as STAGE
from ._kept import Warmed as Warmed
from ._laplace import laplace as laplace
from ._low_rank import LowRank as LowRank
from ._step_bias import StepBias as StepBias
from ._step_bias import step_bias as step_bias
from ._triangular import Triangular as Triangular
from ._warmup import warmup as warmup
from ._whiten import whiten as whiten
