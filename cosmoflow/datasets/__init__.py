"""Published measurements: readers that return frozen arrays."""

from ._bao import BAOData as BAOData
from ._bao import desi_dr1_bao as desi_dr1_bao
from ._bao import desi_dr2_bao as desi_dr2_bao
from ._bao import sdss_dr12_lrg_bao as sdss_dr12_lrg_bao
from ._bao import sdss_dr16_lrg_bao as sdss_dr16_lrg_bao
from ._bao import sdss_dr16_lrg_full_shape as sdss_dr16_lrg_full_shape
from ._bao import sdss_dr16_qso_bao as sdss_dr16_qso_bao
from ._bao import sdss_dr16_qso_full_shape as sdss_dr16_qso_full_shape
from ._chronometers import ChronometerData as ChronometerData
from ._chronometers import cosmic_chronometers as cosmic_chronometers
from ._compressed_cmb import CompressedCMBData as CompressedCMBData
from ._compressed_cmb import desi_compressed_cmb as desi_compressed_cmb
from ._compressed_cmb import planck2018_distance_priors as planck2018_distance_priors
from ._growth import GrowthData as GrowthData
from ._growth import fsigma8_gold2018 as fsigma8_gold2018
from ._location import DataError as DataError
from ._location import data_folder as data_folder
from ._location import locate as locate
from ._measurement import Measurement as Measurement
from ._measurement import bbn_schoeneberg2024 as bbn_schoeneberg2024
from ._measurement import h0_shoes2022 as h0_shoes2022
from ._supernovae import SupernovaData as SupernovaData
from ._supernovae import union3 as union3
