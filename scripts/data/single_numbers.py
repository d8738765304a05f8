"""Write data/bbn_schoeneberg2024 and data/h0_shoes2022, sets of one number: python scripts/data/single_numbers.py."""

from plain_tables import DATA, write_checksums, write_columns

SETS = {
    "bbn_schoeneberg2024": ("omega_b", 0.02218, 0.00055),  # arXiv:2401.15054, abstract
    "h0_shoes2022": ("H0", 73.04, 1.04),  # arXiv:2112.04510, abstract
}

if __name__ == "__main__":
    for name, (quantity, value, sd) in SETS.items():
        folder = DATA / name
        folder.mkdir(exist_ok=True)
        write_columns(folder / "measurements.csv", {"quantity": [quantity], "value": [value], "sd": [sd]})
        write_checksums(folder)
