"""`cosmoflow data`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ._exit import FAILED

if TYPE_CHECKING:
    from ..datasets import DataSet

data = typer.Typer(no_args_is_help=True, help="List, fetch and verify data sets.")


@data.command("list")
def list_() -> None:
    """List all data sets, shipped and to be fetched."""
    from ..datasets import catalogue, fetch_folder

    rows = [("NAME", "STATE", "SIZE", "WHAT", "SOURCE")]
    rows += [(s.name, _state(s), _size(s.size), s.title, s.source) for s in catalogue().values()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print(f"\nFetched sets go to {fetch_folder()}; the environment variable COSMOFLOW_DATA names another folder.")


@data.command("fetch")
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The data sets.", show_default=False)],
) -> None:
    """Fetch data sets, or the rest of them."""
    from ..datasets import DataFile, FetchError, find
    from ..datasets import fetch as fetch_set

    def tell(file: DataFile, arrived: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if arrived == file.size else ""
            print(f"\r{file.name}: {_size(arrived)} of {_size(file.size)} ", end=end, file=sys.stderr, flush=True)

    for dataset in [find(name) for name in names]:
        if dataset.shipped:
            print(f"{dataset.name} is shipped with cosmoflow, in {dataset.folder}")
            continue
        try:
            files = fetch_set(dataset, progress=tell)
        except FetchError as error:
            print("\n" * sys.stderr.isatty() + f"cosmoflow: {error}", file=sys.stderr)
            raise typer.Exit(FAILED) from error
        print(f"{dataset.name}: {len(files)} of {len(dataset.files)} files fetched, complete in {dataset.folder}")
        print(f"Please cite {dataset.source}")


@data.command("verify")
def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME...]", help="The data sets [default: all that are here].", show_default=False),
    ] = None,
) -> None:
    """Compare with checksums; exit 1 if one differs."""
    from ..datasets import catalogue, find

    sets = [find(name) for name in names] if names else [s for s in catalogue().values() if s.missing != s.files]
    sound = True
    for dataset in sets:
        problems = [f"{file.name} is missing" for file in dataset.missing]
        problems += [f"{file.name} differs from its checksum" for file in dataset.damaged]
        sound &= not problems
        hint = "install cosmoflow again" if dataset.shipped else f"cosmoflow data fetch {dataset.name}"
        print(f"{dataset.name}: {', '.join(problems)}; {hint}" if problems else f"{dataset.name}: sound")
    if not sound:
        raise typer.Exit(FAILED)


def _state(dataset: "DataSet") -> str:
    if not dataset.missing:
        return "shipped" if dataset.shipped else "present"
    return "to be fetched" if dataset.missing == dataset.files else "in part"


def _size(size: int) -> str:
    """Of a file, to be read by people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
