"""The figures of a chain."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..chains import Chain
from ..diagnostics import is_field, varying
from ..report import Subject, data_figures

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CORNER, FIELDS = "corner", "fields"


def save_figures(chain: Chain, path: Path, parameters: Sequence[str] | None = None) -> dict[str, Path]:
    """Draw the corner plot and, of a field, its maps, power, coherence and modes.

    Args:
        chain: What is drawn.
        path: Of the corner plot, `run.png`; the others stand beside it, `run_maps.png`.
        parameters: Those of the corner plot; those of a report if None.

    Returns:
        Where each figure is, by name.

    Raises:
        ImportError: matplotlib or GetDist is not installed.
        ValueError: There is no such parameter, or too few draws.
    """
    subject, paths = Subject(path, chain, {}, parameters), {}
    if is_field(chain):
        paths |= save_kind(FIELDS, subject, path)
    if parameters or varying(chain) or not paths:
        paths |= save_kind(CORNER, subject, path)
    return paths


def save_kind(kind: str, subject: Subject, path: Path) -> dict[str, Path]:
    """Draw the figures of one kind.

    Args:
        kind: One of `KINDS`.
        subject: The run.
        path: Of the corner plot, `run.png`; all others stand beside it, `run_trace.png`.

    Returns:
        Where each figure is, by name.

    Raises:
        ImportError: matplotlib or GetDist is not installed.
        ValueError: There is no such kind or parameter, or nothing to draw.
    """
    if kind not in KINDS:
        raise ValueError(f"There are no figures of the kind {kind!r}; choose one of {', '.join(KINDS)}.")
    paths = {}
    for name, figure in KINDS[kind](subject).items():
        to = path if kind == CORNER else path.with_stem(f"{path.stem}_{name.replace(' ', '_')}")
        figure.savefig(to, dpi=150, bbox_inches="tight")
        paths[name] = to
    return paths


def _corner(subject: Subject) -> "dict[str, Figure]":
    from ..plotting import corner

    return {"corner plot": corner(subject.chain, subject.shown)}


def _trace(subject: Subject) -> "dict[str, Figure]":
    from ..plotting import trace

    return {"trace": trace(subject.chain, subject.shown)}


def _rank(subject: Subject) -> "dict[str, Figure]":
    from ..plotting import rank

    return {"rank": rank(subject.chain, subject.shown)}


def _fields(subject: Subject) -> "dict[str, Figure]":
    from ..plotting import plot_fields

    return plot_fields(subject.chain)


def _data(subject: Subject) -> "dict[str, Figure]":
    if isinstance(subject.likelihood, str):
        raise ValueError(subject.likelihood)
    if not (figures := data_figures(subject)):
        raise ValueError("None of the data of this run are drawn against redshift, angle or multipole.")
    return figures


KINDS: "dict[str, Callable[[Subject], dict[str, Figure]]]" = {
    CORNER: _corner,
    "trace": _trace,
    "rank": _rank,
    "data": _data,
    FIELDS: _fields,
}
"""What draws the figures of each kind."""
