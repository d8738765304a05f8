"""Noising processes and their reversal."""

from ._base import AbstractGenerativeModel as AbstractGenerativeModel
from ._network import TimeNetwork as TimeNetwork
