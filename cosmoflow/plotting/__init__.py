"""Figures of chains and flows; matplotlib and GetDist are imported on the first plot."""

from ._corner import corner as corner
from ._portrait import phase_portrait as phase_portrait
