"""`cosmoflow schema`."""


def schema() -> None:
    """Print the JSON schema of configurations, for editors of TOML."""
    import json

    from ..config import json_schema

    print(json.dumps(json_schema(), indent=1, allow_nan=False))
