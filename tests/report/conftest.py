import pytest


@pytest.fixture
def saved(tmp_path):
    """Save a chain and return its path."""

    def save(chain, name="run.h5"):
        chain.save(tmp_path / name)
        return tmp_path / name

    return save
