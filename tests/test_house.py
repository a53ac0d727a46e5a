"""The house: names, forbidden calls, no addresses of registries, an instant start."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deepwright

PACKAGE = Path(deepwright.__file__).parent
ROOT = PACKAGE.parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

NAMES_WITHOUT_A_JOB = {"common", "helper", "helpers", "misc", "tools", "util", "utils"}
HEAVY = ("matplotlib", "onnx", "onnxruntime", "pandas", "polars", "scipy", "sklearn", "torch")
FORBIDDEN_IMPORTS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "os.popen", "os.system", "torch.load", "yaml.load", "np.load", "numpy.load"}
# written in pieces, so that this file does not find itself
REGISTRIES = re.compile(
    "|".join(re.escape(".".join(p)) for p in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org")))
    + "|"
    + "|".join(re.escape(".".join(p)) for p in (("download", "pytorch", "org"), ("anaconda", "org"), ("debian", "org")))
    + r"|--(extra-)?index"
    + r"-url|--find"
    + r"-links"
)


def forbidden(tree: ast.AST) -> list[str]:
    """Calls and imports that could run code out of data, or a shell."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_IMPORTS
            found += [f"{node.lineno}: import {name}" for name in sorted(names)]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS:
            found.append(f"{node.lineno}: import {node.module}")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in FORBIDDEN_CALLS and not reads_tensors_alone(name, node):
                found.append(f"{node.lineno}: {name}")
            found += [
                f"{node.lineno}: {word.arg}={word.value.value}"
                for word in node.keywords
                if word.arg in ("shell", "allow_pickle") and isinstance(word.value, ast.Constant) and word.value.value
            ]
        elif isinstance(node, ast.ExceptHandler) and swallows(node):
            found.append(f"{node.lineno}: swallowed exception")
    return found


def reads_tensors_alone(name: str, call: ast.Call) -> bool:
    """torch's restricted reader, which builds nothing but tensors and plain values."""
    words = {word.arg: word.value for word in call.keywords}
    only = words.get("weights_only")
    return name == "torch.load" and isinstance(only, ast.Constant) and only.value is True


def swallows(handler: ast.ExceptHandler) -> bool:
    """`except:` in any form, or `except Exception: pass`."""
    if handler.type is None:
        return True
    is_broad = isinstance(handler.type, ast.Name) and handler.type.id in ("BaseException", "Exception")
    return is_broad and all(isinstance(line, ast.Pass | ast.Continue) for line in handler.body)


def modules_after(code: str) -> list[str]:
    """The modules that a fresh process has loaded after running the code, by full name."""
    report = "import sys; sys.stderr.write('\\n' + ' '.join(sys.modules))"
    script = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{report}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()[-1].split()


def libraries_after(code: str) -> set[str]:
    return {name.split(".")[0] for name in modules_after(code)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_source_runs_code_out_of_data(path: Path):
    assert forbidden(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "exec('1')",
        "import pickle",
        "from joblib import load",
        "import cloudpickle.x",
        "yaml.load(file)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "torch.load(path, weights_only=safe)",
        "np.load(path)",
        "subprocess.run(x, shell=True)",
        "f(path, allow_pickle=True)",
        "os.system('ls')",
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    raise",
    ],
)
def test_a_planted_forbidden_call_is_found(code: str):
    assert len(forbidden(ast.parse(code))) == 1


def test_only_a_process_of_its_own_reads_what_torch_wrote():
    assert [path.name for path in SOURCES if "torch.load(" in path.read_text("utf-8")] == ["weight_reader.py"]
    importing = [path.name for path in SOURCES if "import weight_reader" in path.read_text("utf-8")]
    assert importing == []


@pytest.mark.parametrize(
    "code",
    [
        "model.eval()",
        "subprocess.run(x, shell=False)",
        "torch.load(x, weights_only=True)",
        "try:\n    f()\nexcept ValueError:\n    pass",
    ],
)
def test_what_only_looks_alike_is_not(code: str):
    assert forbidden(ast.parse(code)) == []


def test_no_file_has_a_name_that_says_no_job():
    assert [str(p) for p in PACKAGE.rglob("*") if p.stem in NAMES_WITHOUT_A_JOB] == []


def test_every_file_begins_with_a_sentence_on_its_job():
    silent = [str(p.relative_to(PACKAGE)) for p in SOURCES if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert silent == []


def tracked_texts() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    binary = {".gz", ".png", ".onnx", ".parquet", ".woff2"}
    paths = [ROOT / name for name in listing.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in binary]


def test_no_tracked_file_names_a_registry():
    paths = tracked_texts()
    assert len(paths) > 30
    found = [f"{path.relative_to(ROOT)}: {m[0]}" for path in paths if (m := REGISTRIES.search(path.read_text("utf-8")))]
    assert found == []


def test_a_planted_address_is_found():
    assert REGISTRIES.search("https://" + "pypi" + ".org/simple")
    assert REGISTRIES.search("pip install --index" + "-url x")


def test_constraints_pin_every_direct_dependency_and_nothing_else():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    names = {re.match(r"[\w.-]+", d)[0].lower() for d in wanted}  # type: ignore[index]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][0-9.]*", line) for line in lines)
    assert {line.split("==")[0] for line in lines} == names
    assert "torch==2.13.0" in lines


@pytest.mark.parametrize(
    "code",
    [
        "import deepwright",
        "import deepwright.parts",
        "import sys; sys.argv = ['deepwright', '--help']; from deepwright.cli import main; main()",
        "import sys; sys.argv = ['deepwright', 'run', '--help']; from deepwright.cli import main; main()",
    ],
    ids=["import", "parts", "help", "run help"],
)
def test_no_heavy_library_is_loaded_at_the_start(code: str):
    loaded = libraries_after(code)
    assert "deepwright" in loaded
    assert loaded & set(HEAVY) == set()


def test_a_heavy_library_would_be_seen():
    assert "sklearn" in libraries_after("import sklearn")


def test_core_alone_loads_no_heavy_library():
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in (PACKAGE / "core").rglob("*.py")]
    code = "; ".join(f"import {name.removesuffix('.__init__')}" for name in sorted(names))
    assert libraries_after(code) & set(HEAVY) == set()


@pytest.mark.parametrize(
    ("code", "most"),
    [
        ("import deepwright", 80),
        ("import sys; sys.argv = ['deepwright', '--help']; from deepwright.cli import main; main()", 340),
    ],
    ids=["import", "help"],
)
def test_the_start_is_instant(code: str, most: int):
    """Counted in modules, since a shared machine's seconds say little; 340 are about .2 s of CPU time."""
    assert len(modules_after(code)) <= most
