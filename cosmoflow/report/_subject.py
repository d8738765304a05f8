"""What a page is about."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .._results import CosmoflowError
from ..chains import Chain, Origin, origin
from ..config import Config, build_likelihood, loads
from ..cosmology import LABELS
from ..diagnostics import BestDraw, Row, Summary, best_draw, is_field, summarize, varying
from ..likelihoods import JointLikelihood

MOST_SHOWN = 7
"""Scalars in figures where nobody names them."""


@dataclass(frozen=True)
class Subject:
    """A run, what it is compared with, and what follows from both, each worked out when it is first asked for.

    Attributes:
        path: the file of the run.
        chain: its draws.
        others: chains to compare it with, by name.
        parameters: those of the figures; of all that vary the first seven, cosmological ones before others, if None.
    """

    path: Path
    chain: Chain
    others: Mapping[str, Chain]
    parameters: Sequence[str] | None = None

    @property
    def name(self) -> str:
        """Of the run."""
        return self.path.stem

    @cached_property
    def origin(self) -> Origin:
        """When and with what the run was made."""
        return origin(self.path)

    @cached_property
    def summary(self) -> Summary:
        """Means, intervals and convergence."""
        return summarize(self.chain, varying(self.chain))

    @cached_property
    def rows(self) -> list[Row]:
        """Of the summary, the parameters that vary, those of cosmology first."""
        order = {name: place for place, name in enumerate(LABELS)}
        return sorted(self.summary.parameters, key=lambda row: order.get(row.name, len(order)))

    @cached_property
    def is_field(self) -> bool:
        """Whether the run is that of a field."""
        return is_field(self.chain)

    @cached_property
    def shown(self) -> list[str]:
        """The scalars of the figures."""
        if self.parameters is not None:
            return list(self.chain.scalars(self.parameters))
        return [row.name for row in self.rows][:MOST_SHOWN]

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The tables of the configuration; none where the chain holds no configuration."""
        return tomllib.loads(str(self.chain.attributes.get("configuration", "")))

    @cached_property
    def config(self) -> Config | None:
        """The configuration, if the chain holds one.

        Raises:
            ConfigError: it is one of another version.
        """
        if "configuration" not in self.chain.attributes:
            return None
        source = str(self.chain.attributes.get("configuration_file", "configuration"))
        return loads(str(self.chain.attributes["configuration"]), source)

    @cached_property
    def likelihood(self) -> JointLikelihood | str:
        """The likelihoods, or the sentence that says why there are none."""
        try:
            if self.config is None:
                return "The chain holds no configuration, so its data are not known."
            built = build_likelihood(self.config)
        except CosmoflowError as error:
            return str(error)
        missing = [name for name in built.required if name not in self.chain.posterior]
        return f"The chain does not hold {', '.join(missing)} of every draw." if missing else built

    @cached_property
    def best(self) -> BestDraw | None:
        """The draw of highest likelihood, where the likelihood is known."""
        return best_draw(self.chain, self.likelihood) if isinstance(self.likelihood, JointLikelihood) else None

    @cached_property
    def sampler(self) -> str:
        """The kind of the sampler; where the warm-up chose, the one that it found best."""
        kind = str(self.tables.get("sampler", {}).get("kind", ""))
        steps = json.loads(str(self.chain.attributes.get("warmup", "[]")))
        tried = {step["step"]: step["efficiency"] for step in steps if "efficiency" in step and "sampler" in step}
        tried = {name: value for name, value in tried.items() if name in CHOICES}
        return max(tried, key=lambda name: tried[name]) if kind in ("", "auto") and tried else kind


CHOICES = ("langevin", "kinetic_langevin", "mclmc", "hybrid_splitting", "global_and_local")
"""What a warm-up chooses from."""
