"""Published measurements: readers that return frozen arrays."""

from ._bao import QUANTITIES as QUANTITIES
from ._bao import BAOData as BAOData
from ._bao import desi_dr2_bao as desi_dr2_bao
from ._catalogue import DataFile as DataFile
from ._catalogue import DataSet as DataSet
from ._catalogue import catalogue as catalogue
from ._catalogue import data_path as data_path
from ._catalogue import fetch_folder as fetch_folder
from ._catalogue import find as find
from ._fetch import FetchError as FetchError
from ._fetch import fetch as fetch
from ._location import DataError as DataError
from ._location import data_folder as data_folder
from ._location import locate as locate
from ._own import Measurements as Measurements
from ._own import read_covariance as read_covariance
from ._own import read_measurements as read_measurements
from ._supernovae import SupernovaData as SupernovaData
from ._supernovae import union3 as union3
