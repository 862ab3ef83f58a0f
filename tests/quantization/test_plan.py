"""Plans as JSON: exact round trips, and one line that names what is wrong with a file."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgesr.errors import UserError
from edgesr.quantization.plan import Plan, Provenance, from_json

floats = st.floats(-1e29, 1e29, allow_nan=False)
positive = st.floats(1e-29, 1e29)
names = st.text(min_size=1, max_size=12)


def tables(value: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(names, value, max_size=3)


scale_lists = st.lists(positive, min_size=1, max_size=4).map(tuple)
plans = st.builds(
    Plan,
    ranges=tables(st.tuples(floats, floats).map(lambda pair: (min(pair), max(pair)))),
    weight_scales=tables(scale_lists),
    channel_scales=tables(scale_lists),
    bias_corrections=tables(st.lists(floats, max_size=4).map(tuple)),
    containers=tables(st.sampled_from(["w8a8", "w4a8", "w8a8-dynamic", "a8", "f32"])),
    weight_levels=tables(st.binary(max_size=9)),
    sensitivity=tables(floats),
    dynamic_sensitivity=tables(floats),
    layer_map=tables(st.integers(-1, 1)),
    thresholds=st.none() | st.tuples(floats, floats),
    provenance=st.builds(Provenance, names, st.integers(0, 99), st.just("ab" * 32), st.integers(0, 9)),
)


@given(plans)
def test_round_trips_are_exact(plan: Plan) -> None:
    text = plan.to_json()
    assert from_json(text) == plan
    assert from_json(text).to_json() == text


def test_a_minor_version_may_add_keys() -> None:
    data = json.loads(Plan({}, {}).to_json()) | {"schema": "1.7", "something": "new"}
    assert from_json(json.dumps(data)) == Plan({}, {})


MALFORMED = {
    "another major version": ({"schema": "2.0"}, "schema is '2.0'"),
    "no version": ({"schema": None}, "schema"),
    "unknown container": ({"containers": {"conv": "w2a2"}}, "container 'w2a2' of 'conv'"),
    "containers as list": ({"containers": ["f32"]}, "not a plan"),
    "reversed range": ({"ranges": {"conv": [1.0, -1.0]}}, "of 'conv' is not a finite interval"),
    "infinite range": ({"ranges": {"conv": [0.0, 1e999]}}, "of 'conv' is not a finite interval"),
    "range of three": ({"ranges": {"conv": [0.0, 1.0, 2.0]}}, "not a plan"),
    "range of text": ({"ranges": {"conv": ["a", "b"]}}, "not a plan"),
    "range missing": ({"ranges": {"conv": None}}, "not a plan"),
    "zero scale": ({"weight_scales": {"conv": [1.0, 0.0]}}, "'conv' are not all positive"),
    "scale that is no list": ({"weight_scales": {"conv": 1.0}}, "not a plan"),
    "negative channel scale": ({"channel_scales": {"conv": [-1.0]}}, "'conv' are not all positive"),
    "sensitivity of text": ({"sensitivity": {"conv": "high"}}, "not a plan"),
    "layer map of text": ({"layer_map": {"conv": "up"}}, "not a plan"),
    "apart as text": ({"apart": "tail"}, "'apart' is 'tail', not a list of names"),
    "apart as object": ({"apart": {"tail": 1}}, "not a list of names"),
    "apart of numbers": ({"apart": [1]}, "'apart' is [1], not a list of names"),
    "one threshold": ({"thresholds": [1.0]}, "not a plan"),
    "thresholds of text": ({"thresholds": "low"}, "not a plan"),
    "provenance of text": ({"provenance": "me"}, "not a plan"),
    "threshold of NaN": ({"thresholds": [0.0, float("nan")]}, "'thresholds' is nan, not a finite number"),
    "infinite sensitivity": ({"sensitivity": {"conv": 1e999}}, "'conv' is inf, not a finite number"),
    "seed of text": (
        {"provenance": {"method": "minmax", "images": 1, "fingerprint": "ab", "seed": "0"}},
        "'seed' of 'provenance' is '0'",
    ),
    "scale that no float32 holds": (
        {"weight_scales": {"conv": [1e-300]}},
        "'conv' are not all positive and finite as float32",
    ),
    "numbers that no float holds": ({"sensitivity": {"conv": 10**400}}, "not a plan"),
    "layer map without end": ({"layer_map": {"conv": 1e999}}, "not a plan"),
    "seed below zero": (
        {"provenance": {"method": "minmax", "images": 1, "fingerprint": "ab", "seed": -1}},
        "'provenance' has the seed -1",
    ),
    "provenance with more": ({"provenance": {"author": "me"}}, "not a plan"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_fields_are_user_errors(case: str) -> None:
    change, message = MALFORMED[case]
    text = json.dumps(json.loads(Plan({}, {}).to_json()) | change)
    with pytest.raises(UserError, match=f"^my.json .*{re.escape(message)}") as caught:
        from_json(text, "my.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", [f for f in json.loads(Plan({}, {}).to_json()) if f != "schema"])
def test_missing_fields_are_named(field: str) -> None:
    data = json.loads(Plan({}, {}).to_json())
    del data[field]
    with pytest.raises(UserError, match=f"'{field}' is missing"):
        from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "not json", "[]", "null", "3", '{"schema": "1.0"', "[" * 100_000])
def test_files_that_are_no_plans(text: str) -> None:
    with pytest.raises(UserError, match="edgesr convert --plan"):
        from_json(text)
