import numpy as np

from cosmoflow.cosmology import cardinal_functions, chebyshev_nodes


def test_cardinal_functions_pick_their_node():
    nodes = chebyshev_nodes(0.5, 1.0, 12)
    assert nodes.max() < 1.0 and nodes.min() > 0.5
    np.testing.assert_allclose(cardinal_functions(nodes, 0.5, 1.0, 12), np.eye(12), atol=1e-14)


def test_polynomials_below_the_number_of_nodes_are_exact():
    x, nodes = np.linspace(-1.0, 3.0, 50), chebyshev_nodes(-1.0, 3.0, 6)
    polynomial = np.polynomial.Polynomial([1.0, -2.0, 0.5, 3.0, -1.0, 0.25])
    np.testing.assert_allclose(cardinal_functions(x, -1.0, 3.0, 6) @ polynomial(nodes), polynomial(x), atol=1e-11)
