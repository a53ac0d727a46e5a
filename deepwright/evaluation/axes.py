"""The frame of a chart: scales, ticks and labels as inline SVG, coloured by the page's style alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepwright.evaluation.markup import Markup, join, tag

WIDTH, HEIGHT = 360, 270
LEFT, RIGHT, TOP, BOTTOM = 74, 20, 12, 44


@dataclass(frozen=True)
class Axes:
    """A plot area with linear scales. x, y: the ranges in data units. counts_x: x has whole numbers only."""

    x: tuple[float, float]
    y: tuple[float, float]
    counts_x: bool = False

    def across(self, value: float) -> float:
        low, high = self.x
        return round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    def up(self, value: float) -> float:
        low, high = self.y
        return round(HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    def path(self, points: Sequence[Sequence[float]], class_: str) -> Markup:
        """A line through points in data units."""
        steps = " ".join(f"{self.across(a)},{self.up(b)}" for a, b in points)
        return tag("polyline", points=steps, class_=class_)

    def dot(self, x: float, y: float, class_: str, *, radius: float = 3.5) -> Markup:
        return tag("circle", cx=self.across(x), cy=self.up(y), r=radius, class_=class_)

    def upright(self, x: float, low: float, high: float, class_: str) -> Markup:
        """A vertical line, for an interval or a mark."""
        return tag("line", x1=self.across(x), x2=self.across(x), y1=self.up(low), y2=self.up(high), class_=class_)

    def box(self, x: tuple[float, float], y: tuple[float, float], class_: str) -> Markup:
        left, right, bottom, top = self.across(x[0]), self.across(x[1]), self.up(y[0]), self.up(y[1])
        size = {"width": round(right - left, 1), "height": round(bottom - top, 1)}
        return tag("rect", x=left, y=top, class_=class_, **size)

    def draw(self, title: str, x_label: str, y_label: str, *marks: object) -> Markup:
        """The finished chart; the title is what a screen reader says."""
        x_ticks = [tick for tick in ticks_of(*self.x) if not self.counts_x or tick == round(tick)]
        across = [tag("g", self._x_tick(tick, x_ticks)) for tick in x_ticks]
        up = [tag("g", self._y_tick(tick, ticks)) for ticks in [ticks_of(*self.y)] for tick in ticks]
        middle = (HEIGHT - BOTTOM + TOP) / 2
        labels = (
            tag("text", x_label, x=(WIDTH + LEFT - RIGHT) / 2, y=HEIGHT - 6, class_="axis middle"),
            tag("text", y_label, x=10, y=middle, transform=f"rotate(-90 10 {middle})", class_="axis middle"),
        )
        box = f"0 0 {WIDTH} {HEIGHT}"
        return tag(
            "svg", tag("title", title), across, up, join(*marks), labels, viewBox=box, role="img", class_="chart"
        )

    def _x_tick(self, tick: float, ticks: list[float]) -> Markup:
        x = self.across(tick)
        line = tag("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid")
        return join(line, tag("text", tick_text(tick, ticks), x=x, y=HEIGHT - BOTTOM + 15, class_="tick middle"))

    def _y_tick(self, tick: float, ticks: list[float]) -> Markup:
        y = self.up(tick)
        line = tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
        return join(line, tag("text", tick_text(tick, ticks), x=LEFT - 6, y=y + 4, class_="tick end"))


def ticks_of(low: float, high: float) -> list[float]:
    """Four to nine round values inside a range.

    >>> ticks_of(0, 1), ticks_of(0.83, 0.91)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.84, 0.86, 0.88, 0.9])
    """
    power = math.floor(math.log10(high - low))
    for factor, exponent in ((5, power), (2, power), (1, power), (5, power - 1), (2, power - 1)):
        step = factor * 10.0**exponent
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first >= 3:
            break
    return [round(i * step, 1 - exponent) for i in range(first, last + 1)]


def tick_text(tick: float, ticks: list[float]) -> str:
    """A tick with the digits that its neighbours need.

    >>> tick_text(0.9, [0.85, 0.9, 0.95]), tick_text(20000.0, [0.0, 20000.0])
    ('0.90', '20k')
    """
    step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(tick) or 1.0
    for limit, name in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if max(abs(t) for t in ticks) >= limit:
            unit = 1e3 if name == "k" else limit
            return f"{tick / unit:.{max(0, -math.floor(math.log10(step / unit) + 1e-9))}f}{name}" if tick else "0"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{tick:.{digits}f}" if digits < 6 else f"{tick:.1e}"


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with a margin of 5 % on both sides, and never empty."""
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    return low - margin, high + margin
