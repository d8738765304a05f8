"""Compiled programs that are kept: within a limit, in a folder of ours or of the user's."""

import os
import subprocess
import sys

from cosmoflow.cli._cache import held, own_folder, trim


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    for number, name in enumerate("abcd"):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 * number, 0))
    os.utime(tmp_path / "a", (9000, 0))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "old").write_bytes(bytes(50))
    os.utime(tmp_path / "sub" / "old", (0, 0))
    assert held(tmp_path) == (5, 450)
    trim(tmp_path, limit=450)
    assert held(tmp_path) == (5, 450)
    trim(tmp_path, limit=300)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a", "c", "d"]
    trim(tmp_path / "not there", limit=1)


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert own_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert own_folder() == tmp_path / "cosmoflow"


def test_programs_are_kept_and_trimmed_by_default(tmp_path):
    folder = tmp_path / "cosmoflow"
    folder.mkdir()
    with (folder / "huge").open("wb") as file:
        file.truncate(2**32)
    script = (
        "from cosmoflow.cli._environment import configure_jax\n"
        "configure_jax()\n"
        "import jax, jax.numpy as jnp\n"
        "print(jax.config.jax_compilation_cache_dir, jax.config.jax_default_matmul_precision)\n"
        "jax.jit(jnp.sin)(1.0)\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    environment["XDG_CACHE_HOME"] = str(tmp_path)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert ended.stdout.split() == [str(folder), "highest"]
    assert not (folder / "huge").exists() and held(folder).files > 0
