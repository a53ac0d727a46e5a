"""Part: one exchangeable piece of a practice, as an immutable, validated, hashable record.

A family is a base class; a kind is one subclass. The class statement is all the registration there is:

    class Network(Part, family="network"): ...
    class ResNet(Network, kind="resnet"):
        depth: int = option(34, "layers with weights", low=18, high=152)

From that one definition come the Python constructor, YAML, `--network.depth 34`, the JSON schema, the reference page
and the search range.
"""

import hashlib
import json
from typing import Any, ClassVar, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import core_schema

from deepwright.core.errors import RecipeError, did_you_mean
from deepwright.core.text import text

FAMILIES: dict[str, type["Part"]] = {}
"""Every family's base class by its name."""


def option(
    default: Any = ...,
    help: str = "",
    *,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    search: tuple[float, float] | tuple[float, float, str] | tuple[Any, ...] | None = None,
) -> Any:
    """One option of a part: its default, one line of help, its unit, its range and where a search looks.

    A default that is a part's class stands for that part with its own defaults.
    low, high: inclusive bounds. above, below: exclusive bounds. search: (low, high), (low, high, "log") or choices.
    """
    extra: dict[str, Any] = {k: v for k, v in {"unit": unit, "search": search}.items() if v is not None}
    if isinstance(default, type) and issubclass(default, Part):
        return Field(default_factory=default, description=help)
    bounds: dict[str, Any] = {"ge": low, "le": high, "gt": above, "lt": below}
    return Field(default, description=help, json_schema_extra=extra or None, **bounds)


