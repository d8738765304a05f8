"""Whether draws have the law that they should have."""

import numpy as np
from samplers.conformance.targets import energies, gradients
from scipy import stats

SIGMAS = 5.0
"""For some hundred statistics of all samplers together, a false alarm once in ten thousand runs."""

LEAST_P = 1e-6


def z_scores(target, draws):
    """Of the means of x_i, x_i^2, x_i d_i U and d_i U over independent chains, shape (chain, draw, dim).

    The target knows its moments, E[x_i d_i U] is one and E[d_i U] zero.
    """
    gradient = np.asarray(gradients(target, draws))
    mean = np.asarray(target.mean())
    scores = {
        "x": z(draws, mean),
        "x^2": z(draws**2, np.asarray(target.variance()) + mean**2),
        "x . grad U": z(draws * gradient, 1.0),
        "grad U": z(gradient, 0.0),
    }
    return {f"{name}[{i}]": score for name, several in scores.items() for i, score in enumerate(several)}


def z(values, expected):
    """(mean - expected) / standard error, from chains that know nothing of one another, shape (chain, draw, dim)."""
    means = values.mean(axis=1)
    return (means.mean(axis=0) - expected) / (means.std(axis=0, ddof=1) / np.sqrt(len(means)))


def p_values(target, last, fresh):
    """Kolmogorov and Smirnov's of x_i, x_i^2 and U, of draws and of exact draws, shape (chain, dim)."""
    columns = {"U": lambda x: energies(target, x)}
    for i in range(target.dim):
        columns |= {f"x[{i}]": lambda x, i=i: x[:, i], f"x[{i}]^2": lambda x, i=i: x[:, i] ** 2}
    return {name: stats.ks_2samp(column(last), column(fresh)).pvalue for name, column in columns.items()}


def surprises(target, draws, fresh):
    """All that is improbable, by name: the draws have the law of the target where nothing is."""
    scores, chances = z_scores(target, draws), p_values(target, draws[:, -1], fresh)
    found = {name: f"{score:.1f} standard errors" for name, score in scores.items() if not abs(score) < SIGMAS}
    return found | {name: f"p = {p:.1g}" for name, p in chances.items() if not p > LEAST_P}
