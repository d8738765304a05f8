"""Write the data/sdss_* sets from the official files: python scripts/data/sdss_bao.py FOLDER."""

import sys
from pathlib import Path

from bao_tables import transcribe

LRG = {0.38: "LRG", 0.51: "LRG", 0.698: "LRG"}
QSO = {1.48: "QSO"}
SETS = {
    "sdss_dr12_lrg_bao": ("sdss_DR12_LRG_BAO_DMDH.dat", LRG),
    "sdss_dr16_lrg_bao": ("sdss_DR16_LRG_BAO_DMDH.dat", LRG),
    "sdss_dr16_qso_bao": ("sdss_DR16_QSO_BAO_DMDH.txt", QSO),
    "sdss_dr16_lrg_full_shape": ("sdss_DR16_BAOplus_LRG_FSBAO_DMDHfs8.dat", LRG),
    "sdss_dr16_qso_full_shape": ("sdss_DR16_BAOplus_QSO_FSBAO_DMDHfs8.dat", QSO),
}

if __name__ == "__main__":
    for name, (mean, tracers) in SETS.items():
        path = Path(sys.argv[1]) / mean
        transcribe(name, path, path.with_name(f"{path.stem}_covtot.txt"), tracers)
