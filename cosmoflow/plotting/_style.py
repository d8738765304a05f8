"""How figures look."""

from typing import Any

STYLE: dict[Any, str] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "xtick.direction": "in",
    "ytick.direction": "in",
}
