"""``python -m tests.benchmarks``: measure, print a table, and write it to ``reports/bench-<date>.md``.

Ratios and exponents carry over from machine to machine, seconds do not; on a machine with other work to do, trust the
ratio of processor seconds more than that of the clock.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from datetime import date
from math import log
from pathlib import Path

from analysis import pipeline, places, run

from . import attribution, funnels, groups, lines, startup, ways
from .fresh import figures_of, in_turns, median_ratio, medians

#: What we aim at: seconds of the import, ratios of time, exponent of growth, peak of memory at a hundred million lines.
IMPORT_AIM, REPORT_AIM, PROFILES_AIM, GROWTH_AIM, PEAK_AIM = 0.3, 1.5, 1.3, 1.1, 8.0
#: Seconds for a million customers' groups and for ten million assigned; and the ratio to bare scikit-learn.
GROUPS_AIM, GROUPS_RATIO_AIM = 60, 1.3
#: Seconds for the attribution of a million counted paths over 200 channels, with intervals.
ATTRIBUTION_AIM = 60
#: Ratio to the best query by hand, and peak of memory in GiB at fifty million events.
FUNNEL_AIM, FUNNEL_PEAK_AIM = 1.5, 8.0
#: Ratio of what comes next to one query by hand; GiB at fifty million events.
MOVES_AIM, MOVES_PEAK_AIM = 1.5, 8.0
#: Of the time that the same takes in pandas, at the size that still fits there.
PANDAS_AIM = 1 / 3

SHORT, MIDDLE, LONG = 10**6, 10**7, 10**8

HEAD = ("measured", "rows", "seconds", "beside it", "ratio", "of processor seconds", "peak GiB", "aim", "met")


def main() -> None:
    options = _options()
    # with bytecode as an installed package has it, even where the environment forbids to write any
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rows = []
    with tempfile.TemporaryDirectory(prefix="moshtari-bench-") as scratch:
        os.environ["PYTHONPYCACHEPREFIX"] = f"{scratch}/bytecode"
        for part in PARTS:
            if options.only in (None, part):
                for row in PARTS[part](Path(scratch), options):
                    rows.append(row)
                    print(_line(row), flush=True)
    name = f"bench-{date.today().isoformat()}{'-' + options.only if options.only else ''}.md"
    text = _document(rows)
    places.REPORTS.mkdir(exist_ok=True)
    (places.REPORTS / name).write_text(text, encoding="utf-8")
    print(f"\n{text}\n{places.REPORTS / name}")


def _imports(scratch: Path, options) -> Iterator[dict]:
    statements = {"import analysis": "import analysis"}
    for chapter in pipeline.CHAPTERS:
        statements[f"imports of {chapter.name}"] = startup.import_statements(chapter.notebook)
    sides = {name: (startup.importing, (s,)) for name, s in statements.items()}
    in_turns(sides, 1)  # writes the bytecode
    for name, figures in in_turns(sides, options.runs or 5).items():
        found, aim = medians(figures), IMPORT_AIM if name == "import analysis" else None
        yield _row(f"{name}, beyond pandas", found["imports"], peak=found["peak"], aim=aim, judged=found["imports"])


def _report(scratch: Path, options) -> Iterator[dict]:
    bare = scratch / "bare"
    bare.mkdir()
    for chapter in pipeline.CHAPTERS:
        startup.write_bare_notebook(chapter.notebook, bare)
    sides = {
        "report": (startup.report, (str(scratch / "report"),)),
        "bare": (startup.bare_notebooks, (str(bare),)),
    }
    in_turns(sides, 1)  # simulates the sample, writes the bytecode and the list of fonts
    found = in_turns(sides, options.runs or 5)
    ratio = median_ratio(found["report"], found["bare"], "process")
    yield _row(
        f"the sample's report, {len(pipeline.CHAPTERS)} chapters; beside it: their imports by papermill",
        medians(found["report"])["process"],
        medians(found["bare"])["process"],
        ratio=ratio,
        aim=REPORT_AIM,
        judged=ratio,
    )


def _profiles(scratch: Path, options) -> Iterator[dict]:
    before = None
    for rows in sorted(int(r) for r in options.rows):
        folder = scratch / f"{rows}"
        folder.mkdir()
        figures_of(lines.write, str(folder), rows)
        sides = {"package": (lines.by_package, (str(folder),)), "hand": (lines.by_hand, (str(folder),))}
        runs = options.runs or (5 if rows <= SHORT else 3 if rows < LONG else 1)
        found = in_turns(sides, runs)
        figures_of(lines.compare, str(folder))
        if rows == MIDDLE:
            yield _beside_pandas(folder, runs, rows)
        yield from _profile_rows(rows, found["package"], found["hand"], before)
        package = medians(found["package"])
        if rows < LONG:
            preparing = medians(in_turns({"prepare": (lines.preparing, (str(folder),))}, runs)["prepare"])
            writing = preparing["prepare"] - package["read"]
            yield _row("writing the canonical tables into a run", writing, rows=rows, peak=preparing["peak"])
        before = rows, package["both"]
        for file in folder.iterdir():
            file.unlink()


def _beside_pandas(folder: Path, runs: int, rows: int) -> dict:
    sides = {"package": (lines.by_package, (str(folder),)), "pandas": (lines.by_pandas, (str(folder),))}
    found = in_turns(sides, runs)
    figures_of(lines.compare, str(folder), "by_pandas")
    ratio = median_ratio(found["package"], found["pandas"], "both")
    seconds = (medians(found[side])["both"] for side in sides)
    processor = median_ratio(found["package"], found["pandas"], "processor")
    return _row(
        "reading and profiles; beside it: pandas",
        *seconds,
        rows=rows,
        ratio=ratio,
        processor=processor,
        peak=medians(found["pandas"])["peak"],
        aim=PANDAS_AIM,
        judged=ratio,
    )


def _profile_rows(rows: int, by_package: list, by_hand: list, before: tuple[int, float] | None) -> Iterator[dict]:
    package, hand = medians(by_package), medians(by_hand)
    ratio = median_ratio(by_package, by_hand, "both")
    yield _row("reading", package["read"], rows=rows)
    yield _row("profiles", package["profiles"], rows=rows)
    yield _row(
        "reading and profiles; beside it: one query by hand",
        package["both"],
        hand["both"],
        rows=rows,
        ratio=ratio,
        processor=median_ratio(by_package, by_hand, "processor"),
        peak=package["peak"],
        aim=PROFILES_AIM,
        judged=ratio,
    )
    yield _row("the query by hand", hand["both"], rows=rows, peak=hand["peak"])
    if before:
        growth = log(package["both"] / before[1]) / log(rows / before[0])
        yield _row(
            f"time grows from {before[0]:,} as rows to the power {growth:.2f}", rows=rows, aim=GROWTH_AIM, judged=growth
        )
    if rows >= LONG:
        peak = package["peak"] / 2**30
        yield _row("peak memory of reading and profiles", rows=rows, peak=package["peak"], aim=PEAK_AIM, judged=peak)


def _groups(scratch: Path, options) -> Iterator[dict]:
    runs = options.runs or 3
    million = int(1e6)
    found = in_turns(
        {"package": (groups.by_package, (million, "numbers")), "bare": (groups.by_scikit, (million,))}, runs
    )
    package, bare = medians(found["package"]), medians(found["bare"])
    ratio = median_ratio(found["package"], found["bare"], "seconds")
    yield _row(
        "groups of customers by 12 numbers, their number chosen; beside it: the same fits by scikit-learn",
        package["seconds"], bare["seconds"], rows=million, ratio=ratio,
        processor=median_ratio(found["package"], found["bare"], "processor"),
        peak=package["peak"], aim=GROUPS_RATIO_AIM, judged=ratio,
    )  # fmt: skip
    mixed = {n: medians(in_turns({"p": (groups.by_package, (n, "mixed"))}, runs if n <= million else 1)["p"])
             for n in (million // 10, million, 5 * million)}  # fmt: skip
    for n, figures in mixed.items():
        seconds = figures["seconds"]
        aim = GROUPS_AIM if n == million else None
        yield _row("groups by 12 numbers, categories and shares (latent classes)", seconds, rows=n,
                   peak=figures["peak"], aim=aim, judged=seconds)  # fmt: skip
    growth = log(mixed[5 * million]["seconds"] / mixed[million // 10]["seconds"]) / log(50)
    yield _row(f"their time grows from 100,000 as customers to the power {growth:.2f}", rows=5 * million,
               aim=GROWTH_AIM, judged=growth)  # fmt: skip
    engine = medians(in_turns({"engine": (groups.in_engine, (MIDDLE,))}, runs)["engine"])
    yield _row("customers assigned to their groups in the engine", engine["seconds"], rows=MIDDLE,
               peak=engine["peak"], aim=GROUPS_AIM, judged=engine["seconds"])  # fmt: skip


def _attribution(scratch: Path, options) -> Iterator[dict]:
    runs, million = options.runs or 3, int(1e6)
    found = medians(in_turns({"paths": (attribution.of_paths, (million,))}, runs)["paths"])
    measured = f"attribution of counted paths over {attribution.CHANNELS} channels, five ways, with intervals"
    seconds = found["seconds"]
    yield _row(measured, seconds, rows=million, peak=found["peak"], aim=ATTRIBUTION_AIM, judged=seconds)
    times = {n: medians(in_turns({"events": (attribution.of_events, (n,))}, runs)["events"]) for n in (million, MIDDLE)}
    for n, figures in times.items():
        yield _row("attribution of events in the engine", figures["seconds"], rows=n, peak=figures["peak"])
    growth = log(times[MIDDLE]["seconds"] / times[million]["seconds"]) / log(MIDDLE / million)
    yield _row(f"its time grows as events to the power {growth:.2f}", rows=MIDDLE, aim=GROWTH_AIM, judged=growth)


def _funnels(scratch: Path, options) -> Iterator[dict]:
    before, file = None, str(scratch / "events.parquet")
    for events in (MIDDLE, 5 * MIDDLE):
        figures_of(funnels.write, file, events)
        runs = options.runs or (5 if events == MIDDLE else 3)
        for split, words in ((False, "a funnel of five steps in thirty days"), (True, "the same of each channel")):
            hands = {name: (funnels.by_hand, (file, split, name)) for name in ("joins", "as-of joins")}
            found = in_turns({"package": (funnels.by_package, (file, split)), **hands}, runs)
            _check_same({name: figures[0] for name, figures in found.items()})
            best = min(hands, key=lambda name: medians(found[name])["seconds"])
            package, ratio = medians(found["package"]), median_ratio(found["package"], found[best], "seconds")
            yield _row(
                f"{words}; beside it: the best query by hand ({best})",
                package["seconds"], medians(found[best])["seconds"], rows=events, ratio=ratio,
                processor=median_ratio(found["package"], found[best], "processor"), peak=package["peak"],
                aim=FUNNEL_AIM, judged=ratio,
            )  # fmt: skip
            if split and before:
                growth = log(package["seconds"] / before) / log(5)
                yield _row(f"its time grows from 10,000,000 as events to the power {growth:.2f}", rows=events,
                           aim=GROWTH_AIM, judged=growth)  # fmt: skip
                peak = package["peak"] / 2**30
                yield _row("its peak memory", rows=events, peak=package["peak"], aim=FUNNEL_PEAK_AIM, judged=peak)
            before = package["seconds"] if split else before


def _check_same(sides: dict[str, dict]) -> None:
    """The package and the queries by hand must have counted the same."""
    counted = {name: [n for key, n in figures.items() if key.startswith("entered")] for name, figures in sides.items()}
    if len({tuple(counts) for counts in counted.values()}) > 1:
        raise SystemExit(f"The counts differ: {counted}")


def _ways(scratch: Path, options) -> Iterator[dict]:
    before = None
    for rows in (MIDDLE, 5 * MIDDLE):
        folder = scratch / f"ways-{rows}"
        folder.mkdir()
        figures_of(ways.write, str(folder), rows)
        sides = {"package": (ways.by_package, (str(folder),)), "hand": (ways.by_hand, (str(folder),))}
        found = in_turns(sides, options.runs or (5 if rows == MIDDLE else 3))
        figures_of(ways.compare, str(folder))
        package, hand = medians(found["package"]), medians(found["hand"])
        ratio = median_ratio(found["package"], found["hand"], "seconds")
        yield _row(
            "what customers do next, with intervals; beside it: the counts by one query by hand",
            package["seconds"], hand["seconds"], rows=rows, ratio=ratio,
            processor=median_ratio(found["package"], found["hand"], "processor"),
            peak=package["peak"], aim=MOVES_AIM, judged=ratio,
        )  # fmt: skip
        if before:
            growth = log(package["seconds"] / before) / log(5)
            yield _row(f"its time grows as events to the power {growth:.2f}", rows=rows, aim=GROWTH_AIM, judged=growth)
            peak = package["peak"]
            yield _row("its peak memory", rows=rows, peak=peak, aim=MOVES_PEAK_AIM, judged=peak / 2**30)
        before = package["seconds"]
        (folder / "events.parquet").unlink()


PARTS = {
    "import": _imports,
    "report": _report,
    "profiles": _profiles,
    "groups": _groups,
    "funnels": _funnels,
    "ways": _ways,
    "attribution": _attribution,
}


def _row(
    measured, seconds=None, beside=None, *, rows=None, ratio=None, processor=None, peak=None, aim=None, judged=None
) -> dict:
    """A line of the table; `judged` is the figure that is held against the aim."""
    cells = (
        measured,
        f"{rows:,}" if rows else "",
        f"{seconds:.2f}" if seconds is not None else "",
        f"{beside:.2f}" if beside else "",
        f"{ratio:.2f}" if ratio else "",
        f"{processor:.2f}" if processor else "",
        f"{peak / 2**30:.2f}" if peak else "",
        f"≤ {aim:.3g}" if aim else "",
        ("yes" if judged <= aim else "no") if aim else "",
    )
    return dict(zip(HEAD, cells, strict=True))


def _line(row: dict) -> str:
    return f"| {' | '.join(row.values())} |"


def _document(rows: list[dict]) -> str:
    heads = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    return "\n".join([f"# Benchmarks of {date.today().isoformat()}", "", _machine(), "", *heads, *map(_line, rows), ""])


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version}" for name, version in run.versions().items())
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()} {platform.machine()}; {libraries}. "
        f"Load in the last minute: {os.getloadavg()[0]:.1f}. Medians over runs in fresh processes that take turns."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", nargs="+", type=float, default=[1e6, 1e7, 1e8], help="sizes, in order lines")
    parser.add_argument("--only", choices=PARTS, help="measure just this")
    parser.add_argument(
        "--runs", type=int, help="runs of each measurement; default 5 for short ones, 3 or 1 for long ones"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
