"""The command line: one function a command; options of the recipe come from the parts' own definitions."""

import errno
import json as json_library
import shlex
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts.exceptions import UnknownOptionError

from deepwright.core.errors import BundleError, PracticeError, ResourceError, UsageError, did_you_mean
from deepwright.core.text import text
from deepwright.train.threads import bound_waiting

if TYPE_CHECKING:
    from deepwright.core.recipe import Recipe

OWN_OPTIONS = (
    "--final", "--reason", "--budget", "--seeds", "--dry-run", "--name", "--runs", "--with", "--allow", "--json",
)  # fmt: skip
"""Of `run`, beside the recipe's."""
EXIT_FAILURE, EXIT_USAGE, EXIT_RESOURCES, EXIT_INTERRUPTED = 1, 2, 5, 130

app = App(
    name="deepwright",
    help="From raw data to a deployed model, with the rules of good practice held by construction.",
    version=lambda: version("deepwright"),
    default_parameter=Parameter(negative=()),
    help_on_error=False,
    help_format="plaintext",
)

Json = Annotated[bool, Parameter("--json", help="print one JSON object as the last line")]
Runs = Annotated[Path, Parameter("--runs", help="folder of the runs")]
With = Annotated[Path | None, Parameter("--with", help="a Python file with parts of your own")]

_flags: list[tuple[str, str]] = []
"""Recipe options of the current command line: (dotted name, text), taken out before cyclopts sees the rest."""


@app.command
def run(
    source: str,
    *,
    final: bool = False,
    reason: str | None = None,
    budget: str | None = None,
    seeds: int = 1,
    dry_run: bool = False,
    name: str | None = None,
    runs: Runs = Path("runs"),
    plugin: With = None,
    allow: str | None = None,
    json: Json = False,
) -> int:
    """Everything from raw data to a judged bundle; the test part stays sealed.

    Every option of the recipe is a flag too: --target COL, --network.widths 64,64, --train.epochs 20 ...

    Parameters
    ----------
    source
        A table (CSV, TSV, Parquet, JSON Lines; .gz too), images, texts, series (docs/data.md), or a recipe (.yaml).
    final
        Take the one look at the test part at the end.
    reason
        Why a rule is set aside (--allow), or why a further look is taken (--final).
    budget
        Training time at most: 90s, 10m, 1h.
    seeds
        Training seeds to learn with, to see how far results spread; the first one's bundle ships.
    dry_run
        One batch through every stage; print time, memory and disk, and write nothing.
    name
        The run's name; default: the source's name and eight digits of recipe and data.
    allow
        Rules to set aside, separated by commas; needs --reason.
    """
    from deepwright.practice.run import practise
    from deepwright.practice.show import terminal

    recipe = _recipe(source, plugin, allow, reason)
    if dry_run:
        return _dry_run(recipe, runs, json)
    done = practise(
        recipe,
        runs=runs,
        name=name,
        final=final,
        reason=reason,
        budget_s=parse_duration(budget) if budget else None,
        seeds=seeds,
        show=terminal(),
    )
    return _show_report(done, json)


@app.command
def check(source: str, *, plugin: With = None, json: Json = False) -> int:
    """Look at data without training: every column, everything found, the proposed problem and network and why.

    Options that say how the data are to be read are flags, as for `run`: --target COL, --map, --types ...

    Parameters
    ----------
    source
        What `run` takes: a file, a folder, an archive, a database, or a recipe (.yaml).
    """
    from deepwright.practice.check import check as look_at
    from deepwright.practice.check import check_lines

    checked = look_at(_recipe(source, plugin, None, None))
    for line in check_lines(checked):
        print(line)
    flags = " ".join(f"--{name} {shlex.quote(value)}" for name, value in _flags)
    command = "cli.then_run" if checked.problem else "cli.then_target"
    print("", text(command, source=shlex.quote(source), flags=f" {flags}" if flags else ""), sep="\n")
    if json:
        _print_json(checked.record())
    return 0


@app.command
def test(run: str, *, reason: str | None = None, json: Json = False) -> int:
    """Open the seal: the one look at the test part.

    Parameters
    ----------
    run
        The run's folder or name.
    reason
        Why a further look is taken; stamped on every later report.
    """
    from deepwright.core.run import Run
    from deepwright.practice.look import look
    from deepwright.practice.show import terminal

    found = Run.open(run)
    look(found, reason=reason, show=terminal())
    return _show_report(found, json)


