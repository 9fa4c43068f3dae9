"""Charts as values: positions in percent of the plot, drawn by `templates/ui/charts/` as SVG.

Pure. Every chart carries the numbers behind it as a table, and a sentence that says what it shows.
Positions are percentages, so that a chart fits any width with its text at reading size.
"""

from __future__ import annotations

from core.charts.bars import Bar, BarChart, bars
from core.charts.base import Chart, Tick, ticks
from core.charts.bins import Bin, Histogram, histogram
from core.charts.lines import LineChart, Point, Spark, line, spark
from core.charts.stacks import StackChart, stacked

__all__ = [
    "Bar",
    "BarChart",
    "Bin",
    "Chart",
    "Histogram",
    "LineChart",
    "Point",
    "Spark",
    "StackChart",
    "Tick",
    "bars",
    "histogram",
    "line",
    "spark",
    "stacked",
    "ticks",
]
