"""Help and version answer without the heavy libraries."""

import subprocess
import sys

import pytest

HEAVY = {"jax", "numpy", "pydantic", "h5py", "equinox", "matplotlib"}


@pytest.mark.parametrize("arguments", [["--help"], ["sample", "--help"], ["--version"]])
def test_answers_without_heavy_imports(arguments):
    script = (
        "import sys\n"
        "from cosmoflow.cli import main\n"
        f"sys.argv = ['cosmoflow', *{arguments}]\n"
        "try:\n    main()\n"
        "finally:\n    print(*sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith(("Usage: cosmoflow", "cosmoflow "))
    typers_own = {"pydantic"} if "sample" in arguments else set()
    assert not HEAVY & set(ended.stderr.split()) - typers_own


def test_commands_are_listed(cosmoflow):
    outcome = cosmoflow("--help")
    assert outcome.code == 0
    assert all(f"  {command} " in outcome.out for command in ("sample", "fit", "summarize", "plot", "export", "import"))


def test_module_is_the_command():
    ended = subprocess.run([sys.executable, "-m", "cosmoflow", "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("cosmoflow 0.")
