"""The command `cosmoflow`; what a command needs is imported when it runs, so that `--help` answers at once."""

import sys
from typing import Annotated

import typer

from .. import __version__
from .._results import CosmoflowError, RunError
from ._bestfit import bestfit
from ._check import check
from ._data import data
from ._doctor import doctor
from ._exit import BAD_INPUT, RESUMABLE, exit_code
from ._export import export
from ._fit import fit
from ._import import import_
from ._merge import merge
from ._new import new
from ._plot import plot
from ._profile import profile
from ._report import report
from ._resume import resume_command
from ._sample import sample
from ._schema import schema
from ._submit import submit
from ._summarize import summarize
from ._watch import watch

app = typer.Typer(
    name="cosmoflow",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    new, sample, fit, merge, bestfit, watch, summarize, plot, report, check, export, schema, submit, profile, doctor,
)  # fmt: skip
for command in COMMANDS:
    app.command()(command)
app.command("import")(import_)
app.add_typer(data, name="data")


def _print_version(wanted: bool) -> bool:
    if wanted:
        print(f"cosmoflow {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Sample posteriors of cosmological surveys with Hamiltonian and non-reversible flows."""


def main() -> None:
    """Run the command line; what goes wrong is said in one sentence."""
    try:
        app()
    except RunError as error:
        code = exit_code(error.status)
        hint = f" To go on: `{resume_command()}`." if code == RESUMABLE else ""
        print(f"cosmoflow: {error}{hint}", file=sys.stderr)
        sys.exit(code)
    except (CosmoflowError, OSError) as error:
        print(f"cosmoflow: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT)
