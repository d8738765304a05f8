"""Numbers as aligned text, no more of them than are known."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._summary import Row

_HEADER = ("", "mean", "sd", "5%", "16%", "50%", "84%", "95%", "ESS bulk", "ESS tail", "R-hat", "MCSE")


def table(*blocks: "Sequence[Row]") -> list[str]:
    """The lines of a table of rows, with a rule above each block."""
    cells = [[_cells(row) for row in block] for block in blocks if block]
    every = [_HEADER, *(row for block in cells for row in block)]
    widths = [max(len(row[column]) for row in every) for column in range(len(_HEADER))]
    lines = [_line(_HEADER, widths)]
    for block in cells:
        lines += ["-" * len(lines[0]), *(_line(row, widths) for row in block)]
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.ljust(width) if not i else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *rest])


def _cells(row: "Row") -> tuple[str, ...]:
    known = row.convergence
    numbers = (row.mean, row.sd, row.q05, row.q16, row.q50, row.q84, row.q95)
    return (
        row.name,
        *(rounded(number, row.sd) for number in numbers),
        f"{known.ess_bulk:.0f}",
        f"{known.ess_tail:.0f}",
        f"{known.rhat:.3f}",
        f"{known.mcse_mean:.1g}",
    )


def rounded(number: float, scale: float) -> str:
    """The number to three significant digits of its spread."""
    if not (math.isfinite(number) and math.isfinite(scale) and scale > 0):
        return f"{number:.4g}"
    decimals = 2 - math.floor(math.log10(scale))
    if decimals > 8 or abs(number) >= 1e7:
        significant = max(decimals + (math.floor(math.log10(abs(number))) if number else 0), 2)
        return f"{number:.{min(significant, 15)}e}"
    return f"{number:z.{max(decimals, 0)}f}"
