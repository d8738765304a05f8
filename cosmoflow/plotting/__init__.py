"""Figures of chains, data and flows; matplotlib and GetDist are imported on the first plot."""

from ._cmb_spectra import cmb_spectra as cmb_spectra
from ._corner import corner as corner
from ._distances import distance_residuals as distance_residuals
from ._fields import field_coherence as field_coherence
from ._fields import field_maps as field_maps
from ._fields import field_modes as field_modes
from ._fields import field_power as field_power
from ._fields import plot_fields as plot_fields
from ._magnitudes import magnitude_residuals as magnitude_residuals
from ._paths import paths as paths
from ._portrait import phase_portrait as phase_portrait
from ._rank import rank as rank
from ._ratios import ratios as ratios
from ._style import STYLE as STYLE
from ._trace import trace as trace
from ._two_point import two_point as two_point
