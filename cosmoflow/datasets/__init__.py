"""Published measurements: readers that return frozen arrays."""

from ._bao import BAOData as BAOData
from ._bao import desi_dr2_bao as desi_dr2_bao
from ._location import DataError as DataError
from ._location import data_folder as data_folder
from ._location import locate as locate
from ._sacc import des_y1_3x2pt as des_y1_3x2pt
from ._sacc import read_sacc as read_sacc
from ._planck_lite import PlanckLiteData as PlanckLiteData
from ._planck_lite import planck2018_lite as planck2018_lite
from ._supernovae import SupernovaData as SupernovaData
from ._supernovae import union3 as union3
from ._two_point import CORRELATIONS as CORRELATIONS
from ._two_point import SPECTRA as SPECTRA
from ._two_point import RedshiftDistribution as RedshiftDistribution
from ._two_point import TwoPointData as TwoPointData