@app.command
def report(run: str, *, verify: bool = False, json: Json = False) -> int:
    """Show a run's report.

    Parameters
    ----------
    run
        The run's folder or name.
    verify
        Compute every number again in a fresh process and compare.
    """
    from deepwright.core.run import Run
    from deepwright.practice.verify import verify as recompute

    found = Run.open(run)
    if verify:
        result = recompute(found)
        key = "verify.exact" if result.is_exact else "verify.near"
        print(text(key, numbers=result.numbers, difference=result.difference))
        if json:
            _print_json({**found.report.summary(), "verified": result.numbers, "difference": result.difference})
        return 0
    return _show_report(found, json)


@app.command
def compare(
    *runs: str,
    part: str | None = None,
    common: bool = False,
    output: Annotated[Path | None, Parameter(("--output", "-o"))] = None,
    json: Json = False,
) -> int:
    """Compare finished runs, or the members of one, on the same rows: every difference with its interval.

    Parameters
    ----------
    runs
        Runs' folders or names, or RUN:MEMBER; one run alone: its members.
    part
        The rows: validation, or test where every run has taken its look; default: test where all have, else validation.
    common
        Where the runs' rows differ, compare on those that all have.
    output
        Write the comparison as an HTML page too, to this file.
    """
    from deepwright.core.disk import write_atomic
    from deepwright.evaluation.comparison import comparison_lines
    from deepwright.evaluation.comparison_page import comparison_page
    from deepwright.practice.compare import compare as compare_runs
    from deepwright.practice.compare import named_part

    comparison = compare_runs(*runs, part=named_part(part), common=common)
    for line in comparison_lines(comparison):
        print(line)
    if output is not None:
        write_atomic(output, comparison_page(comparison).encode())
        print(text("cli.report_at", path=output))
    if json:
        _print_json(comparison.record())
    return 0


@app.command
def rerun(run: str, *, json: Json = False) -> int:
    """Walk the same recipe on the same data again: the same bits, or the first difference named.

    Parameters
    ----------
    run
        The run's folder or name.
    """
    from deepwright.core.run import Run
    from deepwright.practice.rerun import rerun as again
    from deepwright.practice.show import terminal

    result = again(Run.open(run), show=terminal())
    if result.difference is None:
        print(text("rerun.same", compared=result.compared, run=result.again.folder))
    else:
        changed = ", ".join(result.changed_environment) or text("rerun.nothing_changed")
        print(text("rerun.differs", difference=result.difference, run=result.again.folder, changed=changed))
    if json:
        _print_json({"run": str(result.again.folder), "compared": result.compared, "difference": result.difference})
    return 0 if result.difference is None else 4


@app.command
def predict(
    bundle: str,
    rows: Path,
    *,
    output: Annotated[Path, Parameter(("--output", "-o"))],
    overwrite: bool = False,
    json: Json = False,
) -> int:
    """Answer every row of a file: label and probabilities (or value), and whether the row is out of range.

    Parameters
    ----------
    bundle
        A bundle's folder, or a run.
    rows
        A table with the model's columns, which may be larger than memory; or images: a folder, an archive, one image,
        or a table that names them.
    output
        Where the answers go: .csv or .jsonl.
    overwrite
        Replace an existing output.
    """
    from dataclasses import asdict

    from deepwright.practice.predict import predict_file

    result = asdict(predict_file(find_bundle(bundle), rows, output, flags=list(_flags), overwrite=overwrite))
    print(text("predict.done", **result, path=output))
    if json:
        _print_json({**result, "output": str(output)})
    return 0


@app.command
def export(
    bundle: str,
    *,
    to: str,
    output: Annotated[Path | None, Parameter(("--output", "-o"))] = None,
    json: Json = False,
) -> int:
    """Write a bundle in another form, checked against it.

    Parameters
    ----------
    bundle
        A bundle's folder, or a run.
    to
        The target, for example onnx; `deepwright parts target` lists them.
    output
        The folder to write; default: export-TARGET beside the bundle.
    """
    from deepwright import parts
    from deepwright.core.bundle import Bundle
    from deepwright.core.families import Exporter

    parts.load_installed()
    folder = find_bundle(bundle)
    target = Exporter.parse(to, "--to")
    output = output or folder.parent / f"export-{to}"
    files = target.export(Bundle.load(folder), output)
    for path in files:
        print(path)
    if json:
        _print_json({"target": to, "files": [str(path) for path in files]})
    return 0


