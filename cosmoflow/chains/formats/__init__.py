"""Chains of other programs: one file per format, and the two functions that choose among them."""

from ._export import export_chain as export_chain
from ._import import import_chain as import_chain
