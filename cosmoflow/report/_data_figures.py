"""Figures of the data beside what the posterior predicts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import datasets
from ..datasets import SupernovaData, TwoPointData
from ..likelihoods import BAO, JointLikelihood, PlanckLite, Supernovae, TwoPoint
from ..plotting import cmb_spectra, distance_residuals, magnitude_residuals, two_point
from ._subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def data_figures(subject: Subject, *, width: float = 7.0) -> "dict[str, Figure]":
    """A figure of each data set that is drawn against redshift, angle or multipole, by name; empty if none is.

    Args:
        subject: the run.
        width: of each figure [inch].

    Raises:
        ImportError: matplotlib is not installed.
    """
    found: dict[str, Figure] = {}
    if not isinstance(subject.likelihood, JointLikelihood):
        return found
    for name, member in zip(subject.likelihood.names, subject.likelihood.members, strict=True):
        table = subject.tables["likelihood"][name]
        match member:
            case BAO():
                found[name] = distance_residuals(member, subject.chain, width=width)
            case Supernovae():
                found[name] = magnitude_residuals(member, _supernovae(subject, name, table), subject.chain, width=width)
            case PlanckLite():
                data = datasets.planck2018_lite(spectra=table["spectra"])
                found[name] = cmb_spectra(member, data, subject.chain, width=width)
            case TwoPoint():
                figures = two_point(member, _correlations(subject, table), subject.chain, width=width)
                found |= {f"{name} {kind}": figure for kind, figure in figures.items()}
    return found


def _folder(subject: Subject) -> Path:
    return Path(str(subject.chain.attributes["configuration_file"])).parent


def _supernovae(subject: Subject, name: str, table: dict[str, Any]) -> SupernovaData:
    if "values" not in table:
        return getattr(datasets, name)()
    folder = _folder(subject)
    covariance = folder / table["covariance"] if "covariance" in table else None
    own = datasets.read_measurements(folder / table["values"], covariance)
    return SupernovaData(own.redshift, own.value, own.covariance)


def _correlations(subject: Subject, table: dict[str, Any]) -> TwoPointData:
    """The rows that were fitted."""
    if "sacc" in table:
        data = datasets.read_sacc(_folder(subject) / table["sacc"])
    elif "two_point_fits" in table:
        data = datasets.read_two_point_fits(_folder(subject) / table["two_point_fits"])
    else:
        data = datasets.des_y1_3x2pt()
    chosen = data.only(*table["statistics"]) if "statistics" in table else data
    return chosen.between({pair: tuple(ends) for pair, ends in table["scale_cuts"].items()})
