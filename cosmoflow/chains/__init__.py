"""Chains in memory and on disk: immutable segments while a run lasts, one InferenceData file when it is done."""

from ._chain import Chain as Chain
from ._check import Soundness as Soundness
from ._check import check as check
from ._digest import digest as digest
from ._join import join as join
from ._join import side_by_side as side_by_side
from ._layout import POSTERIOR as POSTERIOR
from ._layout import SAMPLE_STATS as SAMPLE_STATS
from ._layout import draw_numbers as draw_numbers
from ._layout import thinned_group as thinned_group
from ._leaves import arrays_to_tree as arrays_to_tree
from ._leaves import tree_to_arrays as tree_to_arrays
from ._origin import Origin as Origin
from ._origin import origin as origin
from ._parts import CHAINS as CHAINS
from ._parts import arrange_parts as arrange_parts
from ._parts import inherit as inherit
from ._parts import part_path as part_path
from ._parts import parts_of as parts_of
from ._parts import remove_parts as remove_parts
from ._parts import tasks as tasks
from ._repair import repair as repair
from ._segments import Block as Block
from ._store import ChainStore as ChainStore
from .formats import export_chain as export_chain
from .formats import import_chain as import_chain
