import pytest

from cosmoflow.chains._labels import default_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("b_lens0", r"b_\mathrm{lens\,0}"),
        ("m_src3", r"m_\mathrm{src\,3}"),
        ("dz_lens1", r"\Delta z_\mathrm{lens\,1}"),
        ("A_IA", r"A_\mathrm{IA}"),
        ("eta_IA", r"\eta_\mathrm{IA}"),
        ("logA", r"\ln(10^{10} A_\mathrm{s})"),
        ("A_planck", r"A_\mathrm{Planck}"),
        ("M", r"M\ [\mathrm{mag}]"),
        ("omega_b", r"\omega_\mathrm{b}"),
    ],
)
def test_labels(name, label):
    assert default_label(name) == label
