"""Two-point data, their scale cuts, and SACC files written here."""

from dataclasses import replace

import numpy as np
import pytest

from cosmoflow.datasets import DataError, RedshiftDistribution, TwoPointData, read_sacc

Z = np.linspace(0, 2, 101)


def bell(mean=0.7, width=0.2):
    density = np.exp(-((Z - mean) ** 2) / (2 * width**2))
    return RedshiftDistribution(Z, density / np.trapezoid(density, Z))


def two_point(**changes):
    parts = {
        "statistic": ("xi_plus", "xi_plus", "gamma_t", "w", "w"),
        "first": ("src0", "src0", "lens0", "lens0", "lens0"),
        "second": ("src0", "src0", "src0", "lens0", "lens0"),
        "angle": np.array([5.0, 50.0, 20.0, 30.0, 100.0]),
        "value": np.array([1e-5, 1e-6, 1e-4, 1e-2, 3e-3]),
        "covariance": np.diag(np.arange(1.0, 6.0)),
        "distributions": {"lens0": bell(), "src0": bell(0.9), "spare": bell()},
    }
    return TwoPointData(**(parts | changes))


def test_bins_in_use():
    data = two_point()
    assert (data.sources, data.lenses) == (("src0",), ("lens0",))
    assert (data.only("w").sources, data.only("w").lenses) == ((), ("lens0",))


def test_some_statistics_with_their_covariance():
    data = two_point(edges=np.array([[1.0, 2.0]]) * np.arange(1, 6)[:, None]).only("gamma_t", "w")
    assert data.statistic == ("gamma_t", "w", "w")
    np.testing.assert_array_equal(np.diag(data.covariance), [3, 4, 5])
    np.testing.assert_array_equal(data.edges[:, 0], [3, 4, 5])


def test_scale_cuts():
    data = two_point().between({"xi_plus": (10, 100), "w": (50, 200)})
    np.testing.assert_array_equal(data.angle, [50, 20, 100])
    data = two_point().between({"w": (1, 2), "w lens0 lens0": (1, 50)})
    np.testing.assert_array_equal(data.angle, [5, 50, 20, 30])


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        (dict.fromkeys(("xi_plus", "gamma_t", "w"), (500, 600)), "no rows within the scale cuts, out of 5; widen"),
        ({"xi_minus": (1, 2)}, "scale cut 'xi_minus' matches no row; write a statistic"),
        ({"w lens0 lens7": (1, 2)}, "scale cut 'w lens0 lens7' matches no row"),
        ({"w": (20, 10)}, r"scale cut 'w' is \[20, 10\], which is no least and greatest"),
        ({"w": (20,)}, r"scale cut 'w' is \[20\], which is no least and greatest"),
    ],
)
def test_wrong_cuts(cuts, message):
    with pytest.raises(ValueError, match=message):
        two_point().between(cuts)


def test_no_rows_of_a_statistic():
    with pytest.raises(ValueError, match="no rows of xi_minus, out of 5"):
        two_point().only("xi_minus")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"statistic": ("xi",) * 5}, "'xi' in row 1 is no two-point statistic; use one of xi_plus"),
        ({"second": ("src0", "src0", "src7", "lens0", "lens0")}, "bin 'src7' in row 3 has no redshift distribution"),
        ({"value": np.array([1, 2, np.nan, 4, 5])}, r"value in row 3 \(gamma_t lens0 src0\) is nan; remove the row"),
        ({"first": ("src0",) * 4}, "5 values need as many statistics"),
        ({"angle": np.array([5.0, 50, -20, 30, 100])}, "angle or multipole in row 3 is -20; correct it"),
        ({"angle": np.array([5.0, 50, 20, np.nan, 100])}, "angle or multipole in row 4 is nan"),
        ({"edges": np.ones((5, 2))}, "bin of angles in row 1 has the edges 1 and 1; they must ascend"),
    ],
)
def test_wrong_data(changes, message):
    with pytest.raises(ValueError, match=message):
        two_point(**changes)


def broken_density(kind):
    density = bell().density.copy()
    if kind == "scaled":
        return Z, 3 * density
    if kind == "descending":
        return Z[::-1].copy(), density
    density[10] = {"nan": np.nan, "negative": -0.5}[kind]
    return Z, density


DENSITIES = {
    "scaled": r"n\(z\) has the integral 3 in the place of 1; divide it by that",
    "descending": "the redshift in row 2 is 1.98 after 2; sort the rows",
    "nan": "the density in row 11 is nan; remove or mend it",
    "negative": "the density in row 11 is negative, -0.5; set it to zero",
}


@pytest.mark.parametrize(("kind", "message"), DENSITIES.items())
def test_wrong_distribution(kind, message):
    with pytest.raises(ValueError, match=message):
        RedshiftDistribution(*broken_density(kind))


NAMES = {"xi_plus": "galaxy_shear_xi_plus", "gamma_t": "galaxy_shearDensity_xi_t", "w": "galaxy_density_xi"}
BANDS = {"xi_plus": "galaxy_shear_cl_ee", "gamma_t": "galaxy_shearDensity_cl_e", "w": "galaxy_density_cl"}


