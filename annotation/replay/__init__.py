"""Replay: published outputs with human labels, taken through everything that production does."""

from annotation.replay.compiling import compile_report
from annotation.replay.progress import Show, Silent, show_on
from annotation.replay.reader import Fault, Reading, read
from annotation.replay.rendering import render
from annotation.replay.report import Report
from annotation.replay.stages import Done, Stuck, run
from annotation.replay.world import World, prepare

__all__ = [
    "Done",
    "Fault",
    "Reading",
    "Report",
    "Show",
    "Silent",
    "Stuck",
    "World",
    "compile_report",
    "prepare",
    "read",
    "render",
    "run",
    "show_on",
]