@app.command
def serve(
    bundle: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    queue: int = 64,
    hosts: str = "",
    body_limit_bytes: int | None = None,
    deadline_s: float = 10.0,
) -> int:
    """Answer requests over HTTP: POST /predict, GET /health, /metrics, /openapi.json.

    Parameters
    ----------
    bundle
        A bundle's folder, or a run.
    host
        The address to listen on.
    port
        The port; 0 takes a free one.
    queue
        Requests waiting at most; more are answered 503.
    hosts
        Further names by which clients may call this server, separated by commas.
    body_limit_bytes
        The largest body that is read, more is answered 413; default: 1 MiB, for a model of images 16 MiB.
    deadline_s
        Seconds within which a request's head and body must each have arrived.
    """
    from deepwright.deploy.serve import serve as serve_bundle

    serve_bundle(
        find_bundle(bundle),
        host=host,
        port=port,
        queue=queue,
        hosts=[name.strip() for name in hosts.split(",") if name.strip()],
        body_limit_bytes=body_limit_bytes,
        deadline_s=deadline_s,
    )
    return 0


@app.command
def prove(
    proof: str | None = None,
    *,
    on: Path | None = None,
    trials: int | None = None,
    json: Json = False,
) -> int:
    """Prove the rules on this machine, with planted faults: leakage, seal, parity, resume, bundle.

    Parameters
    ----------
    proof
        One of the proofs; default: all.
    on
        A table of your own (with --target COL and the options `run` takes).
    trials
        How many trials where a proof draws at random.
    """
    from deepwright.practice.prove import prove as prove_rules

    recipe = _recipe(str(on), None, None, None) if on is not None else None
    outcome = prove_rules(proof, recipe=recipe, trials=trials, say=lambda line: print(line, flush=True))
    if json:
        _print_json({"claims": [claim.record() for claim in outcome]})
    return 0 if all(claim.holds for claim in outcome) else 4


@app.command
def parts(family: str | None = None, kind: str | None = None, *, plugin: With = None, json: Json = False) -> int:
    """List the families of parts, the kinds of a family, or a kind's options.

    Parameters
    ----------
    family
        A family, or `recipe` for every flag of `run`.
    kind
        A kind of the family.
    """
    from deepwright.practice.parts_page import lines, record

    _load_parts(plugin)
    for line in lines(family, kind):
        print(line)
    if json:
        _print_json(record(family, kind))
    return 0


@app.command
def ls(
    *, runs: Runs = Path("runs"), prepared: Path | None = None, remove: str | None = None, json: Json = False
) -> int:
    """List the runs here with their results, or what stands prepared in a folder and the room that it takes.

    Parameters
    ----------
    prepared
        A folder of prepared images, tokens or series, to be listed instead of runs.
    remove
        Names of them to remove, separated by commas; `all` removes everything that is listed.
    """
    from deepwright.practice.listing import lines, listing, prepared_lines, prepared_listing, remove_prepared

    if remove is not None and prepared is None:
        raise UsageError("cli.remove_what")
    if prepared is not None:
        if remove is not None:
            freed = remove_prepared(prepared, remove)
            print(text("cli.removed", mib=f"{freed / 2**20:.1f}"))
        standing = prepared_listing(prepared)
        print("\n".join(prepared_lines(prepared, standing)))
        if json:
            _print_json({"prepared": standing})
        return 0
    found = listing(runs)
    for line in lines(found):
        print(line)
    if json:
        _print_json({"runs": found})
    return 0


@app.command
def doctor(*, json: Json = False) -> int:
    """Look at this machine and installation: what works, what is missing, what to do."""
    from deepwright.practice.doctor import examine

    checks = examine()
    for check in checks:
        mark, fix = ("ok  ", "") if check.is_fine else ("FIX ", f"  {check.fix}")
        print(f"{mark} {check.what}: {check.found}{fix}")
    if json:
        _print_json({"checks": [check.record() for check in checks]})
    return 0 if all(check.is_fine for check in checks) else EXIT_RESOURCES


