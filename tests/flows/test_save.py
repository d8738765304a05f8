"""Saved flows: the same flow again, in another precision too, and clear words about what is none."""

import flowjax.distributions as fd
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from cosmoflow._results import CosmoflowError
from cosmoflow.flows import DenseGaussianMomentum, fixed_kinetic_flow, learned_kinetic_flow, load_flow, save_flow

SMALL = {"dim": 2, "num_steps": 3, "width": 8, "depth": 1}


def arrays(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array)]


def saved(tmp_path):
    flow = fixed_kinetic_flow(**SMALL, num_maps=2, time_dependent=True, key=jr.key(9))
    save_flow(tmp_path / "flow", flow, **SMALL, num_maps=2, time_dependent=True)
    return tmp_path / "flow", flow


def test_save_and_load(tmp_path):
    path, flow = saved(tmp_path)
    loaded = load_flow(path)
    for a, b in zip(arrays(flow), arrays(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    x = flow.sample(jr.key(0))
    np.testing.assert_array_equal(flow.log_prob(x), loaded.log_prob(x))


def test_any_flow_loads_into_a_template_of_another_dtype(tmp_path):
    def make(key):
        momentum = DenseGaussianMomentum(2, width=8, key=key)
        return learned_kinetic_flow(**SMALL, base=fd.StandardNormal((4,)), momentum=momentum, key=key)

    flow = make(jr.key(1))
    save_flow(tmp_path / "flow", flow)
    template = jax.tree.map(lambda a: a.astype(jnp.float32) if isinstance(a, jax.Array) else a, make(jr.key(2)))
    for a, b in zip(arrays(flow), arrays(load_flow(tmp_path / "flow", template)), strict=True):
        assert b.dtype == np.float32
        np.testing.assert_array_equal(a.astype(np.float32), b)
    with pytest.raises(CosmoflowError, match="pass a template"):
        load_flow(tmp_path / "flow")


def test_no_pickle(tmp_path):
    path, _ = saved(tmp_path)
    header, _, body = path.read_bytes().partition(b"\n")
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    path.write_bytes(header + b"\n" + (tmp_path / "pickled.npy").read_bytes() + body)
    with pytest.raises(CosmoflowError, match="damaged"):
        load_flow(path)


def test_another_architecture_is_refused_by_name(tmp_path):
    path, _ = saved(tmp_path)
    settings = SMALL | {"num_maps": 2, "time_dependent": True}
    for change, message in (({"num_steps": 4}, r"num_steps|step_size"), ({"width": 9}, "weight"), ({"depth": 2}, "")):
        with pytest.raises(CosmoflowError, match=f"another architecture than its template.*({message})"):
            load_flow(path, fixed_kinetic_flow(**settings | change, key=jr.key(0)))


def test_later_formats_and_damage_are_named(tmp_path):
    path, _ = saved(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"cosmoflow flow": 1', b'"cosmoflow flow": 7'))
    with pytest.raises(CosmoflowError, match="format 7, but this cosmoflow reads 1"):
        load_flow(path)
    path.write_bytes(content[:-40])
    with pytest.raises(CosmoflowError, match="damaged"):
        load_flow(path)


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"dim": 2}\n', b"[1]\n", b"\xff\x00\n"])
def test_a_file_that_is_no_flow(tmp_path, content):
    path = tmp_path / "flow.eqx"
    path.write_bytes(content)
    with pytest.raises(CosmoflowError, match=r"flow\.eqx does not hold a flow"):
        load_flow(path)
