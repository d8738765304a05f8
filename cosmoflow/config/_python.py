"""`[likelihood.NAME] python = "package.module:function"`: a likelihood of the user's own, in Python."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
from pydantic import Field, JsonValue

from ..likelihoods import AbstractLikelihood, FunctionLikelihood
from ._table import Table


class PythonTable(Table):
    """A function of parameters that returns log L, or one that makes such a function or an `AbstractLikelihood`."""

    python: Annotated[str, Field(pattern=r"^\w+(\.\w+)*:\w+$")]
    options: dict[str, JsonValue] = Field(default_factory=dict)


def from_python(folder: Path, python: str, options: dict[str, Any]) -> AbstractLikelihood:
    """The likelihood that `package.module:function` is or makes.

    Arguments named in `options` have those values. Where others without a default remain, the function is log L and
    they are its parameters; otherwise it is called once, and makes the likelihood.

    Args:
        folder: Where modules are looked for first, as Python does in the folder of a script.
        python: Module and function.
        options: Arguments by name.

    Raises:
        ValueError: There is no such function, or it fails, or what it makes is no likelihood with a gradient.
    """
    made = _find(folder, python)
    try:
        if _is_factory(made, options):
            made, options = made(**options), {}
        if not (callable(made) or isinstance(made, AbstractLikelihood)):
            raise TypeError(f"{made!r}, which it returns, is neither a likelihood nor a function")
        likelihood = made if isinstance(made, AbstractLikelihood) else FunctionLikelihood(made, options)
    except Exception as error:
        raise ValueError(f"{python} cannot be used ({_told(error)}); correct it or its options") from error
    _try(python, likelihood)
    return likelihood


def source_digest(python: str) -> str:
    """SHA-256 of the file that a function comes from."""
    source = inspect.getsourcefile(sys.modules[python.partition(":")[0]])
    return hashlib.sha256(b"" if source is None else Path(source).read_bytes()).hexdigest()


def _find(folder: Path, python: str) -> Callable:
    module_name, _, name = python.partition(":")
    path = str(folder.resolve())
    if path not in sys.path:
        sys.path.insert(0, path)
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = f"put it into {folder} or install it"
        raise ValueError(f"there is no module {error.name!r}, which {python} needs; {hint}") from error
    except Exception as error:
        raise ValueError(f"the module {module_name} cannot be imported ({_told(error)}); correct it") from error
    first = folder.resolve() / module_name.partition(".")[0]
    if (first.is_dir() or first.with_suffix(".py").exists()) and Path(path) not in Path(module.__file__ or "").parents:
        raise ValueError(f"the module {module_name} is another one ({module.__file__}); rename the one in {path}")
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"the module {module_name} has no function {name!r}; check the name")
    return function


def _is_factory(made: Callable, options: dict[str, Any]) -> bool:
    if inspect.isclass(made):
        return True
    arguments = inspect.signature(made).parameters.values()
    return not any(a.default is a.empty and a.name not in options for a in arguments)


def _try(python: str, likelihood: AbstractLikelihood) -> None:
    """Trace log L and its gradient."""
    point = {name: jnp.zeros((), float) for name in likelihood.required}
    try:
        eqx.filter_eval_shape(jax.value_and_grad(likelihood.log_likelihood), point)
    except Exception as error:
        raise ValueError(
            f"{python} has no gradient ({_told(error)}); let it return one number, written with jax.numpy"
        ) from error


def _told(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {first}"
