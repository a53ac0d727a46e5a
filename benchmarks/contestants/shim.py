"""Let a torchvision that was built for another torch be imported: its compiled operators are only declared."""


def declare_torchvision() -> None:
    """torchvision registers fake kernels for two operators while it is imported, and fails where they are unknown."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(library)


_KEPT: list[object] = []
"""A library's declarations end with it."""
