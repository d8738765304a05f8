"""LaTeX for parameter names."""

import re

_GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi|chi|psi|omega",
    re.IGNORECASE,
)


_SYMBOLS = {"dz": r"\Delta z"}
_BIN = re.compile(r"(src|source|lens)(\d+)")


def default_label(name: str) -> str:
    """LaTeX that looks like the name: `Omega_m` becomes a capital omega with a roman m below it.

    Names of one bin of galaxies are the symbol with the bin below it: `dz_lens0`, `b_lens0`, `m_src0`.
    """
    from ..cosmology import LABELS  # here, so that reading a chain needs no JAX

    if name in LABELS:
        return LABELS[name]
    head, _, subscript = name.partition("_")
    if not subscript:
        head, subscript = re.fullmatch(r"(.*?)(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    roman = head if len(head) == 1 else rf"\mathrm{{{head}}}"
    symbol = _SYMBOLS.get(head) or (f"\\{head}" if _GREEK.fullmatch(head) else roman)
    subscript = _BIN.sub(r"\1\\,\2", subscript)
    return symbol + (rf"_\mathrm{{{subscript.replace('_', ',')}}}" if subscript else "")
