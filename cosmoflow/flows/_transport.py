"""Neural transport: a target in the coordinates of a flow trained on it."""

from ..dynamics import with_reversible
from ..targets import AbstractTarget, Augmented, Pullback
from ._hamiltonian import HamiltonianFlow


def neural_transport(target: AbstractTarget, flow: HamiltonianFlow) -> Pullback:
    """pi(q) f(p | q) pulled back through the flow's map: close to the flow's base where the flow is well trained.

    Args:
        target: Density of the positions, dimension d.
        flow: A flow on the phase space of the target's coordinates.

    Returns:
        A target of dimension 2 d, whose draws stand for the named parameters of the given one.

    References:
        Hoffman et al. 2019, arXiv:1903.03704.
    """
    return Pullback(Augmented(target, flow.momentum), with_reversible(flow.bijection, False))
