"""Images through the whole line: from a folder to a served model by one command, with the same pixels everywhere."""

import asyncio
import json
import shutil
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from deepwright import cli
from deepwright.core.bundle import Bundle
from deepwright.core.errors import DataError
from deepwright.core.report import Report
from deepwright.core.run import Run
from deepwright.data.image_map import open_map
from deepwright.deploy.app import make_app
from deepwright.practice.keep import kept_rows
from deepwright.practice.opening import recipe_of
from deepwright.practice.run import practise
from deepwright.practice.show import Show, quiet
from deepwright.practice.verify import recompute, verify
from tests.data.pictures import encoded, noise

SIDE = 16
SMALL = (
    "--network cnn --network.widths 8,16 --network.repeats 1 --train.epochs 8 --train.batch_size 16 --train.threads 1 "
    "--train.speed exact"  # what is measured to be faster may differ between two recipes, and their bits with it
)


def shape(draw: np.random.Generator, kind: str) -> Image.Image:
    """A disc or a cross of any colour and place on a dark ground."""
    y, x = np.mgrid[:SIDE, :SIDE]
    cy, cx, r = *draw.integers(5, 11, 2), 4
    disc = (y - cy) ** 2 + (x - cx) ** 2 <= r * r
    cross = ((y == cy) | (x == cx)) & (abs(y - cy) <= r) & (abs(x - cx) <= r)
    pixels = draw.integers(0, 60, (SIDE, SIDE, 3))
    pixels[disc if kind == "disc" else cross] += draw.integers(100, 190, 3)
    return Image.fromarray(pixels.astype(np.uint8))


def write(folder: Path, count: int, seed: int = 0) -> Path:
    draw = np.random.default_rng(seed)
    for kind in ("cross", "disc"):
        (folder / kind).mkdir(parents=True)
        for place in range(count):
            shape(draw, kind).save(folder / kind / f"{place}.png")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    write(folder / "shapes", 60)
    return folder


@pytest.fixture(autouse=True)
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The folder in which the run was made, with its ledger."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(home / ".deepwright"))
    yield


