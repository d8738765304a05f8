"""What a configuration file may hold, and the sentence that answers each mistake."""

import pytest

from cosmoflow.config import ConfigError, load

GOOD = """
[likelihood.desi_dr2_bao]
[prior]
Omega_m = { distribution = "uniform", low = 0.01, high = 0.99 }
h_r_d = { distribution = "normal", mean = 100, sd = 5.0 }
"w0, wa" = { distribution = "uniform_polygon", vertices = [[-3, -3], [1, -3], [-3, 1]] }
[sampler]
kind = "zig_zag"
[run]
num_chains = 2
"""

MISTAKES = {
    "not TOML": ("[run]", "[run", "it is not TOML: expected ']' at the end of a table declaration (at line 9"),
    "unknown table": ("[run]", "[runn]", "runn is not a known key; the nearest known is 'run'"),
    "unknown key": ("num_chains", "num_chain", "run.num_chain is not a known key; the nearest known is 'num_chains'"),
    "unknown option": ("low =", "lwo =", "prior.Omega_m.lwo is not a known key; the nearest known is 'low'"),
    "unknown data": (
        "desi_dr2_bao",
        "desi_dr2",
        "likelihood.desi_dr2 is not a known key; the nearest known is 'desi_dr2_bao'",
    ),
    "no data": (".desi_dr2_bao", "", "likelihood names no data; add one of desi_dr2_bao, union3, desi_dr1_bao, "),
    "wrong type": ("0.01", '"a"', "prior.Omega_m.low must be a valid number, but is 'a'; change the value."),
    "a string of digits": ("= 2", '= "2"', "run.num_chains must be a valid integer, but is '2'; change the value."),
    "out of range": ("= 2", "= 0", "run.num_chains must be greater than 0, but is 0; change the value."),
    "not finite": ("0.01", "nan", "prior.Omega_m.low must be a finite number, but is nan; change the value."),
    "not a table": (
        "[run]\nnum_chains",
        "[flow]\ndepth = 1\n[training]\n[warmup]\n[run]\noutput = 1 #",
        "run.output must be a valid string",
    ),
    "unknown kinetic energy": (
        "[run]",
        '[flow]\nkinetic = "fxied"\n[run]',
        "flow.kinetic must be 'fixed' or 'learned', but is 'fxied'; change the value.",
    ),
    "unknown potential": (
        "[run]",
        '[flow]\npotential = "radial"\n[run]',
        "flow.potential must be 'network', 'bells' or 'additive', but is 'radial'; change the value.",
    ),
    "unknown momenta": (
        "[run]",
        '[flow]\nmomentum = "full"\n[run]',
        "flow.momentum must be 'auto', 'diagonal', 'low_rank', 'dense', 'bells' or 'additive', but is 'full'; change the value.",
    ),
    "a flow without maps": ("[run]", "[flow]\nnum_maps = 0\n[run]", "flow.num_maps must be greater than 0, but is 0"),
    "bounds reversed": ("0.01", "2", "prior.Omega_m.low is 2, which is not below high = 0.99; exchange the bounds."),
    "missing key": (", high = 0.99", "", "prior.Omega_m.high is missing; add it."),
    "missing tag": (
        'distribution = "uniform", ',
        "",
        "prior.Omega_m needs the key 'distribution', which says what it is.",
    ),
    "unknown tag": (
        '"uniform"',
        '"unifrom"',
        "prior.Omega_m has distribution = 'unifrom', which is not known; the nearest known is 'uniform'",
    ),
    "unknown sampler": ("zig_zag", "hmc", "sampler has kind = 'hmc', which is not known; the nearest known is 'ghmc'"),
    "sampler option": (
        '"zig_zag"',
        '"zig_zag"\nnum_cells = 1',
        "sampler.num_cells must be greater than or equal to 2, but is 1; change",
    ),
    "number for a table": ('{ distribution = "normal", mean = 100, sd = 5.0 }', "100", "prior.h_r_d must be"),
    "too few vertices": (", [-3, 1]", "", "prior.w0, wa.vertices must have at least 3 items"),
    "vertex": ("[-3, 1]", "[-3, 'a']", "prior.w0, wa.vertices[2][1] must be a valid number, but is 'a'"),
    "one name for two": ('"w0, wa"', "w0", "prior.w0 names 1 parameters, but uniform_polygon is a distribution of 2"),
    "two names for one": (
        "h_r_d",
        '"h_r_d, r"',
        "prior.h_r_d, r names 2 parameters, but normal is a distribution of 1",
    ),
    "named twice": ("h_r_d", "w0", "prior.w0 is given more than once; keep one prior for each parameter."),
    "output": (
        "num_chains",
        'output = "a.txt" #',
        "run.output is 'a.txt', but a chain is an HDF5 file; let its name end in .h5.",
    ),
}


def write(folder, text):
    path = folder / "run.toml"
    path.write_text(text)
    return path


def test_defaults_and_output(tmp_path):
    config = load(write(tmp_path, GOOD))
    assert config.output.name == "run.h5" and config.source == tmp_path / "run.toml"
    assert config.flow is None and config.run.seed == 0 and config.run.num_chains == 2
    assert load(write(tmp_path, GOOD), output="other.h5").output.name == "other.h5"


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(tmp_path, name):
    old, new, sentence = MISTAKES[name]
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: {sentence}") and "\n" not in message, message


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="this is a folder"):
        load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a text file"):
        load(tmp_path / "binary.toml")
