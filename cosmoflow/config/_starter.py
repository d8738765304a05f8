"""A commented configuration to begin with, for a choice of published data."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from ..datasets import catalogue
from ._likelihoods import LIKELIHOODS

PROBES = tuple(name for name in LIKELIHOODS if name != "gaussian_mixture")
"""The sets that there are starters for."""

_FULL_SHAPES = {"sdss_dr16_lrg_full_shape", "sdss_dr16_qso_full_shape"}
_BAO = {name for name in PROBES if name.endswith("_bao")} | _FULL_SHAPES
_SUPERNOVAE = {"union3", "pantheon_plus", "des_dovekie"}
_GROWTH = {"fsigma8_gold2018"} | _FULL_SHAPES
_COMPRESSED = {"desi_compressed_cmb", "planck2018_distance_priors"}
_BARYONS = _COMPRESSED | {"bbn_schoeneberg2024", "planck2018_lite", "des_y1_3x2pt"}
_HUBBLE = _BARYONS | {"cosmic_chronometers", "h0_shoes2022"}
_GEOMETRY = _BAO | _SUPERNOVAE | _COMPRESSED | {"cosmic_chronometers", "fsigma8_gold2018", "des_y1_3x2pt"}

_SHEAR_BIAS = "multiplicative bias of shapes"
_DES: dict[str, tuple[str, str]] = {
    "A_IA": ("uniform, low = -5.0, high = 5.0", "intrinsic alignment, and its power of redshift"),
    "eta_IA": ("uniform, low = -5.0, high = 5.0", ""),
    **{f"m_src{i}": ("normal, mean = 0.012, sd = 0.023", "" if i else _SHEAR_BIAS) for i in range(4)},
    "dz_src0": ("normal, mean = -0.001, sd = 0.016", "shifts of the sources' redshifts"),
    "dz_src1": ("normal, mean = -0.019, sd = 0.013", ""),
    "dz_src2": ("normal, mean = 0.009, sd = 0.011", ""),
    "dz_src3": ("normal, mean = -0.018, sd = 0.022", ""),
    **{f"b_lens{i}": ("uniform, low = 0.8, high = 3.0", "" if i else "bias of the lenses") for i in range(5)},
    "dz_lens0": ("normal, mean = 0.008, sd = 0.007", "shifts of the lenses' redshifts"),
    "dz_lens1": ("normal, mean = -0.005, sd = 0.007", ""),
    "dz_lens2": ("normal, mean = 0.006, sd = 0.006", ""),
    "dz_lens3": ("normal, mean = 0.0, sd = 0.01", ""),
    "dz_lens4": ("normal, mean = 0.0, sd = 0.01", ""),
}


def starter(probes: Sequence[str], file: str) -> str:
    """The text of a configuration of flat LCDM, with all that one would change first in comments.

    Args:
        probes: Names out of `PROBES`.
        file: The name of the file that it will be written to.

    Raises:
        ValueError: A name is unknown, or two sets have amplitudes that nothing ties together.
    """
    for name in probes:
        if name not in PROBES:
            close = get_close_matches(name, PROBES, n=1)
            hint = f"the nearest known is {close[0]!r}" if close else f"the sets are {', '.join(PROBES)}"
            raise ValueError(f"There is no probe set {name!r}; {hint}")
    chosen = set(probes)
    if "planck2018_lite" in chosen and chosen & _GROWTH:
        growth = min(chosen & _GROWTH)
        raise ValueError(
            f"planck2018_lite has the amplitude A_s and {growth} has sigma8, which no theory here ties together; leave "
            "one of them out"
        )
    lines = [*_head(probes, file), ""]
    for name in PROBES:
        if name in chosen:
            lines += [f"[likelihood.{name}]  # {catalogue()[name].title}", *_options(name, chosen), ""]
    lines += ["[prior]", *_priors(chosen), *_extensions(chosen), ""]
    return "\n".join(lines) + "\n" + _TAIL


def _head(probes: Sequence[str], file: str) -> Iterator[str]:
    stem = file.removesuffix(".toml")
    yield f"# Flat LCDM from {', '.join(probes)}."
    if fetched := [name for name in probes if not catalogue()[name].shipped]:
        yield f"# Needs `cosmoflow data fetch {' '.join(fetched)}`."
    if "des_y1_3x2pt" in probes:
        yield "# Needs `pip install 'cosmoflow[sacc]'`."
    if "planck2018_lite" in probes:
        yield "# Needs `pip install 'cosmoflow[cmb]'`."
    yield from ("#", f"#     cosmoflow sample {file} --dry-run   # check it", f"#     cosmoflow sample {file}")
    yield from (f"#     cosmoflow report {stem}.h5", "#")
    yield f"# The run leaves {stem}.h5 (chains), {stem}.txt (table) and {stem}.png (corner plot) in the working folder."


def _options(name: str, chosen: set[str]) -> Iterator[str]:
    radiation = "true " if chosen & _BARYONS else "false"
    if name in _BAO:
        if chosen & _BARYONS:
            yield 'sound_horizon = "computed"  # r_d from the densities'
        elif chosen & _HUBBLE:
            yield 'sound_horizon = "given"     # r_d is a parameter [Mpc]'
        else:
            yield 'sound_horizon = "free"      # BAO alone measure only the product h r_d: it is a parameter [Mpc]'
    if name in _BAO | _SUPERNOVAE | {"cosmic_chronometers", "fsigma8_gold2018"}:
        yield f"radiation = {radiation}           # whether photons and neutrinos take part in the expansion"
    if name.startswith("desi_dr"):
        yield '# tracers = ["LRG1", "LRG2"]  # without it, all'
    if name in _SUPERNOVAE:
        yield '# absolute_magnitude = "free"  # a parameter M [mag], beside h; without it, marginalised'
    if name == "planck2018_lite":
        yield f'amplitude = "{_amplitude(chosen)}"'
        yield '# spectra = "TT"              # without it, TT, TE and EE'
    if name == "des_y1_3x2pt":
        yield f'amplitude = "{_amplitude(chosen)}"'
        yield '# statistics = ["xi_plus", "xi_minus"]  # cosmic shear alone; then without the priors of the lenses'
        yield '# transfer = "emu_pk"         # CAMB\'s linear power, from the package emu_pk'


def _amplitude(chosen: set[str]) -> str:
    """What the sets that need an amplitude of fluctuations can share."""
    if chosen & _GROWTH:
        return "sigma8"
    return "A_s" if "des_y1_3x2pt" in chosen else "logA"


def _priors(chosen: set[str]) -> Iterator[str]:
    for name, (law, remark) in _laws(chosen).items():
        distribution, _, numbers = law.partition(", ")
        line = f'{name} = {{ distribution = "{distribution}", {numbers} }}'
        yield f"{line}  # {remark}" if remark else line


def _laws(chosen: set[str]) -> dict[str, tuple[str, str]]:
    """The law of each parameter and a remark on it."""
    spectra = chosen & {"planck2018_lite", "des_y1_3x2pt"}
    laws: dict[str, tuple[str, str]] = {}
    if chosen & (_GEOMETRY | spectra):
        laws["Omega_m"] = ("uniform, low = 0.1, high = 0.9" if spectra else "uniform, low = 0.01, high = 0.99", "")
    if chosen & _HUBBLE:
        laws["h"] = ("uniform, low = 0.5, high = 0.91" if spectra else "uniform, low = 0.2, high = 1.0", "")
    if chosen & _BARYONS:
        laws["Omega_b"] = ("uniform, low = 0.03, high = 0.07" if spectra else "uniform, low = 0.005, high = 0.1", "")
    if chosen & _BAO and not chosen & _BARYONS:
        given = ("r_d", ("uniform, low = 100.0, high = 200.0", "[Mpc]"))
        free = ("h_r_d", ("uniform, low = 10.0, high = 1000.0", "[Mpc]"))
        laws |= dict([given if chosen & _HUBBLE else free])
    if chosen & (_COMPRESSED | {"bbn_schoeneberg2024"}) and chosen & _GEOMETRY and not spectra:
        laws["m_nu"] = ("delta, value = 0.06", "[eV]")
    if spectra:
        laws["n_s"] = ("uniform, low = 0.87, high = 1.07", "")
    if spectra or chosen & _GROWTH:
        amplitudes = {
            "A_s": ("uniform, low = 5e-10, high = 5e-9", ""),
            "logA": ("uniform, low = 2.5, high = 3.6", "ln(10^10 A_s)"),
            "sigma8": ("uniform, low = 0.3, high = 1.5", ""),
        }
        laws[_amplitude(chosen)] = amplitudes[_amplitude(chosen)]
    if "planck2018_lite" in chosen:
        laws["tau"] = ("truncated_normal, mean = 0.0544, sd = 0.0073, low = 0.0101, high = 0.4", "low multipoles")
        laws["A_planck"] = ("normal, mean = 1.0, sd = 0.0025", "calibration")
    return laws | (_DES if "des_y1_3x2pt" in chosen else {})


def _extensions(chosen: set[str]) -> Iterator[str]:
    if chosen & _GEOMETRY and "planck2018_lite" not in chosen:
        yield "# Evolving dark energy: w0 in [-3, 1], wa in [-3, 2] and w0 + wa < 0, uniform by area."
        polygon = "[[-3, -3], [1, -3], [1, -1], [-2, 2], [-3, 2]]"
        yield f'# "w0, wa" = {{ distribution = "uniform_polygon", vertices = {polygon} }}'
        yield "# Curvature."
        yield '# Omega_k = { distribution = "uniform", low = -0.3, high = 0.3 }'


_TAIL = """\
# [flow]                   # train a Hamiltonian flow first, for the evidence and to sample in its coordinates
# num_maps = 5

[sampler]
kind = "auto"              # the best of those that the warm-up tries; or "nuts", "zig_zag", "mclmc", ...

[run]
seed = 1
num_chains = 4
num_draws = 5000           # per chain, at most
# until_ess = 1000.0       # stop earlier, with so many effective draws of every parameter
# until_rhat = 1.01
"""
