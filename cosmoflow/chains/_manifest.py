"""What a run is: its identity, the versions it was made with, and the attributes of its file."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from .._results import StoreError

FORMAT = "cosmoflow chains 1"


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("cosmoflow", "jax", "jaxlib")}


@dataclass
class Manifest:
    """The manifest of a run; it lives beside the segments, and in the final file once there is one."""

    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    versions: dict[str, str] = field(default_factory=_versions)
    identity: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def from_json(text: str | bytes) -> "Manifest":
        """Read a manifest.

        Raises:
            StoreError: the text is not a manifest of this format.
        """
        try:
            content = json.loads(text)
            if content.pop("format") != FORMAT:
                raise ValueError("unknown format")
            return Manifest(**content)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(
                f"The manifest of the run is damaged or of another format than {FORMAT!r} ({error}); "
                "read it with the version of cosmoflow that wrote it."
            ) from error

    def to_json(self) -> str:
        """The manifest as text."""
        return json.dumps({"format": FORMAT, **self.__dict__}, indent=1)

    def group_attributes(self) -> dict[str, str]:
        """What InferenceData asks of each group."""
        return {
            "created_at": self.created_at,
            "inference_library": "cosmoflow",
            "inference_library_version": self.versions["cosmoflow"],
        }

    def identify(self, entries: dict[str, Any]) -> bool:
        """Add entries to the identity and say whether any was new.

        Raises:
            StoreError: an entry differs from what the run was started with.
        """
        entries = json.loads(json.dumps(entries))
        known = {key: value for key, value in entries.items() if key in self.identity}
        differing = list(_differences({key: self.identity[key] for key in known}, known))
        if differing:
            raise StoreError(
                f"This run was started with other settings: {'; '.join(differing)}; restore them, or start a new file."
            )
        self.identity |= entries
        return len(known) < len(entries)

    def warn_of_changed_versions(self) -> None:
        """Warn where the run was started with other versions than the present ones."""
        present = _versions()
        changed = [
            f"{name} {old} -> {present.get(name)}" for name, old in self.versions.items() if old != present.get(name)
        ]
        if changed:
            warnings.warn(
                f"The run was started with other versions ({', '.join(changed)}); "
                "its continuation may differ from an uninterrupted run in the last bits.",
                stacklevel=3,
            )


def _differences(old: Any, new: Any, name: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old | new:
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
    elif json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
        yield f"{name} was {_shortened(old)}, is {_shortened(new)}"


def _shortened(value: Any, width: int = 40) -> str:
    text = json.dumps(value)
    return text if len(text) <= width else f"{text[: width - 15]}...{text[-12:]}"
