"""The figures of a chain."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..chains import Chain
from ..diagnostics import is_field
from ._varying import varying

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figures(chain: Chain, path: Path, parameters: Sequence[str] | None = None) -> dict[str, Path]:
    """Draw the corner plot and, of a field, its maps, power, coherence and modes.

    Args:
        chain: What is drawn.
        path: Of the corner plot, `run.png`; the others stand beside it, `run_maps.png`.
        parameters: Those of the corner plot; all that vary if None.

    Returns:
        Where each figure is, by name.

    Raises:
        ImportError: matplotlib or GetDist is not installed.
        ValueError: There is no such parameter, or too few draws.
    """
    from ..plotting import corner, plot_fields

    paths = {}

    def save(name: str, figure: "Figure", to: Path) -> None:
        figure.savefig(to, dpi=150, bbox_inches="tight")
        paths[name] = to

    if is_field(chain):
        for name, figure in plot_fields(chain).items():
            save(name, figure, path.with_stem(f"{path.stem}_{name}"))
    if (shown := parameters or varying(chain)) or not paths:
        save("corner plot", corner(chain, shown), path)
    return paths
