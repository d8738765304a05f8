"""What all tables of a configuration have in common."""

from typing import Annotated, Any

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, model_validator

from ._errors import unknown_key

Number = Annotated[float, AllowInfNan(False)]


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Table(BaseModel):
    """A table of a configuration file: no unknown keys, no guessing of types, no change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, table: Any) -> Any:
        for key in table if isinstance(table, dict) else ():
            if key not in cls.model_fields:
                raise unknown_key(key, cls.model_fields)
        return table
