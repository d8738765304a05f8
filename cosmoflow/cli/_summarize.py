"""`cosmoflow summarize`."""

from ._options import ChainFile


def summarize(chain: ChainFile) -> None:
    """Print the table of a chain."""
    from .. import diagnostics
    from ..chains import Chain

    draws = Chain.from_file(chain)
    print(diagnostics.summarize(draws, diagnostics.varying(draws)))
    if diagnostics.is_field(draws):
        print(f"\n{diagnostics.summarize_fields(draws)}")
    if found := diagnostics.FlowEvidence.from_attributes(draws.attributes):
        print(found)
