"""Answers rows with model.onnx; needs numpy and onnxruntime only, and for images Pillow and pixels.py beside the model.

python client.py rows.json    reads a JSON list of objects, one per row, and prints one answer per line
"""

import importlib.util
import json
import sys
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np


class Model:
    """model.onnx with the description that it carries in its metadata.

    levels: the classes in the order of the probabilities; empty for a regression.
    """

    def __init__(self, path: str | Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.description = json.loads(self._session.get_modelmeta().custom_metadata_map["deepwright"])
        self.levels = self.description["levels"]
        self._pixels = _module(Path(path).with_name("pixels.py")) if self.description["images"] else None

    def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer per row; None stands for a missing value, and every column must be there. An image is the bytes of
        its file, as they are or as base64 text.

        Raises ValueError for a file that is no image or leaves open what is to be seen.
        """
        feed = {}
        for name in self.description["numbers"]:
            feed[name] = np.array([[row[name]] for row in rows], dtype=np.float64)  # None becomes NaN
        for name in self.description["texts"]:
            missing = self.description["missing_text"]
            feed[name] = np.array([[missing if row[name] is None else row[name]] for row in rows], dtype=object)
        for name, form in self.description["images"].items():
            feed[name] = np.stack([_decoded(row[name], SimpleNamespace(**form), self._pixels) for row in rows])
        answer, *scale = self._session.run(None, feed)
        conformal = self.description["conformal"]
        if not self.levels:
            if conformal is None:
                return [{"value": value} for value in answer.tolist()]
            half = conformal["bound"] * (scale[0].astype(np.float64) if scale else np.ones(len(answer)))
            ends = zip(answer.tolist(), (answer - half).tolist(), (answer + half).tolist(), strict=True)
            return [{"value": value, "low": low, "high": high} for value, low, high in ends]
        has_labels = self.description["problem"] == "multi-label"
        records = [self._labelled(row) if has_labels else self._classed(row) for row in answer]
        if conformal is not None:
            for record, row in zip(records, answer, strict=True):
                record["set"] = [self.levels[place] for place in self._set(row.astype(np.float64), conformal)]
        return records

    def _classed(self, row: np.ndarray) -> dict[str, Any]:
        """The class answered."""
        label = self.levels[self._decided(row)]
        return {"label": label, "probability": dict(zip(self.levels, row.tolist(), strict=True))}

    def _labelled(self, row: np.ndarray) -> dict[str, Any]:
        """The labels answered, each by its own probability."""
        threshold = self.description["threshold"]
        answered = row >= np.float32(0.5 if threshold is None else threshold)
        return {
            "labels": [level for level, is_in in zip(self.levels, answered, strict=True) if is_in],
            "probability": dict(zip(self.levels, row.tolist(), strict=True)),
        }

    @staticmethod
    def _set(row: np.ndarray, conformal: dict[str, Any]) -> list[int]:
        """The numbers of the classes that may be true: those whose score is within the bound, and the most probable; of
        several labels those within the bound."""
        if conformal["kind"] == "labels":
            return [int(place) for place in np.flatnonzero(1.0 - row <= conformal["bound"])]
        order = np.argsort(-row, kind="stable")
        if conformal["kind"] == "lac":
            scores = 1.0 - row[order]
        else:
            free = np.maximum(np.arange(len(row)) + 1 - conformal["rank"], 0)
            scores = np.cumsum(row[order]) - row[order] + conformal["penalty"] * free
        inside = scores <= conformal["bound"]
        inside[0] = True
        return sorted(order[inside].tolist())

    def _decided(self, row: np.ndarray) -> int:
        """The number of the class answered: of the least expected cost, or of two the second from a threshold on."""
        threshold, costs = self.description["threshold"], self.description["costs"]
        if costs is not None:
            return int((row.astype(np.float64) @ np.asarray(costs)).argmin())
        return int(row.argmax()) if threshold is None else int(row[1] >= np.float32(threshold))


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None, f"{path} is no Python file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _decoded(file: bytes | str, form: Any, pixels: Any) -> np.ndarray:
    """uint8 [H, W, C] of an image file, as the bundle sees it. pixels: the module of that name."""
    encoded = b64decode(file, validate=True) if isinstance(file, str) else file
    with pixels.opened(encoded, form.frame) as (image, frames):
        if frames > 1 and form.frame is None:
            raise ValueError(f"an image with {frames} frames: give one of them")
        if image.mode in pixels.DEEP_MODES and not form.levels:
            raise ValueError(f"an image of mode {image.mode}, whose levels of black and white were not given")
        return pixels.pixels_of(image, form)


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python client.py rows.json", file=sys.stderr)
        return 2
    rows = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for answer in Model(Path(__file__).with_name("model.onnx")).predict(rows):
        print(json.dumps(answer, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
