"""Figures of chains; matplotlib and GetDist are imported on the first plot."""

from ._corner import corner as corner
