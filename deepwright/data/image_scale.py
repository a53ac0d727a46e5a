"""The scale of pixels, learned from the training part: mean and standard deviation of each channel."""

import numpy as np

from deepwright.core.dataset import Dataset
from deepwright.core.errors import DataError
from deepwright.core.operations import ScalePixels
from deepwright.core.step import require_part
from deepwright.data.image_map import ImageMap

ROWS = 256
"""Images counted at once."""


def learn_scale(train: Dataset, images: ImageMap, rows: np.ndarray, column: str = "image") -> ScalePixels:
    """Scales pixels so that each channel has mean 0 and sd 1 over the training part.

    rows: int64 [N], where each row of the training part stands in the map. Exact: grey levels are counted.
    Raises LeakError on any part but train, DataError where there is not one place for each row.
    """
    require_part(train, "train", "learn_scale")
    if len(rows) != len(train):
        raise DataError("images.labels", labels=len(rows), num=len(train))
    channels = images.shape[3]
    counts = np.zeros((channels, 256), np.int64)
    for low in range(0, len(rows), ROWS):
        pixels = images.batch(np.asarray(rows[low : low + ROWS]))
        for channel in range(channels):
            counts[channel] += np.bincount(pixels[..., channel].reshape(-1), minlength=256)
    levels, size = np.arange(256, dtype=np.float64), counts.sum(axis=1)
    means = counts @ levels / size
    sds = np.sqrt(np.maximum((counts * (levels - means[:, None]) ** 2).sum(axis=1) / size, 0.0))
    return ScalePixels(column=column, means=means.tolist(), sds=np.where(sds > 0, sds, 1.0).tolist())
