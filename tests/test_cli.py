"""The command line: exit codes, one-line errors with the fix, JSON as the last line."""

import json
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deepwright import cli
from deepwright.data.token_store import write_tokens

TABLE = "age,income,buys\n" + "".join(f"{20 + i % 40},{i * 7 % 100},{'yes' if i % 3 else 'no'}\n" for i in range(120))
QUICK = ["--train.epochs", "2", "--baselines", "constant", "--train.threads", "1"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / ".deepwright"))
    monkeypatch.setenv("DEEPWRIGHT_LANG", "en")
    Path("table.csv").write_text(TABLE)
    return tmp_path


def call(*arguments: str) -> int:
    return cli.call(list(arguments))


ERRORS = [
    (["run", "gone.csv", "--target", "buys"], 3, "gone.csv"),
    (["run", "table.csv", "--target", "bys"], 3, "Did you mean 'buys'?"),
    (["run", "table.csv"], 2, "--target COLUMN"),
    (["run", "table.csv", "--target", "buys", "--network", "mpl"], 2, "Did you mean 'mlp'?"),
    (["run", "table.csv", "--target", "buys", "--train.epoch", "3"], 2, "Did you mean '--train.epochs'?"),
    (["run", "table.csv", "--target", "buys", "--fianl"], 2, "Did you mean '--final'?"),
    (["run", "table.csv", "--target", "buys", "--train.optimizer.lr", "fast"], 2, "a number"),
    (["run", "table.csv", "--target", "buys", "--train.optimizer.lr", "-1"], 2, "> 0"),
    (["run", "table.csv", "--target", "buys", "--train.batch_size", "0"], 2, ">= 1"),
    (["run", "table.csv", "--target"], 2, "a value must follow"),
    (["run", "table.csv", "--target", "buys", "--train.loss", "mse"], 2, "not for classification"),
    (["run", "table.csv", "--target", "income", "--metric", "f1"], 2, "rmse"),
    (["run", "table.csv", "--target", "buys", "--budget", "soon"], 2, "10m"),
    (["run", "table.csv", "--target", "buys", "--name", "../up"], 2, "'../up'"),
    (["run", "table.csv", "--target", "buys", "--allow", "x"], 2, "--reason"),
    (["run", "table.csv", "--target", "buys", "--with", "gone.py"], 2, "gone.py"),
    (["run", "recipe.yaml"], 2, "recipe.yaml"),
    (["test", "nothing"], 2, "nothing"),
    (["report", "nothing"], 2, "nothing"),
    (["compare", "nothing", "other"], 2, "nothing"),
    (["compare"], 2, "two contestants or more are needed"),
    (["export", "nothing", "--to", "onnx"], 2, "nothing"),
    (["serve", "nothing"], 2, "nothing"),
    (["parts", "netwrok"], 2, "Did you mean 'network'?"),
    (["parts", "network", "mpl"], 2, "Did you mean 'mlp'?"),
    (["prove", "magic"], 2, "leakage"),
    (["rnu", "table.csv"], 2, "run"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), ERRORS, ids=[" ".join(e[0]) for e in ERRORS])
def test_an_error_is_one_line_with_the_fix(capsys, arguments, code, words):
    assert call(*arguments) == code
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert [line.startswith("deepwright: ") for line in lines].count(True) == 1, captured.err
    assert words in lines[-1]
    assert "Traceback" not in captured.err


def test_errors_are_json_too_when_asked(capsys):
    assert call("run", "gone.csv", "--target", "buys", "--json") == 3
    last = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert last["exit"] == 3
    assert last["error"]["kind"] == "DataError"


def test_errors_speak_chinese_when_asked(capsys, monkeypatch):
    monkeypatch.setenv("DEEPWRIGHT_LANG", "zh")
    assert call("test", "nothing") == 2
    assert "没有运行" in capsys.readouterr().err


def test_the_whole_line_from_the_shell(capsys):
    assert call("run", "table.csv", "--target", "buys", "--name", "first", *QUICK, "--json") == 0
    out = capsys.readouterr().out.strip().splitlines()
    summary = json.loads(out[-1])
    assert summary["test"] is None
    assert set(summary) >= {
        "run",
        "bundle",
        "problem",
        "metric",
        "validation",
        "test",
        "baselines",
        "looks",
        "findings",
        "seconds",
    }
    assert set(summary["validation"]["accuracy"]) == {"value", "low", "high", "n"}
    assert any(line.startswith("next:") and "deepwright test" in line for line in out)

    assert call("test", "first", "--json") == 0
    assert json.loads(capsys.readouterr().out.strip().splitlines()[-1])["looks"] == 1
    assert call("test", "first") == 4
    assert "--reason" in capsys.readouterr().err
    assert call("report", "first", "--verify") == 0
    assert "to the last digit" in capsys.readouterr().out
    assert call("rerun", "first") == 0
    assert "the same bits" in capsys.readouterr().out

    Path("rows.csv").write_text("age,income\n30,50\n99,1\n")
    assert call("predict", "first", "rows.csv", "-o", "answers.csv") == 0
    answers = Path("answers.csv").read_text().splitlines()
    assert len(answers) == 3
    assert "out_of_range" in answers[0]
    assert call("predict", "first", "rows.csv", "-o", "answers.csv") != 0
    capsys.readouterr()

    assert call("export", "first", "--to", "onnx") == 0
    assert "model.onnx" in capsys.readouterr().out
    assert call("ls", "--json") == 0
    runs = json.loads(capsys.readouterr().out.strip().splitlines()[-1])["runs"]
    assert {entry["run"]: entry["state"] for entry in runs}["first"] == "tested"


