"""Theory: pure functions of a `Cosmology`."""

from ._background import angular_diameter_distance as angular_diameter_distance
from ._background import comoving_distance as comoving_distance
from ._background import distance_modulus as distance_modulus
from ._background import hubble_distance as hubble_distance
from ._background import hubble_rate as hubble_rate
from ._background import hubble_squared as hubble_squared
from ._background import luminosity_distance as luminosity_distance
from ._background import transverse_comoving_distance as transverse_comoving_distance
from ._background import volume_averaged_distance as volume_averaged_distance
from ._cmb_spectra import AbstractCMBSpectra as AbstractCMBSpectra
from ._cosmopower import CosmoPowerCMB as CosmoPowerCMB
from ._jax_cosmo import to_jax_cosmo as to_jax_cosmo
from ._parameters import LABELS as LABELS
from ._parameters import T_CMB as T_CMB
from ._parameters import Cosmology as Cosmology
from ._sound_horizon import sound_horizon as sound_horizon
