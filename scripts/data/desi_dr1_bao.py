"""Write data/desi_dr1_bao from the official files: python scripts/data/desi_dr1_bao.py FOLDER."""

import sys
from pathlib import Path

from bao_tables import transcribe

TRACERS = {
    0.295: "BGS",
    0.51: "LRG1",
    0.706: "LRG2",
    0.93: "LRG3+ELG1",
    1.317: "ELG2",
    1.491: "QSO",
    2.33: "Lya",
}

if __name__ == "__main__":
    mean, covariance = (Path(sys.argv[1]) / f"desi_2024_gaussian_bao_ALL_GCcomb_{part}.txt" for part in ("mean", "cov"))
    transcribe("desi_dr1_bao", mean, covariance, TRACERS)