@pytest.fixture(scope="module")
def finished(home: Path) -> Run:
    """A sealed run over 120 shapes, by the command of a newcomer but for a small network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("DEEPWRIGHT_HOME", str(home / ".deepwright"))
        assert cli.call(["run", "shapes", *SMALL.split(), "--ship", "network", "--name", "run"]) == 0
    return Run.open(home / "runs" / "run")


def test_one_command_gives_a_judged_model_of_images_and_says_why(finished: Run):
    report = finished.report
    rules = {finding.rule for finding in report.findings}
    assert {"chosen_network", "image_size_kept"} <= rules and "no_network" not in rules
    assert set(report.members) == {"network", "constant", "linear", "nearest"}
    assert max(report.environment["parity"].values()) <= 1e-5
    assert value(report, "accuracy", "network") > 0.7 > value(report, "accuracy", "constant")


def value(report: Report, metric: str, member: str) -> float:
    found = report.number(metric, "validation", member).value
    assert found is not None
    return found


def test_the_bundle_decodes_a_file_to_the_very_pixels_that_were_learned_from(finished: Run):
    decode = Bundle.load(finished.bundle_folder).operations[0]
    for part in ("train", "validation"):
        address = finished.entry(f"images {part} image")["address"]
        learned = open_map(Path(".deepwright/prepared") / address[:32])
        files = np.array([*map(file_of, kept_rows(finished, part).columns["image"]), None], object)[:-1]
        np.testing.assert_array_equal(decode.apply({"image": files})["image"], learned.pixels)


def file_of(reference: str) -> bytes:
    return Path(reference).read_bytes()


def test_a_fresh_process_finds_every_number_again_from_the_files(finished: Run):
    assert verify(finished).difference == 0.0


def test_an_image_that_was_changed_is_not_verified_with(finished: Run, home: Path):
    reference = kept_rows(finished, "validation").columns["image"][3]
    shutil.copy(reference, "kept.png")
    try:
        encoded_noise = encoded(noise(5, SIDE, SIDE))
        Path(reference).write_bytes(encoded_noise)
        with pytest.raises(DataError, match="the images are not those of the run"):
            recompute(finished)
    finally:
        shutil.move("kept.png", reference)


def test_a_run_killed_in_training_ends_in_the_same_bits(finished: Run, tmp_path: Path):
    def until_killed(events: Any) -> Iterator[Any]:
        for event in events:
            yield event
            if event.record()["event"] == "epoch" and event.record()["epoch"] == 3:
                raise KeyboardInterrupt

    recipe = recipe_of(finished).replace(baselines=())
    with pytest.raises(KeyboardInterrupt):
        practise(recipe, runs=tmp_path, name="killed", show=Show(say=quiet.say, watch=until_killed))
    assert not (tmp_path / "killed" / "members").exists()
    again = practise(recipe, runs=tmp_path, name="killed")
    ours, theirs = (
        json.loads((run.folder / "members/network/manifest.json").read_bytes()) for run in (again, finished)
    )
    for name in ("graph.onnx", "weights.safetensors", "operations.json", "golden.json"):
        assert ours["files"][name] == theirs["files"][name], name
    assert any(note["event"] == "resumed" for note in again.report.environment["network"]["events"])


def test_folders_tables_and_single_images_are_answered_from_the_command_line(finished: Run, tmp_path: Path):
    new = write(tmp_path / "new", 6, seed=1)
    (new / "rows.csv").write_text("photo,place\n" + "".join(f"disc/{n}.png,here\n" for n in range(6)))
    rows = [*sorted((new / "cross").iterdir()), *sorted((new / "disc").iterdir())]
    expected = Bundle.load(finished.bundle_folder).predict([{"image": path.read_bytes()} for path in rows])
    for source, span in ((new, slice(0, 12)), (new / "rows.csv", slice(6, 12)), (rows[7], slice(7, 8))):
        out = tmp_path / f"{span.start}-{span.stop}.jsonl"
        assert cli.call(["predict", "runs/run", str(source), "-o", str(out)]) == 0
        assert [Path(json.loads(line)["row"]) for line in out.read_text().splitlines()] == rows[span]
        found = [list(json.loads(line)["probability"].values()) for line in out.read_text().splitlines()]
        # Sums of another number of rows may run in another order.
        np.testing.assert_allclose(np.array(found, np.float32), expected.probability[span], rtol=1e-5)
    assert (expected.label == [path.parent.name for path in rows]).mean() > 0.6


def test_the_server_answers_a_file_as_base64_and_by_itself(finished: Run):
    bundle = Bundle.load(finished.bundle_folder)
    image = Path("shapes/disc/1.png").read_bytes()
    text = b64encode(image).decode()
    large = b64encode(encoded(noise(0, 900, 900))).decode()
    bad = {
        "cut": (image[:120], "image/png"),
        "html": (b"<html></html>", "image/png"),
        "bomb": (b"P6 60000 60000 255\n" + bytes(99), "image/x-portable-pixmap"),
        "no image": (image, "application/octet-stream"),
        "path": (json.dumps({"rows": [{"image": "shapes/disc/1.png"}]}), "application/json"),
        "null": (json.dumps({"rows": [{"image": None}]}), "application/json"),
    }

    async def ask() -> None:
        app = make_app(bundle)
        try:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                rows = (await client.post("/predict", json={"rows": [{"image": text}]})).json()
                alone = await client.post("/predict", content=image, headers={"content-type": "image/png"})
                assert alone.json() == rows
                shares = np.array(list(rows["answers"][0]["probability"].values()), np.float32)
                np.testing.assert_array_equal(shares, bundle.predict([{"image": image}]).probability[0])
                assert (await client.post("/predict", json={"rows": [{"image": large}]})).status_code == 200
                for name, (body, kind) in bad.items():
                    reply = await client.post("/predict", content=body, headers={"content-type": kind})
                    assert reply.status_code == (415 if name == "no image" else 422), (name, reply.text)
                described = (await client.get("/openapi.json")).json()
                kinds = described["paths"]["/predict"]["post"]["requestBody"]["content"]
                assert set(kinds) == {"application/json", "image/*"}
        finally:
            app.close()

    asyncio.run(ask())


def brightness(folder: Path) -> str:
    """Grey pictures with their brightness as a number in a table, and the line that learns it."""
    draw = np.random.default_rng(3)
    lines = ["file,brightness,who"]
    for place in range(60):
        level = int(draw.integers(20, 230))
        pixels = np.clip(draw.normal(level, 8, (10, 14)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{place}.png")
        lines.append(f"{place}.png,{level / 10},{'ab'[place % 2]}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    source = f"--source images --source.manifest {folder / 'rows.csv'} --target brightness --problem regression"
    return f"{folder} {source} {SMALL} --name grey --baselines linear"


def test_a_plan_of_values_from_images_is_made_without_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    command = ["run", *brightness(tmp_path).split(), "--runs", str(tmp_path / "runs")]
    assert cli.call(command) == 2
    assert "--ignore 'who'" in capsys.readouterr().err
    assert cli.call([*command, "--ignore", "who", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sum(plan["rows"].values()) == 60 and plan["steps"] == 8 * 3
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_number_in_a_manifest_is_learned_from_images(tmp_path: Path):
    command = ["run", *brightness(tmp_path).split(), "--runs", str(tmp_path / "runs"), "--ignore", "who"]
    assert cli.call(command) == 0
    run = Run.open(tmp_path / "runs" / "grey")
    decode = Bundle.load(run.folder / "members" / "network").operations[0]
    assert (decode.height, decode.width, decode.channels) == (10, 14, 1)
    assert value(run.report, "r2", "linear") > 0.9
    assert verify(run).difference == 0.0


def test_runs_of_images_are_compared_on_the_same_rows(finished: Run, capsys: pytest.CaptureFixture[str]):
    assert cli.call(["run", "shapes", *SMALL.split(), "--seed", "1", "--ship", "network", "--name", "other"]) == 0
    capsys.readouterr()
    assert cli.call(["compare", "run", "other", "run:linear", "--json"]) == 0
    values = json.loads(capsys.readouterr().out.splitlines()[-1])["values"]
    assert values["run"]["accuracy"] == value(finished.report, "accuracy", "network")
    assert values["run:linear"]["accuracy"] == value(finished.report, "accuracy", "linear")


def coloured(folder: Path) -> str:
    """Pictures in which there may be something red, green or blue, what there is in a table, and the line that learns
    it."""
    draw = np.random.default_rng(5)
    lines = ["file,seen"]
    for place in range(160):
        pixels, seen = draw.integers(0, 60, (12, 12, 3)), draw.random(3) < 0.5
        for channel in np.flatnonzero(seen):
            y, x = draw.integers(0, 8, 2)
            pixels[y : y + 4, x : x + 4, channel] += 180
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{place}.png")
        lines.append(f"{place}.png,{'|'.join(np.array(['red', 'green', 'blue'])[seen])}")
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    return f"{folder} --source images --source.manifest {folder / 'rows.csv'} --target seen --labels |"


def test_several_labels_of_an_image_are_learned_and_served(tmp_path: Path):
    small = SMALL.replace("--train.epochs 8", "--train.epochs 20")
    command = f"run {coloured(tmp_path)} {small} --ship network --name seen --runs {tmp_path / 'runs'}"
    assert cli.call(command.split()) == 0
    run = Run.open(tmp_path / "runs" / "seen")
    report = run.report
    assert (report.problem, report.levels) == ("multi-label", ("blue", "green", "red"))
    assert report.members == ("network", "constant", "linear", "nearest")
    (counted,) = (found for found in report.findings if found.rule == "images_labels")
    assert counted.text.startswith("3 labels")
    assert value(report, "f1(average=micro)", "network") > 0.9
    assert verify(run).difference == 0.0
    app = make_app(run.bundle)
    picture = (tmp_path / "0.png").read_bytes()
    expected = run.bundle.predict([{"file": picture}])

    async def ask() -> dict[str, Any]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            reply = await client.post("/predict", content=picture, headers={"content-type": "image/png"})
            return dict(reply.json())

    try:
        (answer,) = asyncio.run(ask())["answers"]
    finally:
        app.close()
    assert answer["labels"] == [level for level, is_in in zip(report.levels, expected.decided[0], strict=True) if is_in]


def test_trees_are_not_for_images(capsys: pytest.CaptureFixture[str]):
    assert cli.call(["run", "shapes", "--baselines", "boosting", "--name", "trees"]) == 2
    assert "boosting does not take images" in capsys.readouterr().err
