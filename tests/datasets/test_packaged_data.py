"""The data are found in every layout in which the package is distributed."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READ = "from cosmoflow import datasets as d; d.desi_dr2_bao(); d.union3(); print(d.data_folder())"


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    build = subprocess.run(command, capture_output=True, text=True)
    assert build.returncode == 0, build.stderr
    return folder


def data_seen_from(path):
    environment = {**os.environ, "PYTHONPATH": str(path)}
    run = subprocess.run(
        [sys.executable, "-c", READ], env=environment, cwd=path, capture_output=True, text=True, check=True
    )
    return Path(run.stdout.strip())


def test_wheel(distributions, tmp_path):
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    assert data_seen_from(tmp_path) == tmp_path / "cosmoflow" / "data"
    assert {"page.css", "references.bib"} <= {path.name for path in (tmp_path / "cosmoflow" / "report").iterdir()}


def test_source_distribution(distributions, tmp_path):
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as source:
        source.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    assert data_seen_from(root) == root / "data"


def test_source_tree():
    assert data_seen_from(ROOT) == ROOT / "data"
