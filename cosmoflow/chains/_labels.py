"""LaTeX for parameter names nobody gave a label."""

import re

_KNOWN = {
    "H0": r"H_0",
    "h_r_d": r"h\,r_\mathrm{d}",
    "r_d": r"r_\mathrm{d}",
    "sigma8": r"\sigma_8",
    "S8": r"S_8",
    "n_s": r"n_\mathrm{s}",
    "w0": r"w_0",
    "wa": r"w_a",
    "A_s": r"A_\mathrm{s}",
    "tau": r"\tau",
    "omega_cdm": r"\omega_\mathrm{cdm}",
}
_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|omega",
    re.IGNORECASE,
)


def default_label(name: str) -> str:
    """LaTeX that looks like the name: `Omega_m` becomes a capital omega with a roman m below it."""
    if name in _KNOWN:
        return _KNOWN[name]
    head, _, subscript = name.partition("_")
    if not subscript:
        head, subscript = re.fullmatch(r"(.*?)(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    roman = head if len(head) == 1 else rf"\mathrm{{{head}}}"
    symbol = f"\\{head}" if _GREEK.fullmatch(head) else roman
    return symbol + (rf"_\mathrm{{{subscript.replace('_', ',')}}}" if subscript else "")
