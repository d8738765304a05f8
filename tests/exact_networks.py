"""What networks of generative models converge to where the data are N(mean, sd^2), coordinate by coordinate."""

import jax.numpy as jnp

MEAN = jnp.array([0.5, -0.3])
SD = jnp.array([0.6, 1.3])


def zero(x, time, condition=None):
    return jnp.zeros_like(x)


def _means(x, mean, sd, signal, noise):
    """E[x_0 | x] and E[e | x] of x = signal x_0 + noise e, by Tweedie's formula."""
    score = -(x - signal * mean) / (signal**2 * sd**2 + noise**2)
    return mean - sd**2 * signal * score, -noise * score


def diffusion(prediction, schedule, mean=MEAN, sd=SD):
    def network(x, time, condition=None):
        m = mean if condition is None else condition
        angle = schedule.angle(time)
        c, s = jnp.cos(angle), jnp.sin(angle)
        datum, noise = _means(x, m, sd, c, s)
        variance = c**2 * sd**2 + s**2
        return {
            "v": lambda: c * noise - s * datum,
            "noise": lambda: noise,
            "score": lambda: -(x - c * m) / variance,
            "energy": lambda: 0.5 * jnp.sum((c * (1 - sd**2) * x**2 - 2 * m * x + c * m**2) / variance),
        }[prediction]()

    return network


def flow_matching(x, time, condition=None):
    datum, noise = _means(x, MEAN, SD, time, 1 - time)
    return datum - noise


def oscillation(scale):
    def network(x, time, condition=None):
        angle = 0.5 * jnp.pi * time
        datum, noise = _means(x, MEAN, SD, jnp.cos(angle), scale * jnp.sin(angle))
        return jnp.cos(angle) * noise - jnp.sin(angle) * datum / scale

    return network


def critically_damped(model):
    def network(state, time, condition=None):
        x, u = jnp.split(state, 2)
        t = model.duration * time
        mean, covariance = model.moments(t)
        xx, xu, uu = (covariance[i, j] + mean[i] * mean[j] * SD**2 for i, j in ((0, 0), (0, 1), (1, 1)))
        score = (xu * (x - mean[0] * MEAN) - xx * (u - mean[1] * MEAN)) / (xx * uu - xu**2)
        return -model.deviation(t) * (score + u)

    return network
