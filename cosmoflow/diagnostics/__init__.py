"""What the draws are worth and what they cost."""

from ._convergence import Convergence as Convergence
from ._convergence import convergence as convergence
from ._convergence import nested_rhat as nested_rhat
from ._cost import Cost as Cost
from ._cost import cost as cost
from ._cost import gradient_cost as gradient_cost
from ._criterion import Converged as Converged
from ._criterion import next_check as next_check
from ._evidence import TemperedEvidence as TemperedEvidence
from ._evidence import stepping_stone as stepping_stone
from ._fields import FieldBin as FieldBin
from ._fields import FieldsSummary as FieldsSummary
from ._fields import is_field as is_field
from ._fields import observed_field as observed_field
from ._fields import pooled_moments as pooled_moments
from ._fields import summarize_fields as summarize_fields
from ._monitor import Monitor as Monitor
from ._summary import Row as Row
from ._summary import Summary as Summary
from ._summary import summarize as summarize
from ._symptom import frozen_chains as frozen_chains
from ._symptom import symptom as symptom
