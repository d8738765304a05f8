"""`cosmoflow check`, and what a run leaves beside its draws."""

import numpy as np
import pytest

from cosmoflow.chains import Chain


@pytest.mark.slow
def test_a_run_checked_damaged_and_repaired(folder, cosmoflow):
    config = folder / "bao.toml"
    config.write_text(config.read_text() + '[record]\nOmega_m = { every = 7, dtype = "float32" }\n')
    assert cosmoflow("sample", "bao.toml", "--quiet").code == 0
    thinned = Chain.from_file("bao.h5", group="posterior_every_7").posterior["Omega_m"]
    assert thinned.shape == (2, 300 // 7) and thinned.dtype == np.float32
    assert Chain.from_file("bao.h5").observed_data["desi_dr2_bao"].shape == (13,)
    assert Chain.from_file("bao.h5", group="warmup_posterior").num_draws > 50

    sound = cosmoflow("check", "bao.h5")
    assert sound.code == 0 and "1 file, 2 chains of 300 sound draws" in sound.out
    content = (folder / "bao.h5").read_bytes()
    (folder / "bao.h5").write_bytes(content[:5000] + b"!" + content[5001:])
    damaged = cosmoflow("check", "bao.h5")
    assert damaged.code == 1 and "DAMAGED: " in damaged.out and damaged.err == ""
    for command in (("summarize", "bao.h5"), ("plot", "bao.h5"), ("sample", "bao.toml", "--resume")):
        refused = cosmoflow(*command)
        assert refused.code == 2 and refused.is_one_sentence("bao.h5 is damaged", "cosmoflow check --repair")
    (folder / "bao.h5").write_bytes(content[: content.rindex(b"\ncosmoflow sha256")])
    repaired = cosmoflow("check", "bao.h5", "--repair", "sound.h5")
    digest = sound.out.split("sha256 of the draws ")[1]
    assert repaired.code == 0 and digest in repaired.out
    assert cosmoflow("check", "nowhere.h5").is_one_sentence("no chain at nowhere.h5")


def test_a_record_of_no_parameter(folder, cosmoflow):
    config = folder / "bao.toml"
    config.write_text(config.read_text() + "[record]\nH0 = { keep = false }\n")
    refused = cosmoflow("sample", "bao.toml")
    assert refused.code == 2 and refused.is_one_sentence("record.H0", "Omega_m")
    assert not (folder / "bao.h5.segments").exists()


def test_a_full_disk(folder, cosmoflow, monkeypatch):
    from chains.test_disk import FullDisk

    from cosmoflow.chains import _files

    monkeypatch.setattr(_files, "os", FullDisk(200_000))
    config = folder / "bao.toml"
    config.write_text(config.read_text().replace("num_draws = 300", "num_draws = 3000"))
    full = cosmoflow("sample", "bao.toml", "--quiet")
    assert full.code == 2 and full.is_one_sentence("the disk is full; free some space and resume")
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert cosmoflow("sample", "bao.toml", "--quiet", "--resume").code == 0
    assert Chain.from_file("bao.h5").num_draws == 3000
