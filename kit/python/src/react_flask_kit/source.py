"""What stands in the source of a function, and what the names in it mean."""

import ast
import builtins
import inspect
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def definition_of(function: Any) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return the definition of a function, with the line numbers of its file.

    None for one without source, and for a lambda.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        # Whatever it is in, such as a class or a factory.
        tree = ast.parse("if True:\n" * lines[0][0].isspace() + "".join(lines))
    except (OSError, SyntaxError, TypeError):
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    if not found:
        return None
    definition = found[0]
    # Its first line may be that of a decorator.
    before = min(node.lineno for node in [definition, *definition.decorator_list])
    return ast.increment_lineno(definition, first - before)


def own_nodes(definition: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function, but not in the functions and classes in it."""
    nodes = [*ast.iter_child_nodes(definition)][::-1]
    while nodes:
        node = nodes.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            nodes += [*ast.iter_child_nodes(node)][::-1]


def names_in(function: Any) -> dict[str, Any]:
    """Return what the names mean in a function that are not its own."""
    names = vars(builtins) | function.__globals__
    code, cells = function.__code__, function.__closure__ or ()
    for name, cell in zip(code.co_freevars, cells, strict=True):
        # One that is assigned later is empty yet.
        with suppress(ValueError):
            names[name] = cell.cell_contents
    own = {*code.co_varnames, *code.co_cellvars}
    return {name: value for name, value in names.items() if name not in own}


def resolve(node: ast.expr, names: dict[str, Any]) -> Any:
    """Return what an expression such as `list[NewNote]` means.

    It may name a module, a class or a constant, and choose the arguments of a generic
    one; of calls, only those of classes in `msgspec` are made. Raises for all else.
    """
    match node:
        case ast.Name(name):
            return names[name]
        case ast.Constant(value):
            return value
        case ast.Attribute(owner, name):
            owner = resolve(owner, names)
            # Of other objects, an attribute may be a call.
            if inspect.ismodule(owner) or inspect.isclass(owner):
                return getattr(owner, name)
        case ast.Subscript(generic, arguments):
            return resolve(generic, names)[resolve(arguments, names)]
        case ast.Tuple(parts):
            return tuple(resolve(part, names) for part in parts)
        case ast.BinOp(left, ast.BitOr(), right):
            return resolve(left, names) | resolve(right, names)
        case ast.Call(called, [], keywords):
            cls = resolve(called, names)
            if getattr(cls, "__module__", "").partition(".")[0] == "msgspec":
                return cls(**{str(k.arg): resolve(k.value, names) for k in keywords})
    raise LookupError(ast.unparse(node))
