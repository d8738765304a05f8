"""The page in a browser, at the width of a telephone and of a desk, and printed.

It needs Chromium, and fails without: `apt-get install chromium`.
"""

import json
import re
import shutil
import subprocess
from html import escape, unescape

import pytest
from report.runs import made

from cosmoflow.report import Subject, page

pytest.importorskip("getdist")

FRAMES = """<!DOCTYPE html><html><body>{frames}<script>
addEventListener("load", () => {{
  const found = [...document.querySelectorAll("iframe")].map(frame => {{
    const root = frame.contentDocument.documentElement, inside = frame.contentWindow;
    const scrolls = e => {{ for (; e; e = e.parentElement) if (e.matches(".scroll, pre")) return true; return false; }};
    const beyond = [...root.querySelectorAll("body *")].filter(
      e => !scrolls(e) && e.getBoundingClientRect().right > root.clientWidth + 1);
    return {{
      width: root.clientWidth, scrolled: root.scrollWidth, beyond: beyond.map(e => e.outerHTML.slice(0, 80)),
      blank: [...root.querySelectorAll("img")].filter(i => !i.complete || i.naturalWidth == 0).length,
      small: [...root.querySelectorAll("p, td, li, dd")].filter(
        e => parseFloat(inside.getComputedStyle(e).fontSize) < 12).length,
      asked: inside.performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith("data:")),
      columns: inside.getComputedStyle(root.querySelector(".panels")).gridTemplateColumns.split(" ").length,
    }};
  }});
  document.title = JSON.stringify(found);
}});
</script></body></html>"""


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "The page is tested in Chromium, which is not installed; apt-get install chromium."
    return [found, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=20000"]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path, chain = tmp_path_factory.mktemp("run") / "run.h5", made()
    chain.save(path)
    return page(Subject(path, chain, {"a run of a long name": made(seed=1)}))


def measured(browser, folder, text, *widths):
    frames = "".join(f'<iframe width="{width}" height="900" srcdoc="{escape(text)}"></iframe>' for width in widths)
    (folder / "frames.html").write_text(FRAMES.format(frames=frames), encoding="utf-8")
    command = [*browser, "--dump-dom", f"file://{folder}/frames.html"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    return json.loads(unescape(re.search(r"<title>(.*?)</title>", shown, re.DOTALL).group(1)))


@pytest.mark.slow
def test_at_the_width_of_a_telephone_and_of_a_desk(browser, tmp_path, text):
    phone, desk = measured(browser, tmp_path, text, 390, 1280)
    for found in (phone, desk):
        assert found["scrolled"] <= found["width"] and found["beyond"] == []
        assert found["blank"] == 0 and found["asked"] == [] and found["small"] == 0
    assert phone["columns"] == 1 and desk["columns"] > 1


@pytest.mark.slow
def test_a_page_that_is_too_wide_is_noticed(browser, tmp_path, text):
    wide = text.replace("<main>", '<main><p style="width: 700px">wide</p><img src="http://127.0.0.1:9/a.png">')
    (found,) = measured(browser, tmp_path, wide, 390)
    assert found["scrolled"] > found["width"] and len(found["beyond"]) == 1
    assert found["blank"] == 1 and found["asked"] == ["http://127.0.0.1:9/a.png"]


@pytest.mark.slow
def test_in_print(browser, tmp_path, text):
    (tmp_path / "run.html").write_text(text, encoding="utf-8")
    command = [*browser, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path}/run.pdf", f"file://{tmp_path}/run.html"]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    printed = (tmp_path / "run.pdf").read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))
    assert printed.startswith(b"%PDF") and 3 <= pages <= 15
