"""Chains in memory and on disk: immutable segments while a run lasts, one InferenceData file when it is done."""

from ._chain import Chain as Chain
from ._digest import digest as digest
from ._leaves import arrays_to_tree as arrays_to_tree
from ._leaves import tree_to_arrays as tree_to_arrays
from ._store import ChainStore as ChainStore
from .formats import export_chain as export_chain
from .formats import import_chain as import_chain
