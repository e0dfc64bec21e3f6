"""What msgspec lets pass and an API must not: unknown fields, and odd Decimals.

Each value that msgspec has converted is asked this, so the test looks at nothing else.
"""

import threading
from collections.abc import Callable
from typing import Any

from msgspec import inspect as shapes

from .validation import (
    Shape,
    is_array,
    is_list,
    is_number,
    is_object,
    names_of,
    plain,
    types_of,
)

Test = Callable[[Any], bool]


def strictness(shape: Shape, ignore_unknown: bool) -> Test | None:
    """Return the test of a value of JSON; None where there is nothing to test."""
    tests: dict[int, Test | None] = {}
    todo = Todo()

    def test_of(shape: Shape) -> Test | None:
        shape = plain(shape)
        key = id(shape)
        if key not in tests:
            # What a type contains of itself is tested later: JSON may be deep.
            tests[key] = lambda value: todo.add(tests[key], value)
            tests[key] = new_test(shape)
        return tests[key]

    def new_test(shape: Any) -> Test | None:
        if is_object(shape):
            names = None if ignore_unknown else frozenset(names_of(shape))
            return test_of_object(
                names,
                [(field.encode_name, test_of(field.type)) for field in shape.fields],
            )
        if isinstance(shape, shapes.DictType):
            test = test_of(shape.value_type)
            return test and (lambda value: all(map(test, value.values())))
        if isinstance(shape, shapes.CollectionType):
            test = test_of(shape.item_type)
            return test and (lambda value: all(map(test, value)))
        if is_list(shape):
            places = [test_of(part) for part in types_of(shape)]
            return test_of_tuple(places, is_array(shape) and not ignore_unknown)
        if isinstance(shape, shapes.UnionType):
            return test_of_union([(part, test_of(part)) for part in shape.types])
        return is_number if isinstance(shape, shapes.DecimalType) else None

    test = test_of(shape)
    return test and (lambda value: todo.test_all(test, value))


class Todo(threading.local):
    """The parts of a value that are still to be tested, for each thread."""

    def __init__(self) -> None:
        """Begin with none."""
        self.parts: list[tuple[Test | None, Any]] = []

    def add(self, test: Test | None, value: Any) -> bool:
        """Let a value be tested later; it may be good."""
        self.parts.append((test, value))
        return True

    def test_all(self, test: Test, value: Any) -> bool:
        """Test a value, and what is added meanwhile."""
        self.parts = [(test, value)]
        try:
            while self.parts:
                its, part = self.parts.pop()
                if its and not its(part):
                    return False
            return True
        finally:
            self.parts = []


def test_of_object(
    names: frozenset[str] | None, fields: list[tuple[str, Test | None]]
) -> Test | None:
    """Test that there are no other `names`, unless they are None, and each field."""
    tests = [(name, test) for name, test in fields if test]
    if not tests:
        return None if names is None else names.issuperset

    def test(value: dict) -> bool:
        if names is not None and not names.issuperset(value):
            return False
        return all(its(value[name]) for name, its in tests if name in value)

    return test


def test_of_tuple(places: list[Test | None], is_limited: bool) -> Test | None:
    """Test each place, and that there are no more, if it is limited to them."""
    if not is_limited and not any(places):
        return None

    def test(value: list) -> bool:
        if is_limited and len(value) > len(places):
            return False
        # The last ones may have defaults.
        return all(its(part) for its, part in zip(places, value, strict=False) if its)

    return test


def test_of_union(members: list[tuple[Shape, Test | None]]) -> Test | None:
    """Test a value as the only member that it can be, by its kind or by its tag."""
    parts: list[tuple[Any, Test | None]] = [(plain(m), test) for m, test in members]
    objects = [part for part, _ in parts if is_object(part)]
    arrays = [part for part, _ in parts if is_array(part)]
    # msgspec takes several of a kind where each has a tag, which is here.
    places: dict[type, Any] = {dict: objects[0].tag_field} if len(objects) > 1 else {}
    places |= {list: 0} if len(arrays) > 1 else {}
    tests = {}
    for part, its in parts:
        kind = kind_of(part)
        tests[kind, part.tag if kind in places else None] = its

    def test_one(value: Any) -> bool:
        kind = type(value)
        test = tests.get((kind, value[places[kind]] if kind in places else None))
        return test is None or test(value)

    return test_one if any(tests.values()) else None


def kind_of(shape: Shape) -> type:
    """Return what a value of JSON is; object where it has no test."""
    if is_list(shape):
        return list
    if is_object(shape) or isinstance(shape, shapes.DictType):
        return dict
    return str if isinstance(shape, shapes.DecimalType) else object
