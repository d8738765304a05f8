"""What a run relied on, with the references in `references.bib`."""

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from ._subject import Subject

DATA: dict[str, tuple[str, ...]] = {
    "desi_dr2_bao": ("DESI2025DR2II", "DESI2025DR2I"),
    "desi_dr1_bao": ("DESI2024III", "DESI2024IV", "DESI2024VI"),
    "sdss_dr12_lrg_bao": ("Alam2017", "eBOSS2021"),
    "sdss_dr16_lrg_bao": ("eBOSS2021",),
    "sdss_dr16_qso_bao": ("eBOSS2021",),
    "sdss_dr16_lrg_full_shape": ("Alam2017", "eBOSS2021"),
    "sdss_dr16_qso_full_shape": ("eBOSS2021",),
    "union3": ("Rubin2023",),
    "pantheon_plus": ("Scolnic2022", "Brout2022"),
    "des_dovekie": ("Popovic2025", "DES2024SN5YR"),
    "cosmic_chronometers": ("Moresco2012", "Moresco2015", "Moresco2016", "Moresco2020"),
    "fsigma8_gold2018": ("Sagredo2018",),
    "desi_compressed_cmb": ("DESI2025DR2II", "Lemos2023"),
    "planck2018_distance_priors": ("Chen2019",),
    "bbn_schoeneberg2024": ("Schoeneberg2024",),
    "h0_shoes2022": ("Riess2022",),
    "planck2018_lite": ("Planck2018V", "Prince2019"),
    "des_y1_3x2pt": ("DES2018", "Krause2017"),
}
"""By likelihood."""

_SPLITTING, _INDEPENDENCE = ("Bertazzi2023",), ("Tierney1994", "Hesterberg1995")
_HYBRID = (*_SPLITTING, "BouchardCote2018", "Michel2020")
SAMPLERS: dict[str, tuple[str, ...]] = {
    "zig_zag": ("Bierkens2019",),
    "bouncy_particle": ("BouchardCote2018",),
    "forward_event_chain": ("Michel2020",),
    "boomerang": ("Bierkens2020",),
    "coordinate_sampler": ("Wu2020",),
    "ghmc": ("Duane1987", "Horowitz1991", "Neal2011", "Neal2020"),
    "langevin": ("Horowitz1991", "Neal2020", "RiouDurand2022", "HoffmanSountsov2022"),
    "mclmc": ("Robnik2023", "RobnikSeljak2023", "HoffmanSountsov2022"),
    "kinetic_langevin": ("Leimkuhler2013", "Leimkuhler2016"),
    "adjusted_mclmc": ("Robnik2025", "RiouDurand2022"),
    "malt": ("RiouDurand2022", "RiouDurand2023"),
    "nuts": ("Hoffman2014", "Betancourt2017", "Cabezas2024"),
    "hybrid_splitting": _HYBRID,
    "bouncy_particle_splitting": (*_SPLITTING, "BouchardCote2018", "Bierkens2020"),
    "forward_event_chain_splitting": (*_SPLITTING, "Michel2020"),
    "zig_zag_splitting": (*_SPLITTING, "Bierkens2019", "Bierkens2020"),
    "coordinate_splitting": (*_SPLITTING, "Wu2020"),
    "discrete_bouncy_particle": ("Sherlock2022",),
    "hug_and_hop": ("Ludkin2023",),
    "independence": _INDEPENDENCE,
    "tempering": ("Syed2022", "Xie2011", "Meng1996"),
    "mixture": (),
    "global_and_local": (*_INDEPENDENCE, *_HYBRID),
}
"""By kind."""

FLOWS = {"fixed": ("Souveton2024",), "learned": ("Toth2020", "Souveton2024")}
"""By kinetic energy."""

TRANSPORT = ("Hoffman2019", "Vehtari2024")
LIBRARIES = ("jax", "Kidger2021", "Harris2020", "Kumar2019", "Vehtari2021", "Hunter2007", "Lewis2019")


