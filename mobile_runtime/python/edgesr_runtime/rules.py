"""The checks that turn untrusted JSON into typed values: each takes a value and its path, and answers the
value or raises `FieldError`.

They agree with JSON Schema on what is a number: `1.0` is an integer, `true` is not.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[object, str], Any]


class FieldError(ValueError):
    """A field breaks a rule; the message starts with its path."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)


def integer(low: int, high: int) -> Check:
    """A whole number low..high."""

    def check(value: object, path: str) -> int:
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        if not whole or not low <= value <= high:  # type: ignore[operator]
            raise _wrong(path, f"an integer {low}..{high}", value)
        return int(value)  # type: ignore[call-overload]

    return check


def finite(value: object, path: str) -> float:
    """A finite number."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer beyond float64
        pass
    raise _wrong(path, "a finite number", value)


def between(low: float, high: float) -> Check:
    """A number low..high."""

    def check(value: object, path: str) -> float:
        number: float = finite(value, path)
        if not low <= number <= high:
            raise _wrong(path, f"a number {low}..{high}", value)
        return number

    return check


def text(pattern: str = r".+") -> Check:
    """A string that `pattern` matches as a whole; by default any that is not empty."""

    def check(value: object, path: str) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
            raise _wrong(path, "text" if pattern == ".+" else f"text like {pattern}", value)
        return value

    return check


def choice(*allowed: Any) -> Check:
    """One of the given numbers, strings or tuples of strings (lists in JSON)."""

    def check(value: object, path: str) -> Any:
        wanted = tuple(value) if isinstance(value, list) else value
        for item in allowed:
            if type(wanted) is not bool and item == wanted:
                return item
        raise _wrong(path, " or ".join(repr(item) for item in allowed), value)

    return check


def mapping(value: object, path: str) -> dict[str, Any]:
    """An object, taken as it is."""
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    return value


def interval(value: object, path: str) -> tuple[float, float]:
    """A list of two finite numbers, the lower first."""
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(path, "a list of two numbers", value)
    low, high = finite(value[0], f"{path}[0]"), finite(value[1], f"{path}[1]")
    if low > high:
        raise _wrong(path, "two numbers, the lower first", value)
    return low, high


def optional(check: Check) -> Check:
    """None (also a missing key) or what `check` takes."""
    return default(None, check)


def default(otherwise: Any, check: Check) -> Check:
    """`otherwise` for None (also a missing key), or what `check` takes."""
    return lambda value, path: otherwise if value is None else check(value, path)


def items(check: Check) -> Check:
    """A list, as a tuple, of what `check` takes."""

    def check_all(value: object, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        return tuple(check(item, f"{path}[{index}]") for index, item in enumerate(value))

    return check_all


def record(cls: type[Any], rules: Mapping[str, Check]) -> Check:
    """An object with a key for every rule, as an instance of `cls`; other keys are ignored."""

    def check(value: object, path: str) -> Any:
        fields = mapping(value, path)
        prefix = f"{path}." if path else ""
        return cls(**{name: rule(fields.get(name), prefix + name) for name, rule in rules.items()})

    return check


def _wrong(path: str, wanted: str, value: object) -> FieldError:
    if value is None:
        return FieldError(path, f"must be {wanted}, but is missing or null")
    shown = repr(value)
    return FieldError(path, f"must be {wanted}, got {shown if len(shown) <= 60 else shown[:57] + '...'}")
