"""Where the published measurements lie."""

from pathlib import Path

from .._results import CosmoflowError


class DataError(CosmoflowError):
    """A data set is missing or damaged."""


def data_folder() -> Path:
    """The folder of the data sets: inside an installed package, beside it in a source tree.

    Raises:
        DataError: If neither exists.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "data", package.parent / "data"):
        if folder.is_dir():
            return folder
    raise DataError(f"The data folder of {package} is missing; install cosmoflow again.")


def locate(name: str) -> Path:
    """The folder of one data set.

    Args:
        name: Name of the set, such as `desi_dr2_bao`.

    Raises:
        DataError: If there is no such set.
    """
    folder = data_folder() / name
    if not folder.is_dir():
        known = ", ".join(sorted(entry.name for entry in data_folder().iterdir() if entry.is_dir()))
        raise DataError(f"There is no data set {name!r}; the sets are {known}.")
    return folder
