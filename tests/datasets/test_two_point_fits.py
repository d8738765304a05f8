"""Two-point FITS files, written here as DES writes them."""

import numpy as np
import pytest

from cosmoflow.datasets import DataError, read_two_point_fits

fits = pytest.importorskip("astropy.io.fits")

Z = np.arange(0.01, 2, 0.02)
ANGLES = np.array([10.0, 30.0])
KINDS = {  # in the order of DES
    "xip": ("G+R", "G+R", "nz_source", "nz_source"),
    "xim": ("G-R", "G-R", "nz_source", "nz_source"),
    "gammat": ("GPR", "G+R", "nz_lens", "nz_source"),
    "wtheta": ("GPR", "GPR", "nz_lens", "nz_lens"),
}
PAIRS = {"xip": [(1, 1), (1, 2), (2, 2)], "xim": [(1, 1)], "gammat": [(3, 1), (3, 2)], "wtheta": [(1, 1), (3, 3)]}
SIZE = sum(len(pairs) * ANGLES.size for pairs in PAIRS.values())


def covariance():
    factor = np.random.default_rng(0).normal(size=(SIZE, SIZE))
    return factor @ factor.T + np.eye(SIZE)


def sample(name, means, density=None):
    columns = [
        fits.Column(key, "D", array=Z + shift) for key, shift in (("Z_LOW", -0.01), ("Z_MID", 0), ("Z_HIGH", 0.01))
    ]
    for i, mean in enumerate(means, start=1):
        n = np.exp(-((Z - mean) ** 2) / 0.05) if density is None else density
        columns.append(fits.Column(f"BIN{i}", "D", array=n))
    table = fits.BinTableHDU.from_columns(columns, name=name)
    table.header.update({"NZDATA": True, "NBIN": len(means)})
    return table


def written(
    path, *, base=1, start=0, edges=True, unit="arcmin", shuffled=False, matrix=None, kernel=None, density=None
):
    matrix = covariance() if matrix is None else matrix
    image = fits.ImageHDU(matrix, name="COVMAT")
    image.header["COVDATA"] = True
    tables, row = [], 0
    for i, (name, (first, second, *kernels)) in enumerate(KINDS.items()):
        bins = np.array(PAIRS[name]).repeat(ANGLES.size, axis=0) - 1 + base
        angle = np.tile(ANGLES, len(PAIRS[name])) / {"arcmin": 1, "deg": 60}[unit]
        columns = [
            fits.Column("BIN1", "K", array=bins[:, 0]),
            fits.Column("BIN2", "K", array=bins[:, 1]),
            fits.Column("ANGBIN", "K", array=np.tile(np.arange(ANGLES.size), len(PAIRS[name]))),
            fits.Column("VALUE", "D", array=row + 1.0 + np.arange(len(angle))),
            fits.Column("ANG", "D", array=angle, unit=unit),
        ]
        if edges:
            columns += [
                fits.Column(f"ANGLE{end}", "D", array=angle * by, unit=unit) for end, by in (("MIN", 0.9), ("MAX", 1.1))
            ]
        table = fits.BinTableHDU.from_columns(columns, name=name)
        table.header.update({"2PTDATA": True, "QUANT1": first, "QUANT2": second, "WINDOWS": "SAMPLE"})
        table.header.update({"KERNEL_1": kernel or kernels[0], "KERNEL_2": kernels[1]})
        image.header.update({f"NAME_{i}": name, f"STRT_{i}": row + start})
        tables.append(table)
        row += len(angle)
    parts = [image, *(tables[::-1] if shuffled else tables)]
    parts += [sample("nz_source", (0.5, 0.9)), sample("nz_lens", (0.3, 0.5, 0.7), density)]
    fits.HDUList([fits.PrimaryHDU(), *parts]).writeto(path)
    return path


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("start", [0, 1])
def test_round_trip(tmp_path, base, start):
    data = read_two_point_fits(written(tmp_path / "2pt.fits", base=base, start=start))
    assert data.statistic == ("xi_plus",) * 6 + ("xi_minus",) * 2 + ("gamma_t",) * 4 + ("w",) * 4
    assert data.first[2:4] == ("src0", "src0") and data.second[2:4] == ("src1", "src1")
    assert data.first[8:10] == ("lens2", "lens2") and data.second[8:12] == ("src0", "src0", "src1", "src1")
    assert (data.sources, data.lenses) == (("src0", "src1"), ("lens0", "lens2"))
    np.testing.assert_array_equal(data.value, np.arange(1, SIZE + 1))
    np.testing.assert_allclose(data.covariance, covariance(), rtol=1e-12)
    np.testing.assert_allclose(data.angle, np.tile(ANGLES, 8))
    np.testing.assert_allclose(data.edges, data.angle[:, None] * [0.9, 1.1])
    means = [
        np.average(data.distributions[name].redshift, weights=data.distributions[name].density) for name in data.lenses
    ]
    np.testing.assert_allclose(means, [0.3, 0.7], atol=0.04)
    np.testing.assert_allclose(np.trapezoid(data.distributions["src0"].density, Z), 1)


