"""Training: compiled chunks of optimiser steps in a host loop, the best parameters kept."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import paramax
from jaxtyping import Array, Float

from .._budget import Budget
from .._progress import Facts, stage
from .._results import RunError, Status
from .._types import Device, Key, Scalar
from ..chains import ChainStore, arrays_to_tree, digest, tree_to_arrays
from ..fields import check_one_process, in_slabs
from ._losses import AbstractLoss
from ._spread import spread, spread_over

Model = TypeVar("Model", bound=eqx.Module)
Data: TypeAlias = (
    Float[Array, "sample dim"] | tuple[Float[Array, "sample dim"], Float[Array, "sample condition"]] | None
)
STAGE = "training"


class FitHistory(NamedTuple):
    """What happened in a training run.

    Attributes:
        losses: Training loss of every step, shape (step,); NaN where loss or gradient was not finite and the step was
            not taken.
        validation: Loss on common random numbers after every chunk, shape (chunk,); where it was not finite, the
            training went back to the best parameters before.
        seconds: Wall time, compilation included.
    """

    losses: np.ndarray
    validation: np.ndarray
    seconds: float


class _Training(eqx.Module):
    parameters: Any
    optimizer_state: Any
    best: Any
    best_loss: Scalar


def default_optimizer(num_steps: int, learning_rate: float = 1e-2) -> optax.GradientTransformation:
    """Adam with clipped gradients and a learning rate that rises over a twentieth and falls to zero along a cosine."""
    rate = optax.warmup_cosine_decay_schedule(0.0, learning_rate, num_steps // 20, num_steps)
    return optax.chain(optax.clip_by_global_norm(10.0), optax.adam(rate, b2=0.99))


@eqx.filter_jit(donate="all-except-first")
def _train_chunk(given, training, *, num_steps, batch_size, num_validation):
    """`num_steps` optimiser steps, then the validation loss; the best parameters so far are kept.

    The memory of `training` is used again, so that it cannot be; `given` has the fixed part of the model, the loss, the
    data, the optimiser, the key and the number of the first step.

    Where the validation loss is not finite, the training goes on from the best parameters with fresh moments of the
    optimiser, whose count of steps stays.
    """

    static, loss, data, optimizer, key, first_step = given

    def evaluate(parameters, batch, k):
        return loss(eqx.combine(parameters, static), batch, key=k)

    def batch_of(k):
        if data is None:
            return None
        chosen = jr.randint(k, (batch_size,), 0, len(jax.tree.leaves(data)[0]))
        return jax.tree.map(lambda a: spread(a[chosen]), data)

    def step(carry, i):
        parameters, optimizer_state = carry
        key_batch, key_loss = jr.split(jr.fold_in(key, i))
        value, gradient = jax.value_and_grad(evaluate)(parameters, batch_of(key_batch), key_loss)
        updates, new_state = optimizer.update(gradient, optimizer_state, parameters)
        finite = jnp.isfinite(value) & jnp.isfinite(optax.tree.norm(gradient))
        new = (optax.apply_updates(parameters, updates), new_state)
        return jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, carry), jnp.where(finite, value, jnp.nan)

    steps = first_step + jnp.arange(num_steps)
    (parameters, optimizer_state), losses = jax.lax.scan(step, (training.parameters, training.optimizer_state), steps)

    def validate(i):
        key_batch, key_loss = jr.split(jr.fold_in(jr.fold_in(key, 2**31 - 1), i))
        return evaluate(parameters, batch_of(key_batch), key_loss)

    validation = jnp.mean(jax.lax.map(validate, jnp.arange(num_validation)))
    better = validation < training.best_loss
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), parameters, training.best)
    best_loss = jnp.where(better, validation, training.best_loss)
    good = jnp.isfinite(validation)
    parameters = jax.tree.map(lambda new, old: jnp.where(good, new, old), parameters, best)
    optimizer_state = jax.tree.map(
        lambda new, fresh: jnp.where(good, new, fresh) if eqx.is_inexact_array(new) else new,
        optimizer_state,
        optimizer.init(parameters),
    )
    return _Training(parameters, optimizer_state, best, best_loss), losses, validation


def fit(
    model: Model,
    loss: AbstractLoss,
    *,
    num_steps: int,
    key: Key,
    optimizer: optax.GradientTransformation | None = None,
    data: Data = None,
    batch_size: int = 256,
    store: ChainStore | None = None,
    devices: Sequence[Device] | None = None,
    chunk: int = 50,
    checkpoint_seconds: float = 30.0,
    max_time: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    progress: bool = False,
) -> tuple[Model, FitHistory]:
    """Minimise a loss; the parameters with the lowest validation loss are returned.

    The randomness of a step depends on the key and the step's number alone, so an interrupted training that is
    resumed from its store on as many devices ends with the same bits as an uninterrupted one.

    Args:
        model: What is trained: its inexact arrays, those inside `paramax.NonTrainable` apart.
        loss: Called as loss(model, batch, key=key).
        num_steps: Optimiser steps.
        key: Random key.
        optimizer: `default_optimizer(num_steps)` where none is given.
        data: Samples, from which every step draws a batch: positions, or positions and their conditions.
        batch_size: Samples per batch.
        store: Where checkpoints and the trained model are committed; what it already holds is not computed again.
        devices: Among which the samples of a batch are divided, where their number goes; all of this process where it
            is None. Their number may change the last bits of the losses.
        chunk: Steps per compiled call; validation happens after each.
        checkpoint_seconds: Least time between two checkpoints.
        max_time: Seconds within which the training ends early, with a checkpoint and `RunError`.
        stop: Asked between chunks; where it answers True, a checkpoint is committed and `RunError` raised.
        progress: Whether to show a live view, or plain lines where there is no terminal.

    Raises:
        ValueError: `num_steps` or `chunk` is not positive, the data are empty, or a field lies over several processes.
        RunError: The validation loss was never finite, or the training was stopped or ran out of time.

    Examples:
        >>> import cosmoflow as cf, jax.random as jr
        >>> target = cf.targets.CorrelatedGaussian([0.0, 0.0], [[1.0, 0.8], [0.8, 1.0]])
        >>> flow = cf.fixed_kinetic_flow(2, num_maps=2, width=16, key=jr.key(0))
        >>> flow, history = cf.fit(flow, cf.ReverseKL(target), num_steps=200, key=jr.key(1))
        >>> history.losses.shape, history.validation.shape  # of every step, and after every 50
        ((200,), (4,))
        >>> bool(history.validation[-1] < history.losses[0])
        True
    """
    for name, value in (("num_steps", num_steps), ("chunk", chunk)):
        if value < 1:
            raise ValueError(f"`{name}` is {value}, but must be at least 1.")
    check_one_process((model, loss), "fit")
    if data is not None and len(jax.tree.leaves(data)[0]) == 0:
        raise ValueError("`data` is empty; training on samples needs at least one.")
    budget = Budget(stop, max_time)
    optimizer = default_optimizer(num_steps) if optimizer is None else optimizer
    parameters, static = eqx.partition(
        model, eqx.is_inexact_array, is_leaf=lambda leaf: isinstance(leaf, paramax.NonTrainable)
    )
    # Copies, since their memory is used again; a weak type would be lost in the first chunk, and the second compiled.
    parameters, best = (jax.tree.map(lambda a: jnp.array(a, a.dtype), parameters) for _ in range(2))
    infinity = jnp.asarray(jnp.inf, jnp.result_type(float))
    training = _Training(parameters, optimizer.init(parameters), best, infinity)
    losses, validation, seconds = np.zeros(0), np.zeros(0), 0.0
    if store is not None:
        store.identify({"training": digest((model, loss, optimizer, key, data, num_steps, batch_size, chunk))})
        saved = store.load_stage(STAGE)
        if saved is not None:
            arrays, attributes = saved
            losses, validation = arrays.pop("history_losses"), arrays.pop("history_validation")
            seconds = float(attributes["seconds"])
            training = arrays_to_tree(training, arrays)

    committed = len(losses)

    def commit():
        nonlocal committed
        if store is not None and committed < len(losses):
            committed = len(losses)
            history = {"history_losses": losses, "history_validation": validation}
            store.save_stage(STAGE, tree_to_arrays(training) | history, {"seconds": seconds})

    start = last_commit = time.monotonic()
    spent = seconds
    run = None if store is None else store.path

    def facts() -> Facts:
        if not len(validation):
            return {}
        skipped = int(np.isnan(losses).sum())
        return {"loss": float(validation[-1])} | ({"skipped steps": skipped} if skipped else {})

    used = () if in_slabs((model, loss)) else tuple(jax.local_devices() if devices is None else devices)
    with (
        spread_over(used),
        stage(STAGE, num_steps, done=len(losses), facts=facts, visible=progress, run=run) as live,
    ):
        while len(losses) < num_steps:
            if (status := budget.ask()) is not None:
                commit()
                raise RunError(status)
            count = min(chunk, num_steps - len(losses))
            training, new_losses, new_validation = _train_chunk(
                (static, loss, data, optimizer, key, jnp.asarray(len(losses))), training,
                num_steps=count, batch_size=batch_size, num_validation=8,
            )  # fmt: skip
            losses = np.append(losses, np.asarray(new_losses))
            validation = np.append(validation, np.asarray(new_validation))
            seconds = spent + time.monotonic() - start
            if due := len(losses) == num_steps or time.monotonic() - last_commit > checkpoint_seconds:
                commit()
                last_commit = time.monotonic()
            live.advance(count, committed=due)
        if not np.isfinite(training.best_loss):
            skipped = int(np.isnan(losses).sum())
            raise RunError(Status.NO_FINITE_LOSS, f"{type(loss).__name__}, {skipped} of {num_steps} steps not finite")
    best = training.best if len(used) < 2 else jax.device_put(training.best, used[0])
    return eqx.combine(best, static), FitHistory(losses, validation, seconds)
