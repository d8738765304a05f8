"""The JSON schema of configuration files, by which editors complete and check them."""

import math
from typing import Any

from pydantic.json_schema import models_json_schema

from ._likelihoods import FILES, LIKELIHOODS, OBSERVABLES
from ._python import PythonTable
from ._schema import Config

_TEMPLATE = "#/$defs/{model}"


def json_schema() -> dict[str, Any]:
    """The schema, draft 2020-12, made from the tables by which `load` checks a file.

    What concerns several tables at once, such as parameters that a likelihood needs, is left to `load`.
    """
    kinds = [*LIKELIHOODS.values(), *OBSERVABLES.values(), *FILES.values()]
    models = dict.fromkeys((Config, PythonTable, *(kind.table for kind in kinds)))
    references, collected = models_json_schema([(model, "validation") for model in models], ref_template=_TEMPLATE)
    definitions = _finite(collected["$defs"])
    table_of = {model: reference for (model, _), reference in references.items()}

    schema = definitions.pop(table_of[Config]["$ref"].rpartition("/")[2])
    own = [
        {"allOf": [table_of[kind.table]], "properties": {"observable": {"const": observable}}}
        for observable, kind in OBSERVABLES.items()
    ]
    own += [table_of[kind.table] for kind in FILES.values()] + [table_of[PythonTable]]
    schema["properties"]["likelihood"] = {
        "description": "Data sets by name, and data of your own under any other name.",
        "type": "object",
        "minProperties": 1,
        "properties": {name: table_of[kind.table] for name, kind in LIKELIHOODS.items()},
        "additionalProperties": {"anyOf": own},
    }
    definitions["RunTable"].pop("required")  # only its output is, which `load` names after the file
    schema["required"] = ["likelihood", "prior"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of cosmoflow",
        **{key: value for key, value in schema.items() if key != "title"},
        "$defs": definitions,
    }


def _finite(value: Any) -> Any:
    """Without the defaults that JSON cannot write."""
    if isinstance(value, dict):
        infinite = isinstance(value.get("default"), float) and not math.isfinite(value["default"])
        return {key: _finite(item) for key, item in value.items() if not (infinite and key == "default")}
    return [_finite(item) for item in value] if isinstance(value, list) else value