def test_final_takes_the_one_look(capsys):
    assert call("run", "table.csv", "--target", "buys", "--final", *QUICK, "--json") == 0
    summary = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert summary["test"]["accuracy"]["n"] > 0
    assert summary["looks"] == 1


def test_dry_run_tells_time_memory_and_disk_and_writes_nothing(capsys):
    before = sorted(Path().rglob("*"))
    assert call("run", "table.csv", "--target", "buys", *QUICK, "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert found["seconds"] > 0
    assert found["memory_bytes"] > 0
    assert found["disk_bytes"] > 0
    assert sorted(Path().rglob("*")) == before


def test_a_recipe_file_says_the_same_as_flags(capsys):
    assert call("run", "table.csv", "--target", "buys", *QUICK, "--name", "flags") == 0
    recipe = Path("runs/flags/recipe.yaml").read_text()
    Path("recipe.yaml").write_text(recipe)
    assert call("run", "recipe.yaml", "--name", "file", "--json") == 0
    digests = [json.loads(Path(f"runs/{name}/bundle/manifest.json").read_text())["model"] for name in ("flags", "file")]
    assert digests[0] == digests[1]


MINE = '''
"""A part of the user's own."""
import torch
from deepwright import Network, option

class Mine(Network, kind="mine"):
    """One wide layer."""
    form = "flat"
    width: int = option(8, "units", low=1, high=1024)

    def build(self, inputs, num_outputs):
        return torch.nn.Sequential(
            torch.nn.Linear(inputs[0].width, self.width), torch.nn.ReLU(), torch.nn.Linear(self.width, num_outputs)
        )
'''


def test_a_users_part_works_from_flags_and_yaml_and_survives_rerun_and_verify(capsys, own_folder):
    name = f"mine_{own_folder.name.replace('-', '_')}"
    Path(f"{name}.py").write_text(MINE.replace('kind="mine"', f'kind="{name}"'))
    flags = ["--with", f"{name}.py", "--network", name, "--network.width", "16", "--ship", "network"]
    assert call("run", "table.csv", "--target", "buys", *flags, *QUICK, "--name", "mine") == 0
    assert call("parts", "network", "--with", f"{name}.py") == 0
    assert "One wide layer." in capsys.readouterr().out
    assert call("report", "mine", "--verify") == 0
    assert call("rerun", "mine") == 0
    Path("recipe.yaml").write_text(Path("runs/mine/recipe.yaml").read_text())
    assert call("run", "recipe.yaml", "--name", "mine2") == 0
    Path(f"{name}.py").write_text("# another state\n")
    assert call("report", "mine", "--verify") == 4
    assert "has changed since run" in capsys.readouterr().err


def test_doctor_and_parts_print_what_is_here(capsys):
    assert call("parts") == 0
    assert "network" in capsys.readouterr().out
    assert call("parts", "recipe") == 0
    assert "--train.epochs" in capsys.readouterr().out
    assert call("parts", "network", "mlp", "--json") == 0
    assert "widths" in json.loads(capsys.readouterr().out.strip().splitlines()[-1])["options"]
    assert call("doctor") in (0, 5)
    assert "torch" in capsys.readouterr().out


def test_a_full_disk_is_one_line_and_the_same_command_goes_on_afterwards():
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    command = [sys.executable, "-m", "deepwright.cli", "run", "table.csv", "--target", "buys", "--name", "full", *QUICK]
    stopped = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=small_files)
    assert stopped.returncode == 5, stopped.stderr
    assert "the disk is full" in stopped.stderr.strip().splitlines()[-1]
    assert "Traceback" not in stopped.stderr
    assert call(*command[3:]) == 0
    assert call("report", "full", "--verify") == 0


def test_a_taken_port_is_one_line(capsys):
    assert call("run", "table.csv", "--target", "buys", "--name", "served", *QUICK) == 0
    capsys.readouterr()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert call("serve", "served", "--port", str(holder.getsockname()[1])) == 5
    assert "is taken" in capsys.readouterr().err


def test_what_stands_prepared_is_listed_and_removed_by_name(tmp_path, capsys):
    for name in ("poems", "names"):
        write_tokens([[1, 2], [3]], tmp_path / name)
    assert cli.call(["ls", "--prepared", str(tmp_path), "--json"]) == 0
    *shown, record = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in shown[:3]] == [["name", "kind"], ["names", "tokens"], ["poems", "tokens"]]
    assert {entry["name"] for entry in json.loads(record)["prepared"]} == {"names", "poems"}
    assert cli.call(["ls", "--prepared", str(tmp_path), "--remove", "poem"]) == 2
    assert "Did you mean 'poems'?" in capsys.readouterr().err
    assert cli.call(["ls", "--prepared", str(tmp_path), "--remove", "poems"]) == 0
    assert not (tmp_path / "poems").exists() and (tmp_path / "names").exists()
    assert cli.call(["ls", "--prepared", str(tmp_path), "--remove", "all"]) == 0
    assert "nothing stands prepared" in capsys.readouterr().out
    assert cli.call(["ls", "--remove", "names"]) == 2
