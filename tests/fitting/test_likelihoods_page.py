"""The example of the page about likelihoods runs as it stands."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "likelihoods.md").read_text()


def test_example():
    page = {"__name__": "likelihoods"}
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    exec(compile(code, "likelihoods.md", "exec"), page)
    assert abs(page["best"].chi2 - 10.27) < 0.01
    assert page["probe"].name == "total"
    assert page["error"] < 0.01
