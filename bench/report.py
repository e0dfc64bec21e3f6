"""Say how fast something is beside its peers: a table, and a chart of the ratios."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log2
from statistics import median

ROW = 26
LABELS = 430
PLOT = 400
STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.grid { stroke: #d0d7de; }
.one { stroke: #57606a; }
.better { fill: #1a7f64; }
.worse { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.grid { stroke: #30363d; }
.one { stroke: #9198a1; }
.better { fill: #3fb68b; }
.worse { fill: #db6d28; }
}"""


@dataclass
class Case:
    """What was measured, for each peer once a round; the first one is ours."""

    what: str
    values: dict[str, list[float]]
    more_is_better: bool = False

    def ratios(self, peer: str) -> list[float]:
        """Return for each round how many times better ours is; nothing of zeros."""
        ours = next(iter(self.values.values()))
        pairs = list(zip(ours, self.values[peer], strict=True))
        if not all(all(pair) for pair in pairs):
            return []
        return [a / b if self.more_is_better else b / a for a, b in pairs]


def table(cases: list[Case]) -> str:
    """Return a Markdown table of medians, ratios and their spreads."""
    lines = [
        "| | here | compared with | there | times better |",
        "| --- | --- | --- | --- | --- |",
    ]
    for case in cases:
        (_, ours), *peers = case.values.items()
        if not peers:
            lines.append(f"| {case.what} | {spread(ours)} | | | |")
        for peer, theirs in peers:
            ratios = case.ratios(peer)
            cells = [
                case.what,
                spread(ours),
                peer,
                spread(theirs),
                spread(ratios) if ratios else "",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def spread(values: list[float]) -> str:
    """Return the median and, if they differ, the least and the most."""
    least, most = short(min(values)), short(max(values))
    around = f" ({least} to {most})" if least != most else ""
    return f"**{short(median(values))}**{around}"


def short(value: float) -> str:
    """Return a number with the digits that mean something."""
    return f"{value:.0f}" if value >= 99.5 or value == 0 else f"{value:.2g}"


def chart(cases: list[Case]) -> str:
    """Return an SVG of the ratios: bars to the right of 1 are better, left worse."""
    bars = [
        (f"{case.what}: {peer}", median(ratios))
        for case in cases
        for peer in list(case.values)[1:]
        if (ratios := case.ratios(peer))
    ]
    exponents = [log2(ratio) for _, ratio in bars]
    first, last = floor(min([0, *exponents])), ceil(max([1, *exponents]))
    scale = PLOT / (last - first)

    def x(exponent: float) -> float:
        return round(LABELS + (exponent - first) * scale, 1)

    width, height = LABELS + PLOT + 50, ROW * (len(bars) + 2)
    parts = []
    for power in range(first, last + 1):
        name = "one" if power == 0 else "grid"
        label = f"{2**power}" if power >= 0 else f"1/{2**-power}"
        parts += [
            f'<path class="{name}" d="M{x(power)} {ROW}V{height - ROW}"/>',
            f'<text x="{x(power)}" y="18" text-anchor="middle">{label}x</text>',
        ]
    for row, ((label, ratio), exponent) in enumerate(zip(bars, exponents, strict=True)):
        y = ROW * (row + 1)
        name = "better" if ratio >= 1 else "worse"
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 18}" text-anchor="end">'
            f"{escape(label)}</text>",
            f'<rect class="{name}" x="{x(min(0, exponent))}" y="{y + 4}" '
            f'width="{round(abs(exponent) * scale, 1)}" height="{ROW - 8}"/>',
            f'<text x="{x(max(0, exponent)) + 6}" y="{y + 18}">{short(ratio)}x</text>',
        ]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
            "<title>How many times better than its peers, on a scale of powers of two"
            "</title>",
            f"<style>\n{STYLE}\n</style>",
            *parts,
            "</svg>\n",
        ]
    )
