"""Elements of a page."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from ..plotting import STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Html(str):
    """Text that is HTML already."""


def element(name: str, *content: object, **attributes: object) -> Html:
    """An element; content that is not HTML yet is escaped, and the attribute `class_` is `class`.

    Args:
        name: of the element.
        content: what is in it.
        attributes: without those that are None.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    head = "".join(f' {key}="{escape(str(value))}"' for key, value in given.items())
    return Html(f"<{name}{head}>{joined(content)}</{name}>")


def joined(content: Iterable[object]) -> Html:
    """Pieces one after another, without those that are None."""
    parts = (part for part in content if part is not None)
    return Html("".join(part if isinstance(part, Html) else escape(str(part)) for part in parts))


def table(header: Sequence[object], rows: Iterable[Sequence[object]], *, class_: str = "numbers") -> Html:
    """A table, whose first column names the rows; where it is wider than the screen it scrolls by itself."""
    head = element("thead", element("tr", *(element("th", cell, scope="col") for cell in header)))
    lines = [
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest))
        for first, *rest in rows
    ]
    return element("div", element("table", head, element("tbody", *lines), class_=class_), class_="scroll")


def facts(rows: Iterable[tuple[object, object]]) -> Html:
    """What is known, as a list of names and values; what is None or empty is left out."""
    pairs = ((element("dt", name), element("dd", value)) for name, value in rows if value not in (None, ""))
    return element("dl", *(part for pair in pairs for part in pair))


def picture(figure: "Figure", caption: object, *, alt: str, class_: str | None = None) -> Html:
    """A figure with its caption, drawn by paths, so that no font is needed; `class_` "wide" lets it scroll."""
    import matplotlib as mpl

    content = BytesIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": "cosmoflow"}):
        figure.savefig(content, format="svg", bbox_inches="tight", dpi=200, metadata={"Date": None})
    width = round(figure.get_figwidth() * 96)
    image = Html(f'<img alt="{escape(alt)}" width="{width}" src="{_embedded(content)}">')
    return element("figure", element("div", image, class_="scroll"), element("figcaption", caption), class_=class_)


def symbol(latex: str, name: str) -> Html:
    """LaTeX as a small picture, and the plain name where it cannot be drawn."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    content = BytesIO()
    try:
        with mpl.rc_context({**STYLE, "svg.hashsalt": "cosmoflow", "savefig.facecolor": "none"}):
            depth = math_to_image(f"${latex}$", content, prop=FontProperties(size=12), format="svg")
    except ValueError:
        return element("code", name)
    style = f"vertical-align: {-depth:.1f}pt"
    return Html(f'<img class="symbol" style="{style}" alt="{escape(name)}" src="{_embedded(content)}">')


def _embedded(content: BytesIO) -> str:
    return f"data:image/svg+xml;base64,{b64encode(content.getvalue()).decode()}"
