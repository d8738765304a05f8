"""Bridges to other packages, which are imported when a function is called."""

from ._from_cobaya import CobayaLikelihood as CobayaLikelihood
from ._from_cobaya import from_cobaya as from_cobaya
from ._numpyro import NumPyroTarget as NumPyroTarget
from ._numpyro import from_numpyro as from_numpyro
from ._plain import PlainLikelihood as PlainLikelihood
from ._plain import plain as plain
from ._to_cobaya import to_cobaya as to_cobaya
from ._to_cosmosis import to_cosmosis as to_cosmosis
