"""Figures of chains and flows; matplotlib and GetDist are imported on the first plot."""

from ._corner import corner as corner
from ._fields import field_coherence as field_coherence
from ._fields import field_maps as field_maps
from ._fields import field_modes as field_modes
from ._fields import field_power as field_power
from ._fields import plot_fields as plot_fields
from ._portrait import phase_portrait as phase_portrait
