"""`cosmoflow summarize`."""

from ._options import ChainFile


def summarize(chain: ChainFile) -> None:
    """Print the table of a chain."""
    from .. import diagnostics
    from ..chains import Chain
    from ._evidence import Evidence
    from ._varying import varying

    draws = Chain.from_file(chain)
    print(diagnostics.summarize(draws, varying(draws)))
    if diagnostics.is_field(draws):
        print(f"\n{diagnostics.summarize_fields(draws)}")
    if found := Evidence.from_attributes(draws.attributes):
        print(found)
