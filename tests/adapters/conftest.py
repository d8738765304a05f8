"""Cobaya sets up the root logger, with a handler on a stream that pytest closes."""

import logging

import pytest


@pytest.fixture(autouse=True)
def root_logger():
    level, handlers = logging.root.level, list(logging.root.handlers)
    yield
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers
