"""Every shipped table says where it comes from and on what terms."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETS = sorted(path for path in (ROOT / "data").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_source_citation_and_licence(folder):
    readme = (folder / "README.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\*\*(\w+)\.\*\* (.+?)(?=\n\n|\Z)", readme, re.MULTILINE | re.DOTALL))
    assert re.search(r"arXiv:\d{4}\.\d{4,5}", said["Citation"])
    terms = "MIT|CC BY|no licence|states no licence|That of cosmoflow|One published number"
    assert re.search(terms, " ".join(said["Licence"].split())), said["Licence"]
    (script,) = set(re.findall(r"`(scripts/data/\w+\.py)`", readme))
    assert (ROOT / script).is_file()


@pytest.mark.parametrize("folder", SETS, ids=lambda path: path.name)
def test_every_file_is_described_and_has_a_checksum(folder):
    readme = (folder / "README.md").read_text(encoding="utf-8")
    sums = {line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    files = {path.name for path in folder.iterdir()} - {"README.md", "SHA256SUMS"}
    assert files == sums
    assert all(f"`{name}`" in readme for name in files)


def test_nothing_lies_beside_the_sets():
    assert [path.name for path in (ROOT / "data").iterdir() if not path.is_dir()] == []
