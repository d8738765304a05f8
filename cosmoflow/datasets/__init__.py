"""Published measurements: readers that return frozen arrays."""

from ._bao import BAOData as BAOData
from ._bao import desi_dr2_bao as desi_dr2_bao
from ._location import DataError as DataError
from ._location import data_folder as data_folder
from ._location import locate as locate
from ._planck_lite import PlanckLiteData as PlanckLiteData
from ._planck_lite import planck2018_lite as planck2018_lite
from ._supernovae import SupernovaData as SupernovaData
from ._supernovae import union3 as union3
