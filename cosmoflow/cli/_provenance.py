"""What a run was made with."""

import json
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_LIBRARIES = ("numpy", "jax", "jaxlib", "equinox", "optax", "flowjax", "blackjax", "diffrax", "jax-cosmo", "h5py")


def provenance() -> dict[str, str]:
    """Python, machine, devices, versions of the libraries and, in a checkout of the sources, the commit."""
    import jax

    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    made = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "devices": ", ".join(f"{device.platform}:{device.id} {device.device_kind}" for device in jax.devices()),
        "libraries": json.dumps(found),
    }
    if commit := _commit(Path(__file__).parents[2]):
        made["commit"] = commit
    return made


def _commit(root: Path) -> str:
    """The commit of a checkout, with "-dirty" where files differ from it; empty elsewhere."""
    if not (root / ".git").exists():
        return ""
    describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    with suppress(OSError):
        ended = subprocess.run(["git", "--no-optional-locks", *describe], cwd=root, capture_output=True, text=True)
        return ended.stdout.strip()
    return ""
