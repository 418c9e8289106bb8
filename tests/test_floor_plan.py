"""The house stands on its floors: imports run only downwards, never in a circle; the world is met only at the roof."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import pos_discount

PACKAGE = Path(pos_discount.__file__).parent
FLOORS = (
    "policy",
    "pricing",
    "sensitivity",
    "answering",
    "decide",
    "store",
    "recording",
    "learning",
    "measure",
    "simulation",
    "web",
    "cli",
)
WORLD_MODULES = {"socket", "secrets", "uuid", "subprocess", "urllib.request", "http.client", "requests", "getpass"}
WORLD_CALLS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.sleep"),
    *("random.random", "random.randint", "random.choice", "random.shuffle", "random.seed", "os.urandom", "uuid.uuid4"),
    *("os.environ", "os.getenv", "numpy.random.seed", "np.random.seed"),
}
DISK_CALLS = {
    "open",
    "write_text",
    "write_bytes",
    "mkdir",
    "unlink",
    "touch",
    "read_text",
    "read_bytes",
    "iterdir",
    "glob",
}
PURE_FLOORS = {"ground", "policy", "pricing", "sensitivity", "answering", "decide", "learning", "measure"}


def module_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> str:
    first = module.split(".")[1] if "." in module else ""
    return "decide" if first == "answering" else first if first in FLOORS else "ground"


def height(floor: str) -> int:
    return FLOORS.index(floor) + 1 if floor in FLOORS else 0


MODULES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in module_files()}


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield every module that is imported anywhere in a file, a name from a package resolved to its own module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


def house_imports(module: str) -> set[str]:
    return {name for name in imported_names(MODULES[module]) if name in MODULES and name != module}


def running_imports(module: str) -> set[str]:
    """Return what a module imports when it runs: not what only a checker of types reads."""
    tree = MODULES[module]
    branches = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    types_only = {name for branch in branches for name in imported_names(ast.Module(branch.body, []))}
    return house_imports(module) - types_only


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_only_downwards(module: str) -> None:
    upwards = {name for name in house_imports(module) if height(floor_of(name)) > height(floor_of(module))}
    upwards = {name for name in upwards if name != "pos_discount"}
    assert not upwards, f"{module} stands below what it imports"


def test_no_imports_run_in_a_circle() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, "a circle: " + " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for name in sorted(running_imports(module)):
                visit(name, (*path, module))
            done.add(module)

    for module in sorted(MODULES):
        visit(module, ())


def test_only_learning_imports_scikit_learn() -> None:
    importers = {
        module for module, tree in MODULES.items() if any(n.split(".")[0] == "sklearn" for n in imported_names(tree))
    }
    assert {floor_of(module) for module in importers} <= {"learning"}


@pytest.mark.parametrize("module", [module for module in sorted(MODULES) if floor_of(module) == "web"])
def test_what_the_web_imports_never_leads_to_learning(module: str) -> None:
    reached, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += house_imports(name)
    assert not {name for name in reached if floor_of(name) == "learning"}


@pytest.mark.parametrize("module", [module for module in sorted(MODULES) if floor_of(module) in PURE_FLOORS])
def test_below_the_roof_nothing_asks_the_world(module: str) -> None:
    tree = MODULES[module]
    assert not WORLD_MODULES & set(imported_names(tree)), f"{module} reaches for the world"
    assert not WORLD_CALLS & {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    reads_disk = {called(node) for node in ast.walk(tree) if isinstance(node, ast.Call)} & DISK_CALLS
    assert not reads_disk or floor_of(module) == "policy", f"{module} touches the disk: {reads_disk}"


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_in_the_policy_only_the_reader_touches_the_disk() -> None:
    touching = {
        module
        for module, tree in MODULES.items()
        if floor_of(module) == "policy" and {called(n) for n in ast.walk(tree) if isinstance(n, ast.Call)} & DISK_CALLS
    }
    assert touching <= {"pos_discount.policy.folder"}


def test_whatever_is_imported_comes_with_a_plain_install() -> None:
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = {re.split(r"[<>=;\[ ]", wanted)[0] for wanted in project["dependencies"]}
    imported = {name.partition(".")[0] for tree in MODULES.values() for name in imported_names(tree)}
    origins = packages_distributions()
    from_elsewhere = (imported & origins.keys()) - sys.stdlib_module_names - {"pos_discount"}
    assert not {name for name in from_elsewhere if not installed & set(map(spelled, origins[name]))}


def spelled(distribution: str) -> str:
    return distribution.lower().replace("_", "-")