def written(path, data, *, bands=False, densities=(), drop=(), source_first=False):
    """A SACC file of some data; `densities` are n(z) as they should not be."""
    sacc = pytest.importorskip("sacc")
    file = sacc.Sacc()
    for name, quantity in (("src0", "galaxy_shear"), ("lens0", "galaxy_density")):
        z, density = dict(densities).get(name, (data.distributions[name].redshift, data.distributions[name].density))
        file.add_tracer("NZ", name, z, density, quantity=quantity)
    rows = zip(data.statistic, data.first, data.second, data.angle.tolist(), data.value.tolist(), strict=True)
    for row, (kind, first, second, angle, value) in enumerate(rows):
        pair = (second, first) if source_first else (first, second)
        if bands:
            window = sacc.BandpowerWindow(data.window[0], data.window[1].T)
            file.add_data_point(BANDS[kind], pair, value, ell=angle, window=window, window_ind=row)
        else:
            file.add_data_point(NAMES[kind], pair, value, theta=angle)
    if "covariance" not in drop:
        file.add_covariance(data.covariance)
    (file.save_hdf5 if path.suffix == ".hdf5" else file.save_fits)(str(path), overwrite=True)
    return path


def assert_same(first, second):
    assert sorted(first.distributions) == sorted(second.distributions)
    keys = [list(zip(d.statistic, d.first, d.second, d.angle.tolist(), strict=True)) for d in (first, second)]
    order = [keys[0].index(key) for key in keys[1]]
    np.testing.assert_allclose(first.value[order], second.value)
    np.testing.assert_allclose(first.covariance[np.ix_(order, order)], second.covariance)
    for name, distribution in first.distributions.items():
        np.testing.assert_allclose(distribution.density, second.distributions[name].density)


@pytest.mark.filterwarnings("ignore")
class TestSacc:
    data = replace(two_point(), distributions={"lens0": bell(), "src0": bell(0.9)})

    @pytest.mark.parametrize("suffix", [".fits", ".sacc", ".hdf5"])
    @pytest.mark.parametrize("source_first", [False, True])
    def test_round_trip(self, tmp_path, suffix, source_first):
        rng = np.random.default_rng(0)
        factor = rng.normal(size=(5, 5))
        data = replace(self.data, covariance=factor @ factor.T + np.eye(5))
        assert_same(read_sacc(written(tmp_path / f"mine{suffix}", data, source_first=source_first)), data)

    def test_bandpowers(self, tmp_path):
        window = np.random.default_rng(0).uniform(size=(5, 30))
        ell = np.arange(2.0, 32.0)
        data = replace(self.data, window=(ell, window), angle=np.arange(10.0, 60, 10))
        read = read_sacc(written(tmp_path / "bands.fits", data, bands=True))
        assert set(read.statistic) == {"cl_ee", "cl_ge", "cl_gg"}
        order = np.argsort(read.angle)
        np.testing.assert_array_equal(read.window[0], ell)
        np.testing.assert_allclose(read.window[1][order], window)

    @pytest.mark.parametrize(("kind", "message"), DENSITIES.items())
    def test_wrong_distribution(self, tmp_path, kind, message):
        path = written(tmp_path / "mine.hdf5", self.data, densities={"lens0": broken_density(kind)}.items())
        with pytest.raises(
            DataError, match=rf"bin 'lens0' in .*mine.hdf5 has no usable redshift distribution: {message}"
        ):
            read_sacc(path)

    @pytest.mark.parametrize(
        ("row", "column", "value", "message"),
        [
            (1, 2, 0.5, "not symmetric: row 2, column 3 is 0.5, but row 3, column 2 is 0; write both halves"),
            (3, 3, -1.0, "row 4: the variance -1 is not positive"),
            (0, 0, np.nan, "not finite in row 1, column 1"),
        ],
    )
    def test_wrong_covariance(self, tmp_path, row, column, value, message):
        covariance = self.data.covariance.copy()
        covariance[row, column] = value
        with pytest.raises(DataError, match=rf"covariance in .*mine.hdf5.*{message}"):
            read_sacc(written(tmp_path / "mine.hdf5", replace(self.data, covariance=covariance)))

    def test_copied_row(self, tmp_path):
        covariance = self.data.covariance.copy()
        covariance[1:3, 1:3] = 2.0
        with pytest.raises(DataError, match=r"mine.hdf5 is not positive definite.*listed twice"):
            read_sacc(written(tmp_path / "mine.hdf5", replace(self.data, covariance=covariance)))

    def test_no_covariance(self, tmp_path):
        with pytest.raises(DataError, match=r"mine.fits has no covariance"):
            read_sacc(written(tmp_path / "mine.fits", self.data, drop=("covariance",)))

    def test_not_a_number(self, tmp_path):
        value = np.array([1e-5, np.nan, 1e-4, 1e-2, 3e-3])
        path = tmp_path / "mine.hdf5"
        broken = object.__new__(TwoPointData)
        broken.__dict__.update(self.data.__dict__ | {"value": value})
        with pytest.raises(
            DataError, match=r"mine.hdf5 is not usable: The value in row 2 \(xi_plus src0 src0\) is nan"
        ):
            read_sacc(written(path, broken))

    def test_missing_or_other_file(self, tmp_path):
        with pytest.raises(DataError, match=r"none.fits is missing; check its name"):
            read_sacc(tmp_path / "none.fits")
        (tmp_path / "text.fits").write_text("hello")
        with pytest.raises(DataError, match=r"text.fits is no SACC file that can be read"):
            read_sacc(tmp_path / "text.fits")