def test_rows_follow_the_covariance_not_the_order_of_the_tables(tmp_path):
    data = read_two_point_fits(written(tmp_path / "2pt.fits", shuffled=True))
    assert data.statistic[0] == "w"
    order = data.value.astype(int) - 1
    np.testing.assert_allclose(data.covariance, covariance()[np.ix_(order, order)], rtol=1e-12)


def test_degrees_and_no_edges(tmp_path):
    data = read_two_point_fits(written(tmp_path / "2pt.fits", edges=False, unit="deg"))
    assert data.edges is None
    np.testing.assert_allclose(data.angle, np.tile(ANGLES, 8))


BROKEN = {
    "negative": (lambda: {"density": np.where(np.arange(Z.size) == 4, -1e-3, 1.0)}, "^BIN3 of NZ_LENS in .* the density in row 5 is negative"),
    "indefinite": (lambda: {"matrix": np.ones((SIZE, SIZE))}, "^The covariance in .*2pt.fits is not positive definite"),
    "size": (lambda: {"matrix": np.eye(7)}, "^.*2pt.fits has a 7 x 7 covariance, but its tables have rows up to 16"),
    "kernel": (lambda: {"kernel": "nz_lenses"}, "no redshift distributions NZ_LENSES, which XIP names; it has NZ_SOURCE, NZ_LENS"),
    "bins": (lambda: {"base": 2}, "has bins 2 to 3 of NZ_SOURCE, which has 2"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN)
def test_wrong_files(tmp_path, changes, message):
    with pytest.raises(DataError, match=message):
        read_two_point_fits(written(tmp_path / "2pt.fits", **changes()))


def test_not_a_number(tmp_path):
    path = written(tmp_path / "2pt.fits")
    with fits.open(path, mode="update") as file:
        file["GAMMAT"].data["VALUE"][1] = np.nan
    with pytest.raises(DataError, match=r"2pt.fits is not usable: The value in row 10 \(gamma_t lens2 src0\) is nan"):
        read_two_point_fits(path)


def test_other_files(tmp_path):
    with pytest.raises(DataError, match=r"none.fits is missing; check its name"):
        read_two_point_fits(tmp_path / "none.fits")
    (tmp_path / "text.fits").write_text("hello")
    with pytest.raises(DataError, match=r"two-point file .*text.fits is not usable: No SIMPLE card"):
        read_two_point_fits(tmp_path / "text.fits")
    fits.PrimaryHDU().writeto(tmp_path / "empty.fits")
    with pytest.raises(DataError, match=r"empty.fits has no table of galaxy two-point functions, flagged 2PTDATA"):
        read_two_point_fits(tmp_path / "empty.fits")
