"""What mkdocs does beside the pages that are written: it runs the tutorials and puts what they show into the site.

A tutorial is run again when it, this folder or the package has changed, or its data have come; what it showed is kept
in `.tutorials/`.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File
from tutorial import missing  # mkdocs imports a hook with its folder on the path

log = get_plugin_logger(__name__)
ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".tutorials"


def on_files(files, config):
    """Add the page and the figures of each tutorial; the file itself stays, to be downloaded."""
    for file in [file for file in files if Path(file.src_uri).match("tutorials/*.py")]:
        folder = made(Path(file.abs_src_path))
        for path in sorted(folder.rglob("*.*")):
            uri = f"tutorials/{path.relative_to(folder).as_posix()}"
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def made(tutorial: Path) -> Path:
    """The folder of what a tutorial makes, run first where that is not known.

    Raises:
        PluginError: It fails.
    """
    folder = CACHE / f"{tutorial.stem}-{digest(tutorial)}"
    if not folder.exists():
        log.info(f"running {tutorial.name}")
        for old in CACHE.glob(f"{tutorial.stem}-*"):
            shutil.rmtree(old)
        unfinished = CACHE / f"{tutorial.stem}-unfinished"
        command = [sys.executable, str(Path(__file__).parent / "tutorial.py"), str(tutorial), str(unfinished)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise PluginError(f"The tutorial {tutorial.name} fails:\n{done.stdout}")
        unfinished.rename(folder)
    return folder


def digest(tutorial: Path) -> str:
    """Of all that decides what a tutorial shows, but for the versions of other packages."""
    package = sorted((ROOT / "cosmoflow").rglob("*.py"))
    known = hashlib.sha256()
    for path in (tutorial, *sorted(Path(__file__).parent.glob("*.py")), *package):
        known.update(path.read_bytes())
    known.update(" ".join(missing(tutorial.read_text(encoding="utf-8"))).encode())
    return known.hexdigest()[:16]
