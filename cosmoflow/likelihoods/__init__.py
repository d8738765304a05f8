"""Likelihoods: data and theory in, log L out."""

from ._bao import BAO as BAO
from ._base import AbstractGaussianLikelihood as AbstractGaussianLikelihood
from ._base import AbstractLikelihood as AbstractLikelihood
from ._chronometers import Chronometers as Chronometers
from ._compressed_cmb import CompressedCMB as CompressedCMB
from ._field_level import WHITE_NOISE as WHITE_NOISE
from ._field_level import FieldLevel as FieldLevel
from ._field_noise import AbstractFieldNoise as AbstractFieldNoise
from ._field_noise import GaussianNoise as GaussianNoise
from ._field_noise import NegativeBinomialNoise as NegativeBinomialNoise
from ._field_noise import PoissonNoise as PoissonNoise
from ._function import FunctionLikelihood as FunctionLikelihood
from ._gaussian_constraint import GaussianConstraint as GaussianConstraint
from ._gaussian_mixture import GaussianMixture as GaussianMixture
from ._growth_rate import GrowthRate as GrowthRate
from ._joint import JointLikelihood as JointLikelihood
from ._planck_lite import PlanckLite as PlanckLite
from ._supernovae import Supernovae as Supernovae
from ._two_point import TwoPoint as TwoPoint
from ._varying_covariance import VaryingCovarianceTwoPoint as VaryingCovarianceTwoPoint
