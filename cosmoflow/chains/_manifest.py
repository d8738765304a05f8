"""What a run is: its identity, the versions it was made with, and the attributes of its file."""

import hashlib
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any
from uuid import uuid4

from .._results import StoreError

FORMAT = "cosmoflow chains 2"


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("cosmoflow", "jax", "jaxlib")}


@dataclass
class Manifest:
    """The manifest of a run; it lives beside the segments, and in the final file once there is one.

    `run` is a name that no other run has; every file of the run bears it.
    """

    run: str = field(default_factory=lambda: uuid4().hex)
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
            digest = content.pop("sha256")
            manifest = Manifest(**content)
            if manifest.sha256() != digest:
                raise ValueError("its digest differs")
            return manifest
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(
                f"The manifest of the run is damaged or of another format than {FORMAT!r} ({error}); "
                "restore it from a copy, or read it with the version of cosmoflow that wrote it."
            ) from error

    def to_json(self) -> str:
        """The manifest as text."""
        return json.dumps({"format": FORMAT, "sha256": self.sha256(), **self.__dict__}, indent=1)

    def sha256(self) -> str:
        """The digest of all entries."""
        return hashlib.sha256(json.dumps(self.__dict__, sort_keys=True).encode()).hexdigest()

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
