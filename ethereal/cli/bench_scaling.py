"""How `ethereal bench --scaling` shows what it found."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from ethereal.bench.farm import Scaling


def show_scaling(found: Scaling, console: Console) -> None:
    """Print what the parts cost, then a row for each width of a farm."""
    console.print(
        _stages(found), "", _costs(found), "", _forecasts(found), "", _bound(found), sep="\n", highlight=False
    )


def _stages(found: Scaling) -> Table:
    table = Table(
        f"{found.seconds / 60:g} min {found.output_format}", "s", "at most, MiB", "MB left", box=None
    )
    for stage in found.stages:
        table.add_row(
            stage.name, f"{stage.seconds:.1f}", str(stage.peak_mib), f"{stage.size_bytes / 1e6:.1f}"
        )
    return table


def _costs(found: Scaling) -> str:
    work = found.work
    return (
        f"{found.scene}: {1000 * work.seconds_per_frame:.0f} ms a frame, chunks {min(work.spread):.2f} to "
        f"{max(work.spread):.2f} of that; {work.boot:.1f} s to boot, {work.begin:.2f} s to begin a chunk, "
        f"{work.frame_bytes / 1000:.1f} kB a frame. Assumed: {work.transfer_rate / 1e6:.0f} MB/s and "
        f"{work.transfer_delay:g} s to and from the object store."
    )


def _forecasts(found: Scaling) -> Table:
    table = Table(
        "workers",
        "chunks",
        "wall, s",
        "before",
        "drawing",
        "after",
        "speed-up",
        "efficiency",
        "limit",
        box=None,
    )
    for told in found.forecasts:
        seconds = (f"{part:.1f}" for part in (told.wall, told.before, told.drawing, told.after))
        gains = f"{told.speed_up:.1f}", f"{told.efficiency:.2f}"
        table.add_row(str(told.workers), str(told.chunks), *seconds, *gains, told.limit)
    return table


def _bound(found: Scaling) -> str:
    work, widest = found.work, found.forecasts[-1]
    fixed = widest.before + widest.after
    return (
        f"One worker's work for {widest.workers}: {fixed:.1f} s (listening {work.listen:.1f}, planning "
        f"{widest.before - work.listen:.1f}, assembling {widest.after:.1f}), so at most "
        f"{found.forecasts[0].wall / fixed:.0f} times one worker's speed."
    )
