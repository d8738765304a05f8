"""Published measurements: readers that return frozen arrays."""

from ._bao import BAOData as BAOData
from ._bao import desi_dr2_bao as desi_dr2_bao
from ._des_dovekie import des_dovekie as des_dovekie
from ._location import DataError as DataError
from ._location import data_folder as data_folder
from ._location import locate as locate
from ._pantheon_plus import pantheon_plus as pantheon_plus
from ._supernovae import SupernovaData as SupernovaData
from ._supernovae import union3 as union3
