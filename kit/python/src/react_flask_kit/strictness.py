"""What msgspec lets pass and an API must not: unknown fields, and NaN as a Decimal.

Each value that msgspec has converted is asked this, so the test looks at nothing else.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import inspect as shapes

from .validation import Shape, is_list, is_object, names_of, plain, types_of

Test = Callable[[Any], bool]


def strictness(shape: Shape, ignore_unknown: bool) -> Test | None:
    """Return the test of a value of JSON; None where there is nothing to test."""
    tests: dict[int, Test | None] = {}

    def test_of(shape: Shape) -> Test | None:
        shape = plain(shape)
        key = id(shape)
        if key not in tests:
            # A type may contain itself.
            tests[key] = lambda value: (tests[key] or accept)(value)
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
            return test_of_tuple([test_of(part) for part in types_of(shape)])
        if isinstance(shape, shapes.UnionType):
            return test_of_union([(part, test_of(part)) for part in shape.types])
        return is_finite if isinstance(shape, shapes.DecimalType) else None

    return test_of(shape)


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


def test_of_tuple(places: list[Test | None]) -> Test | None:
    """Test each place."""
    tests = [(number, test) for number, test in enumerate(places) if test]
    if not tests:
        return None
    return lambda value: all(test(value[number]) for number, test in tests)


def test_of_union(members: list[tuple[Shape, Test | None]]) -> Test | None:
    """Test a value as the only member that it can be, by its kind or by its tag."""
    parts: list[tuple[Any, Test | None]] = [(plain(m), test) for m, test in members]
    objects = [part for part, _ in parts if is_object(part)]
    # msgspec takes several where each has a tag.
    tag = objects[0].tag_field if len(objects) > 1 else None
    tests = {
        part.tag if tag and is_object(part) else kind_of(part): test
        for part, test in parts
        if test
    }

    def test_one(value: Any) -> bool:
        is_tagged = tag and isinstance(value, dict)
        test = tests.get(value.get(tag) if is_tagged else type(value))
        return test is None or test(value)

    return test_one if tests else None


def kind_of(shape: Shape) -> type:
    """Return what a value of JSON is that has a test."""
    if is_list(shape):
        return list
    return str if isinstance(shape, shapes.DecimalType) else dict


def is_finite(value: Any) -> bool:
    """Tell whether what msgspec takes for a Decimal is a number."""
    return Decimal(str(value)).is_finite()


def accept(_value: Any) -> bool:
    """Test nothing."""
    return True
