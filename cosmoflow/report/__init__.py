"""A run as one page that needs nothing else: HTML with its figures inside."""

from ._citations import bibliography as bibliography
from ._citations import relied_on as relied_on
from ._data_figures import data_figures as data_figures
from ._page import page as page
from ._subject import Subject as Subject
