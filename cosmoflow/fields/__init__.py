"""Random fields on periodic grids: forward models from white noise to what is observed."""

from ._convergence_power import ConvergencePower as ConvergencePower
from ._gaussian import GaussianField as GaussianField
from ._grid import AbstractGrid as AbstractGrid
from ._grid import Grid as Grid
from ._lagrangian import LagrangianField as LagrangianField
from ._latents import AbstractLatents as AbstractLatents
from ._latents import ConfigurationLatents as ConfigurationLatents
from ._latents import FourierLatents as FourierLatents
from ._log_normal import LogNormalField as LogNormalField
from ._memory import check_memory as check_memory
from ._memory import memory_available as memory_available
from ._memory import memory_needed as memory_needed
from ._model import AbstractFieldModel as AbstractFieldModel
from ._particle_mesh import ParticleMeshField as ParticleMeshField
from ._power import AbstractPower as AbstractPower
from ._power import InterpolatedMatterPower as InterpolatedMatterPower
from ._power import LinearMatterPower as LinearMatterPower
from ._power import TabulatedPower as TabulatedPower
from ._slab import SlabGrid as SlabGrid
from ._slab import check_one_process as check_one_process
from ._slab import grid_over_processes as grid_over_processes
from ._slab import in_slabs as in_slabs
from ._spectra import WavenumberBins as WavenumberBins
from ._summary import FieldSummary as FieldSummary
