"""Tuning before a run: coordinates, step size, starting points."""

from ._affine import Affine as Affine
from ._precondition import laplace as laplace
from ._precondition import whiten as whiten
from ._warmup import warmup as warmup
