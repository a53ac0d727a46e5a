"""`make new-part FAMILY=network KIND=mine`: a class and its test to fill in, in the folder of the family's stage."""

import ast
import inspect
import re
import sys
from collections import Counter
from pathlib import Path

from deepwright import parts
from deepwright.core.errors import did_you_mean
from deepwright.core.part import FAMILIES, Part

ROOT = Path(__file__).parents[1]

IMPORTS = {
    "Any": "from typing import Any",
    "ClassVar": "from typing import ClassVar",
    "Columns": "from deepwright.core.schema import Columns",
    "Conformal": "from deepwright.core.conformal import Conformal",
    "Dataset": "from deepwright.core.dataset import Dataset",
    "Fitted": "from deepwright.core.step import Fitted",
    "Form": "from deepwright.core.families import Form",
    "Graph": "from deepwright.core.operations.graph import Graph",
    "Iterable": "from collections.abc import Iterable",
    "Operation": "from deepwright.core.operations import Operation",
    "Problem": "from deepwright.core.schema import Problem",
    "Shape": "from deepwright.model.layer import Shape",
    "Tensor": "from deepwright.core.families import Tensor",
    "nn": "from torch import nn",
    "np": "import numpy as np",
    "torch": "import torch",
}
ONLY_FOR_TYPES = ("nn", "torch")


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not all(arguments):
        print("usage: make new-part FAMILY=network KIND=mine", file=sys.stderr)
        return 2
    family, kind = arguments
    known = parts.families()
    fault = refusal(family, kind, known)
    if fault:
        print(fault, file=sys.stderr)
        return 2
    folder = stage_of(known[family])
    source = ROOT / "deepwright" / folder / f"{kind}.py"
    test = ROOT / "tests" / folder / f"test_{kind}.py"
    for path, content in ((source, class_text(family, kind)), (test, test_text(family, kind, folder))):
        if path.exists():
            print(f"{path} exists already; choose another KIND, or remove it.", file=sys.stderr)
            return 2
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"Next: write it, name {kind} in BUILT_IN of deepwright/parts.py, then: make reference fast")
    return 0


def refusal(family: str, kind: str, known: dict[str, dict[str, type[Part]]]) -> str:
    """Why no such part can be begun, or nothing."""
    if family not in known:
        return f"FAMILY={family}: there is none. Known: {', '.join(known)}.{did_you_mean(family, list(known))}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind):
        return f"KIND={kind}: it takes small letters, digits and '_', beginning with a letter."
    if kind in known[family]:
        return f"KIND={kind}: {family} has it already ({known[family][kind].__module__})."
    return ""


def stage_of(kinds: dict[str, type[Part]]) -> str:
    """The folder below deepwright/ in which most kinds of the family live: `model`, `deploy/targets`."""
    homes = Counter(part.__module__.rsplit(".", 1)[0] for part in kinds.values() if inspect.isclass(part))
    ours = [home for home, _ in homes.most_common() if home.startswith("deepwright.")]
    return ours[0].removeprefix("deepwright.").replace(".", "/")


def class_name(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def class_text(family: str, kind: str) -> str:
    base = FAMILIES[family]
    methods = [method_text(node) for node in unwritten_methods(base)]
    body = "\n".join(methods) or "    pass\n"
    names = {name for name in IMPORTS if re.search(rf"(?<![.\w]){name}\b", body)}
    plain = sorted({IMPORTS[name] for name in names if name not in ONLY_FOR_TYPES})
    for_types = sorted({IMPORTS[name] for name in names if name in ONLY_FOR_TYPES})
    if for_types:
        plain.append("from typing import TYPE_CHECKING")
    plain += [f"from {base.__module__} import {base.__name__}", "from deepwright.core.part import option"]
    guarded = "".join(["\nif TYPE_CHECKING:\n", *(f"    {line}\n" for line in for_types)]) if for_types else ""
    return ordered(
        f'"""{class_name(kind)}: one sentence on what it is and when to use it."""\n\n'
        + "\n".join(plain)
        + f"\n{guarded}\n\n"
        + f'class {class_name(kind)}({base.__name__}, kind="{kind}"):\n'
        + '    """One sentence: what it does. Formula, shapes, units.\n\n'
        + "    A doctest with real numbers. References: author, year, arXiv.\n"
        + '    """\n\n'
        + '    size: int = option(8, "what it means, with its unit", low=1, high=1024)\n\n'
        + body
    )


def unwritten_methods(base: type[Part]) -> list[ast.FunctionDef]:
    """What a kind has to define: the family's methods that only raise NotImplementedError."""
    found = []
    for owner in (base, *base.__mro__[1:]):
        if owner is Part:
            break
        tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(owner)))
        methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        found += [node for node in methods if "NotImplementedError" in ast.unparse(node)]
    return found


def method_text(node: ast.FunctionDef) -> str:
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    result = re.sub(r"'([^']*)'", r'"\1"', result)
    signature = re.sub(r"'([^']*)'", r'"\1"', ast.unparse(node.args))
    return f'    def {node.name}({signature}){result}:\n        raise NotImplementedError("to be written")\n'


def test_text(family: str, kind: str, folder: str) -> str:
    module = f"deepwright.{folder.replace('/', '.')}.{kind}"
    base = FAMILIES[family]
    name = class_name(kind)
    (first, *_) = [node.name for node in unwritten_methods(base)] or ["dump"]
    return (
        f'"""{name}: known answers. tests/conformance runs over it by itself."""\n\n'
        f"from {module} import {name}\n\n\n"
        f"def test_{first}_gives_the_known_answer():\n"
        f'    raise AssertionError(f"write down what {{{name}()!r}}.{first} must give, from a paper or by hand")\n'
    )


def ordered(text: str) -> str:
    """The text with its imports in ruff's order."""
    import subprocess

    ruff = Path(sys.executable).with_name("ruff")
    for words in (["check", "--quiet", "--select", "I", "--fix"], ["format", "--quiet"]):
        command = [str(ruff), *words, "--stdin-filename", str(ROOT / "deepwright" / "new_part.py"), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
