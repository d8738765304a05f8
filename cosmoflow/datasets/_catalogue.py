"""What data there are: the sets that are shipped, and those that are fetched from where they were published."""

import hashlib
import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import quote

from ._location import DataError, data_folder

_GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class DataFile:
    """One file of a set.

    Args:
        name: Its name in the folder of the set.
        sha256: Its checksum, 64 hexadecimal digits.
        size: Its size [bytes].
        path: Where it is below the address of the set; empty for what is shipped.
    """

    name: str
    sha256: str
    size: int
    path: str = ""


@dataclass(frozen=True)
class DataSet:
    """A data set, shipped or fetched.

    Args:
        name: Its name, which is that of its folder.
        title: What it is.
        source: Where it is published.
        files: Its files.
        address: Where the files are fetched from; empty for what is shipped.
    """

    name: str
    title: str
    source: str
    files: tuple[DataFile, ...]
    address: str = ""

    @property
    def shipped(self) -> bool:
        """Whether it is part of the package."""
        return not self.address

    @property
    def folder(self) -> Path:
        """Where its files are, or will be."""
        return (data_folder() if self.shipped else fetch_folder()) / self.name

    @property
    def size(self) -> int:
        """Of all its files together [bytes]."""
        return sum(file.size for file in self.files)

    @property
    def missing(self) -> tuple[DataFile, ...]:
        """The files that are not there."""
        return tuple(file for file in self.files if not (self.folder / file.name).is_file())

    @property
    def damaged(self) -> tuple[DataFile, ...]:
        """The files that are there and differ from their checksum."""
        there = (file for file in self.files if file not in self.missing)
        return tuple(file for file in there if sha256(self.folder / file.name) != file.sha256)

    def url(self, file: DataFile) -> str:
        """The address of one file."""
        return f"{self.address}/{quote(file.path or file.name)}"


FETCHED = (
    DataSet(
        "des_dovekie",
        "DES five-year type Ia supernovae, recalibrated (DES-Dovekie)",
        "github.com/des-science/DES-SN5YR, arXiv:2511.07517",
        (
            DataFile("DES-Dovekie_HD.csv", "2f57019d783eaa976df80a41b0054171a2d994ee9808d715ce850c2df5720aaf", 148002),
            DataFile("STAT+SYS.npz", "ffd3124b32148b1372bd95fda9299269f0352a9f8eee02d416c610e38495463b", 6244951),
        ),
        f"{_GITHUB}/des-science/DES-SN5YR/c9a4fcafc4cbd19bd750dee47fc76194a45c181f/4_DISTANCES_COVMAT",
    ),
    DataSet(
        "des_y1_3x2pt",
        "DES Y1 cosmic shear, galaxy-galaxy lensing and clustering",
        "github.com/LSSTDESC/firecrown, arXiv:1708.01530",
        (
            DataFile(
                "des_y1_3x2pt_sacc.hdf5",
                "b6d82fda8fa9a1a324bbc3d9421ec61f38c56736c05e682900f0e6d4938dd219",
                1653099,
                "tests/sacc_data.hdf5",
            ),
        ),
        f"{_GITHUB}/LSSTDESC/firecrown/7fd75449136a127aa4fbc35184c374edfd37db16",
    ),
    DataSet(
        "pantheon_plus",
        "Pantheon+ and SH0ES type Ia supernovae",
        "github.com/PantheonPlusSH0ES/DataRelease, arXiv:2202.04077",
        (
            DataFile("Pantheon+SH0ES.dat", "1cb0fc379ef066afdc2ffd1857681cc478024570d8a3eba284fb645775198cf8", 579283),
            DataFile(
                "Pantheon+SH0ES_STAT+SYS.cov",
                "abf806d966485e64afdb359c87bffc0ecc00d05eff0a31ced66f247385df0fdc",
                33284960,
            ),
        ),
        f"{_GITHUB}/PantheonPlusSH0ES/DataRelease/c447f0fea703fcd0fff57de5000947b5ca81286b/"
        + quote("Pantheon+_Data/4_DISTANCES_AND_COVAR"),
    ),
    DataSet(
        "planck2018_lite",
        "Planck 2018 high-l TT, TE and EE, foregrounds marginalised (plik_lite)",
        "github.com/heatherprince/planck-lite-py, arXiv:1907.12875",
        (
            DataFile("blmax.dat", "c28ade0fa5270c7e87ba07bdcb68aef8783b132b352bfaa36c04d17694ab4014", 16125),
            DataFile("blmin.dat", "325b351cbf8f694556bb13e98f285344e8d66811bb8eef18bcdcf1626518719d", 16125),
            DataFile("bweight.dat", "8afcbd8bad769e2de96bacd80177e6543f96b2b406e6c2da1fd0d26718c9e415", 185925),
            DataFile(
                "c_matrix_plik_v22.dat", "ad90378c50bd67841764179c90ae6711fa4317c649966ab2b0712143b31e0a32", 3006160
            ),
            DataFile("cl_cmb_plik_v22.dat", "dac0d9d493213e77c940a10a968cf0da3c5730bae60e1356c4cd8bcff96377ff", 37393),
        ),
        f"{_GITHUB}/heatherprince/planck-lite-py/2c0d0f67e59ce781654cf62dd7fb10757b0e60be/data/planck2018_plik_lite",
    ),
)
"""The sets that are too large to be shipped, each at one commit of the repository that publishes it."""


def catalogue() -> dict[str, DataSet]:
    """All data sets by name: the shipped ones, then those that are fetched."""
    shipped = (_shipped(path.parent) for path in sorted(data_folder().glob("*/SHA256SUMS")))
    return {dataset.name: dataset for dataset in (*shipped, *FETCHED)}


def find(name: str) -> DataSet:
    """The data set of this name.

    Raises:
        DataError: If there is none.
    """
    known = catalogue()
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"the nearest known is {close[0]!r}" if close else f"the sets are {', '.join(known)}"
        raise DataError(f"There is no data set {name!r}; {hint}.")
    return known[name]


def data_path(name: str) -> Path:
    """The folder of a data set, shipped or fetched.

    Raises:
        DataError: If there is no such set, or it was not fetched.
    """
    dataset = find(name)
    if dataset.missing == dataset.files:
        raise DataError(
            f"The data set {name} is not here; fetch it with `cosmoflow data fetch {name}` or name its folder."
        )
    return dataset.folder


def fetch_folder() -> Path:
    """Where fetched sets are: the folder COSMOFLOW_DATA or, unless it is set, the user's folder of data."""
    if named := os.environ.get("COSMOFLOW_DATA"):
        return Path(named)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cosmoflow"


def sha256(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shipped(folder: Path) -> DataSet:
    """What the README and the checksums of a folder say."""
    readme = (folder / "README.md").read_text(encoding="utf-8")
    title = readme.partition("\n")[0].lstrip("# ")
    citation = re.search(r"arXiv:[\w./-]*\w", readme.partition("**Citation.**")[2])
    lines = (line.split(maxsplit=1) for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = tuple(
        DataFile(name, digest, path.stat().st_size if (path := folder / name).is_file() else 0)
        for digest, name in lines
    )
    return DataSet(folder.name, title, "" if citation is None else citation.group(), files)