class Part(BaseModel):
    """The base of every part. Its fields are its options; equal parts have equal hashes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, allow_inf_nan=False, protected_namespaces=()
    )

    family: ClassVar[str] = ""
    kind: ClassVar[str] = ""
    version: ClassVar[int] = 1
    kinds: ClassVar[dict[str, type["Part"]]] = {}

    def __init_subclass__(cls, *, family: str = "", kind: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if family:
            cls.family, cls.kinds = family, {}
        cls.kind = kind

    @classmethod
    def __pydantic_init_subclass__(cls, *, family: str = "", kind: str = "", **kwargs: Any) -> None:
        if family:
            FAMILIES[family] = cls
        if not kind:
            return
        taken = cls.kinds.get(kind)
        if taken is not None:
            raise RecipeError(
                "part.kind_taken", family=cls.family, kind=kind, by=f"{taken.__module__}.{taken.__name__}"
            )
        cls.kinds[kind] = cls

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        if cls.family and not cls.kind:  # a field typed as a family takes any of its kinds
            return core_schema.no_info_plain_validator_function(
                cls._coerce, serialization=core_schema.plain_serializer_function_ser_schema(lambda part: part.dump())
            )
        return handler(source)

    @classmethod
    def _coerce(cls, value: Any) -> "Part":
        if isinstance(value, cls):
            return value
        if isinstance(value, str | dict):
            return cls.parse(value)
        raise ValueError(text("part.not_a_part", family=cls.family, found=repr(value)))

    @model_validator(mode="before")
    @classmethod
    def _freeze_lists(cls, value: Any) -> Any:
        return {k: _tuples(v) for k, v in value.items()} if isinstance(value, dict) else value

    @model_serializer(mode="plain")
    def _serialise(self) -> dict[str, Any]:
        return self.dump()

    @classmethod
    def parse(cls, value: str | dict[str, Any], where: str | None = None) -> Self:
        """The part that plain data describe: a kind's name, or a mapping with `kind` and options.

        Raises RecipeError naming the option, what was found and what is allowed.
        """
        data = {"kind": value} if isinstance(value, str) else dict(value)
        where = where or cls.family or cls.__name__.lower()
        target: type[Part] = cls
        kind = data.pop("kind", None)
        if cls.family and not cls.kind:
            if kind is None:
                raise RecipeError("part.no_kind", where=where, allowed=", ".join(sorted(cls.kinds)))
            if not isinstance(kind, str) or kind not in cls.kinds:
                hint = did_you_mean(str(kind), sorted(cls.kinds))
                raise RecipeError(
                    "part.unknown_kind", where=where, kind=kind, allowed=", ".join(sorted(cls.kinds)), hint=hint
                )
            target = cls.kinds[kind]
        elif kind is not None and kind != cls.kind:
            raise RecipeError("part.wrong_kind", where=where, kind=kind, allowed=cls.kind)
        try:
            return target.model_validate(data)  # type: ignore[return-value]
        except ValidationError as error:
            raise recipe_error(target, where, error) from None

    def dump(self, *, defaults: bool = True) -> dict[str, Any]:
        """This part as plain data; nested parts are dumped by their own class.

        defaults: also the options that stand at their default.
        """
        head: dict[str, Any] = {"kind": self.kind} if self.kind else {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if defaults or not _is_default(value, field.get_default(call_default_factory=True)):
                head[name] = _plain(value, defaults)
        return head

    @property
    def hash(self) -> str:
        """SHA-256 over family, kind, version and the options that differ from their default, as 64 hex digits."""
        return hashlib.sha256(canonical_json(self._identity()).encode()).hexdigest()

    def _identity(self) -> dict[str, Any]:
        options = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if not _is_default(value, field.get_default(call_default_factory=True)):
                options[name] = _identities(value)
        return {"family": self.family, "kind": self.kind, "version": self.version, "options": options}

    def replace(self, **changes: Any) -> Self:
        """A copy with some options changed, validated again."""
        current = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self).model_validate({**current, **changes})
        except ValidationError as error:
            raise recipe_error(type(self), self.family or type(self).__name__.lower(), error) from None

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise recipe_error(type(self), self.family or type(self).__name__.lower(), error) from None

    def __hash__(self) -> int:
        return int(self.hash[:15], 16)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in type(self).model_fields
        )


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def recipe_error(part: type[Part], where: str, error: ValidationError) -> RecipeError:
    """The first fault of a pydantic error as one sentence: where, what was found, what is allowed, what to do."""
    if isinstance(error, RecipeError):
        return error
    fault = error.errors(include_url=False)[0]
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, RecipeError):
        return cause
    place = ".".join([where, *(str(p) for p in fault["loc"])])
    if fault["type"] == "extra_forbidden":
        name = str(fault["loc"][-1])
        known = sorted(part.model_fields)
        return RecipeError("part.unknown_option", where=place, allowed=", ".join(known), hint=did_you_mean(name, known))
    if fault["type"] == "missing":
        return RecipeError("part.missing_option", where=place)
    name = str(fault["loc"][0]) if fault["loc"] else ""
    found = fault.get("input")
    shown = repr(found) if len(repr(found)) <= 80 else repr(found)[:77] + "..."
    if cause is not None:
        return RecipeError("part.bad_value_because", where=place, found=shown, why=str(cause))
    return RecipeError("part.bad_value", where=place, found=shown, allowed=allowed(part, name) or fault["msg"])


def allowed(part: type[Part], name: str) -> str:
    """What an option takes, in words: its type and its range."""
    field = part.model_fields.get(name)
    if field is None:
        return ""
    none = f" | {text('part.type_none')}"
    words = type_words(field.annotation)
    bounds = [
        f"{sign} {bound:g}" if isinstance(bound, float) else f"{sign} {bound}"
        for rule in field.metadata
        for attribute, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
        if (bound := getattr(rule, attribute, None)) is not None
    ]
    if bounds and words.endswith(none):  # the range is of the number, not of none
        return " ".join([words.removesuffix(none), *bounds]) + none
    return " ".join([words, *bounds])


def type_words(annotation: Any) -> str:
    """A type as a user reads it: `whole number`, `number`, `mlp | cnn`."""
    simple = {
        int: "part.type_int",
        float: "part.type_float",
        str: "part.type_str",
        bool: "part.type_bool",
        type(None): "part.type_none",
    }
    if annotation in simple:
        return text(simple[annotation])
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return " | ".join(sorted(annotation.kinds)) if annotation.family else annotation.__name__
    arguments = [a for a in get_args(annotation) if a is not ...]
    if not arguments:
        return getattr(annotation, "__name__", str(annotation))
    if getattr(annotation, "__origin__", None) is tuple:
        return text("part.type_list", of=" | ".join(dict.fromkeys(type_words(a) for a in arguments)))
    return " | ".join(
        repr(a) if isinstance(a, str | int) and not isinstance(a, bool) else type_words(a) for a in arguments
    )


def _tuples(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_tuples(v) for v in value)
    return value


def _plain(value: Any, defaults: bool) -> Any:
    if isinstance(value, Part):
        return value.dump(defaults=defaults)
    if isinstance(value, tuple):
        return [_plain(v, defaults) for v in value]
    return value


def _is_default(value: Any, default: Any) -> bool:
    """Whether a value is the default, which may be given as a kind's name."""
    if isinstance(value, Part) and isinstance(default, str):
        return value.kind == default and all(
            _is_default(getattr(value, name), field.get_default(call_default_factory=True))
            for name, field in type(value).model_fields.items()
        )
    if isinstance(value, tuple) and isinstance(default, tuple) and len(value) == len(default):
        return all(_is_default(v, d) for v, d in zip(value, default, strict=True))
    return isinstance(value, bool) == isinstance(default, bool) and bool(value == default)


def _identities(value: Any) -> Any:
    if isinstance(value, Part):
        return value._identity()
    if isinstance(value, tuple):
        return [_identities(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 3.0 and 3, 0.0 and -0.0 are equal options
    return value