class Reference(NamedTuple):
    """An entry of the bibliography.

    Attributes:
        bibtex: as it stands in the file.
        fields: as plain text, by name.
    """

    bibtex: str
    fields: dict[str, str]

    @property
    def text(self) -> str:
        """Authors, year, title and where it appeared, in one line."""
        names = [name.partition(",")[0] for name in self.fields["author"].split(" and ")]
        if names[-1] == "others" or len(names) > 4:
            authors = f"{names[0]} et al."
        else:
            authors = " & ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        place = " ".join(self.fields[key] for key in ("journal", "booktitle", "volume", "pages") if key in self.fields)
        head = f"{authors} {self.fields['year']}" if "year" in self.fields else authors
        return ", ".join(filter(None, (head, self.fields["title"], place)))

    @property
    def address(self) -> str | None:
        """Where it can be read."""
        if "eprint" in self.fields:
            return f"https://arxiv.org/abs/{self.fields['eprint']}"
        if "doi" in self.fields:
            return f"https://doi.org/{self.fields['doi']}"
        return self.fields.get("url")


@cache
def bibliography() -> dict[str, Reference]:
    """All references by their keys."""
    text = files("cosmoflow.report").joinpath("references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^(@\w+\{(\w+),\n(.*?)\n\})$", text, re.DOTALL | re.MULTILINE)
    return {
        key: Reference(
            bibtex, {name: _plain(value) for name, value in re.findall(r"^  (\w+) = \{(.*)\},$", body, re.MULTILINE)}
        )
        for bibtex, key, body in entries
    }


def relied_on(subject: Subject) -> dict[str, tuple[str, ...]]:
    """The keys of what a run relied on, by what it was for."""
    tables = subject.tables
    sampler, flow = tables.get("sampler", {}), tables.get("flow")
    parts = filter(None, (sampler.get("inner"), *sampler.get("members", ())))
    kinds = [subject.sampler, *(part["kind"] for part in parts)]
    found = {
        "Software": ["cosmoflow"],
        "Data": [key for name in tables.get("likelihood", {}) for key in DATA.get(name, ())],
        "Theory": [key for table in tables.get("likelihood", {}).values() for key in _theory(table)],
        "Sampler": [key for kind in kinds for key in SAMPLERS.get(kind, ())],
        "Flow": [] if flow is None else [*FLOWS[flow["kinetic"]], *TRANSPORT, "flowjax", "optax"],
        "Libraries and diagnostics": LIBRARIES,
    }
    return {purpose: tuple(dict.fromkeys(keys)) for purpose, keys in found.items() if keys}


def _theory(table: dict) -> list[str]:
    """What the prediction of the data rests on."""
    keys = []
    if "transfer" in table:
        keys += ["emupk", "SpurioMancini2022"] if table["transfer"] == "emu_pk" else ["Eisenstein1998"]
        keys += ["Takahashi2012"] if table["nonlinear"] else []
        keys += ["Campagne2023"]
    keys += ["SpurioMancini2022", "Piras2023"] if table.get("emulator") == "cosmopower" else []
    keys += ["Aubourg2015"] if table.get("sound_horizon") == "computed" else []
    keys += ["Jasche2013", "SimonOnfroy2025"] if "field" in table else []
    return keys


_ACCENTS = {'"': "\u0308", "'": "\u0301", "^": "\u0302", "`": "\u0300", "v": "\u030c", "c": "\u0327"}


def _plain(latex: str) -> str:
    accented = re.sub(r"\{\\([\"'^`vc])\{?(\w)\}?\}", lambda found: found[2] + _ACCENTS[found[1]], latex)
    signs = {r"\widehat{R}": "R\u0302", r"\sim": "~", r"\_": "_", r"\%": "%"}
    for command, sign in signs.items():
        accented = accented.replace(command, sign)
    plain = re.sub(r"[{}$]", "", accented)
    return unicodedata.normalize("NFC", plain)
