"""Piecewise deterministic Markov processes."""

from ._base import AbstractPDMP as AbstractPDMP
from ._base import PDMPInfo as PDMPInfo
from ._base import PDMPState as PDMPState
from ._event_time import AbstractRateBound as AbstractRateBound
from ._event_time import ChordBound as ChordBound
from ._zig_zag import ZigZag as ZigZag
