"""Likelihoods as CosmoSIS modules."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..likelihoods import AbstractLikelihood
from ._plain import plain

_OTHER_NAMES = {"h": "h0", "w0": "w", "m_nu": "mnu", "N_eff": "nnu", "T_cmb": "tcmb"}
"""What CosmoSIS calls parameters that have another name here."""


def to_cosmosis(
    likelihood: AbstractLikelihood, *, section: str = "cosmological_parameters"
) -> tuple[Callable[[Any], str], Callable[[Any, str], int]]:
    """The two functions of a CosmoSIS module: `setup, execute = to_cosmosis(likelihood)` makes a file one.

    `execute` reads each parameter under its name in lower case or, where that is not there, under the one CosmoSIS
    gives it: `h0` for `h`, `w` for `w0`, `mnu` for `m_nu`, `nnu` for `N_eff`, `tcmb` for `T_cmb`. It writes
    `likelihoods, NAME_like`; NAME is the option `like_name` of the module, and by default the class of the
    likelihood in lower case.

    Args:
        likelihood: The likelihood.
        section: Where its parameters are.

    Returns:
        `setup(options)` and `execute(block, name)`.

    Raises:
        ValueError: Two parameters of the likelihood have the same name in lower case.
    """
    function = plain(likelihood)
    names = (*function.required, *function.optional)
    repeated = [name for name, count in Counter(name.lower() for name in names).items() if count > 1]
    if repeated:
        raise ValueError(f"CosmoSIS knows no capitals, but the likelihood has more than one {repeated[0]!r}.")

    def setup(options: Any) -> str:
        option = ("module_options", "like_name")
        return options[option] if option in options else type(likelihood).__name__.lower()

    def execute(block: Any, name: str) -> int:
        values = {}
        for parameter in names:
            for key in (parameter.lower(), _OTHER_NAMES.get(parameter)):
                if key is not None and (section, key) in block:
                    values[parameter] = block[section, key]
                    break
        missing = [parameter.lower() for parameter in function.required if parameter not in values]
        if missing:
            raise ValueError(f"The section {section!r} lacks {', '.join(map(repr, missing))}; see the values file.")
        block["likelihoods", f"{name}_like"] = function(**values)
        return 0

    return setup, execute