@app.command
def demo(*, runs: Runs = Path("runs"), json: Json = False) -> int:
    """The main job on real data that ships with the package: run, verify, serve one prediction."""
    from deepwright.practice.demo import demonstrate
    from deepwright.practice.show import terminal

    shown = demonstrate(runs, terminal())
    if json:
        _print_json(shown)
    return 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code (see DESIGN: 0 done, 1 ours, 2 usage, 3 data, 4 rule, 5 resources)."""
    bound_waiting()
    sys.exit(call(list(sys.argv[1:] if arguments is None else arguments)))


def call(arguments: list[str]) -> int:
    """Run one command and give its exit code; errors are one line on stderr."""
    wants_json = "--json" in arguments
    try:
        rest = _take_flags(arguments)
        code = app(rest, exit_on_error=False, print_error=False, result_action="return_value") or 0
        if rest[:1] == ["run"] and ("--help" in rest or "-h" in rest):
            _print_recipe_flags()
        return code
    except CycloptsError as error:
        return _fail(UsageError("cli.usage", why=_usage(error)), wants_json)
    except PracticeError as error:
        return _fail(error, wants_json)
    except KeyboardInterrupt:
        print(text("cli.interrupted"), file=sys.stderr)
        return EXIT_INTERRUPTED
    except MemoryError:
        return _fail(ResourceError("cli.no_memory"), wants_json)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail(ResourceError("cli.disk_full", path=error.filename or "?"), wants_json)
        return _own_failure()
    except Exception:  # noqa: BLE001 - the last border: what is no PracticeError is a fault of ours, shown in full
        return _own_failure()


def find_bundle(path: str) -> Path:
    """The bundle's folder for a bundle or a run. Raises UsageError when there is none, BundleError for one file."""
    if Path(path).is_file():
        raise BundleError("bundle.one_file", folder=path)
    for folder in (Path(path), Path(path) / "bundle", Path("runs") / path / "bundle"):
        if (folder / "manifest.json").exists():
            return folder
    raise UsageError("cli.no_bundle", path=path)


def parse_duration(words: str) -> float:
    """Seconds of `90s`, `10m`, `1.5h` or a plain number. Raises UsageError else.

    >>> parse_duration("10m")
    600.0
    """
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (words[:-1], units[words[-1]]) if words and words[-1] in units else (words, 1.0)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise UsageError("cli.bad_duration", found=repr(words))
    return seconds


def _take_flags(arguments: list[str]) -> list[str]:
    """Take the recipe's options out of the arguments of the commands that have them."""
    _flags.clear()
    command = next((a for a in arguments if not a.startswith("-")), None)
    if command not in ("run", "check", "prove", "predict"):
        return arguments
    from deepwright.practice.asked import take_flags

    flags, rest = take_flags(arguments)
    _flags.extend(flags)
    return rest


def _usage(error: CycloptsError) -> str:
    message = str(error).replace("\n", " ")
    if isinstance(error, UnknownOptionError):
        from deepwright.core.flags import flags_of
        from deepwright.core.recipe import Recipe

        _load_parts()
        word = str(error.token.keyword)
        known = [flag for flag, *_ in flags_of(Recipe)]
        return text("cli.unknown_option", option=word, hint=did_you_mean(word, [*known, *OWN_OPTIONS]))
    return message


def _recipe(source: str, plugin: Path | None, allow: str | None, reason: str | None) -> "Recipe":
    from deepwright.practice.asked import asked_recipe

    return asked_recipe(source, _flags, plugin=plugin, allow=allow, reason=reason)


def _load_parts(plugin: Path | None = None) -> None:
    from deepwright.practice.asked import load_parts

    load_parts(plugin)


def _print_recipe_flags() -> None:
    """The second half of `deepwright run --help`: what the parts' own definitions add."""
    from deepwright.practice.parts_page import lines

    _load_parts()
    print(text("cli.recipe_flags"))
    for line in lines("recipe", None):
        print(f"  {line}")


def _dry_run(recipe: "Recipe", runs: Path, wants_json: bool) -> int:
    from dataclasses import asdict

    from deepwright.practice.plan import plan, plan_lines

    found = plan(recipe, runs=runs)
    for line in plan_lines(found):
        print(line)
    if wants_json:
        _print_json(asdict(found))
    return 0


def _show_report(run: Any, wants_json: bool) -> int:
    from deepwright.evaluation.lines import summary_lines
    from deepwright.practice.reporting import next_commands, short

    report = run.report
    for line in summary_lines(report):
        print(line)
    print(text("cli.report_at", path=short(run.folder / "report.html")))
    for command in next_commands(run, report)[:1]:
        print(text("cli.next", command=command))
    if wants_json:
        _print_json(report.summary())
    return 0


def _fail(error: PracticeError, wants_json: bool) -> int:
    print(text("cli.error", text=error), file=sys.stderr)
    if wants_json:
        _print_json(
            {"error": {"kind": type(error).__name__, "key": error.key, "text": str(error)}, "exit": error.exit_code}
        )
    return error.exit_code


def _own_failure() -> int:
    traceback.print_exc()
    print(text("cli.own_failure"), file=sys.stderr)
    return EXIT_FAILURE


def _print_json(value: Any) -> None:
    print(json_library.dumps(value, ensure_ascii=False, default=str), flush=True)


if __name__ == "__main__":
    main()
