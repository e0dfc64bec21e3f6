"""Which code is whose: the project's, a package's, or Python's own."""

import os
import sys
from pathlib import Path
from types import TracebackType

KIT = Path(__file__).resolve().parent
PACKAGES = ("site-packages", "dist-packages")
# On Windows the compiled modules are apart.
PYTHON = (Path(os.__file__).parent, Path(sys.base_prefix) / "DLLs")


def is_own_code(filename: str) -> bool:
    """Tell whether a file is the project's: below the current folder, no package."""
    path = Path(filename)
    return (
        path.is_relative_to(Path.cwd())
        and not is_installed(path)
        and not path.is_relative_to(KIT)
    )


def is_installed(path: Path) -> bool:
    """Tell whether a file belongs to an installed package, or to Python itself."""
    return any(name in path.parts for name in PACKAGES) or any(
        path.is_relative_to(folder) for folder in PYTHON
    )


def loaded_files() -> set[str]:
    """Return the absolute paths of the modules that are loaded, but for the program."""
    modules = [m for name, m in list(sys.modules.items()) if name != "__main__"]
    files = {getattr(module, "__file__", None) or "" for module in modules}
    return {os.path.abspath(file) for file in files if os.path.isfile(file)}


def own_part(trace: TracebackType) -> TracebackType:
    """Leave out how the app came to be imported, unless that is all there is."""
    part: TracebackType | None = trace
    while part and not is_own_code(part.tb_frame.f_code.co_filename):
        part = part.tb_next
    return part or trace


def path_in_project(file: str | Path) -> str:
    """Write a path as in the project's folder; one from elsewhere stays as it is."""
    path, project = Path(file), Path.cwd()
    is_there = path.is_relative_to(project)
    return (path.relative_to(project) if is_there else path).as_posix()
