"""The command: `moshtari report`, `moshtari check`, `moshtari sources`, `moshtari sample`.

It parses, calls the pipeline and prints; every mistake of its user ends in one message and exit code 2, a chapter or a
report that failed in exit code 1, data above a limit in exit code 3.
"""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from analysis import __version__
from analysis.errors import Problem
from analysis.phrases import LANGUAGES

_REPORT_EXAMPLES = """examples:
  moshtari report                                     the bookshop, simulated, nothing needed
  moshtari report online_retail --data ~/data         a shipped mapping, its files in ~/data
  moshtari report shop.toml --as-of 2026-03-20        your own base, as it was on that day
  moshtari report shop.toml --only segments -p 2_segments.groups=5
  moshtari report shop.toml --by country --jobs 2     a report for each country, and a page that compares them
  moshtari report shop.toml --lang fa --pdf           in Persian, and printed to index.pdf
exit code: 0; 1 if a chapter failed, or one report of several; 2 for anything that you can put right. That no browser is
there to print a PDF is said and changes no exit code. `moshtari check` ends with 3 above a limit.
"""
_CHECK_EXAMPLES = """examples:
  moshtari check shop.toml                            what is wrong with the data, and which figures it bends
  moshtari check cdnow --data ~/data
  moshtari check shop.toml --against reports/shop-2026-02-28
                                                      and what has changed since that run
exit code: 0; 2 if the base cannot be read; 3 if a defect is above a limit that the mapping sets in [limits]
"""
_SOURCES_EXAMPLES = """example:
  moshtari sources                                    the mappings that come with the package
"""
_SAMPLE_EXAMPLES = """examples:
  moshtari sample --out shop                          5,000 customers over three years, as Parquet
  moshtari sample --out forooshgah --language fa --defects 0.02
                                                      Persian names, one row in fifty spoilt, each of them listed
  moshtari sample --out shop --customers 500 --csv --export crm
                                                      with CSV, and with the export of a CRM in shop/crm
"""

#: Letters of a value that are printed.
_LONGEST_VALUE = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code = options.run(options)
        sys.stdout.flush()  # here, where a closed pipe can be told from an error
        return code
    except Problem as e:
        print(e, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever reads the pipe has seen enough: `moshtari check … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next run goes on from here.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moshtari", description="From a customer base to profiles, segments, personas and journeys."
    )
    parser.add_argument("--version", action="version", version=f"moshtari {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, summary, examples in (
        ("report", _report, "make the report of a customer base", _REPORT_EXAMPLES),
        ("check", _check, "read a base and say what is wrong with it, without making a report", _CHECK_EXAMPLES),
        ("sources", _sources, "list the mappings that come with the package", _SOURCES_EXAMPLES),
        ("sample", _sample, "write a simulated bookshop whose truth is known", _SAMPLE_EXAMPLES),
    ):
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        if name in ("report", "check"):
            _add_source_options(command, optional=name == "report")
        if name == "report":
            _add_report_options(command)
        if name == "check":
            command.add_argument(
                "--against", type=Path, metavar="RUN", help="folder of an earlier run: what has changed since"
            )
        if name == "sample":
            _add_sample_options(command)
    return parser


def _add_source_options(command: argparse.ArgumentParser, optional: bool) -> None:
    command.add_argument(
        "source",
        nargs="?" if optional else None,
        default="bookshop",
        metavar="SOURCE",
        help="a mapping file, or the name of a shipped one" + (" (default: bookshop)" if optional else ""),
    )
    command.add_argument("--data", type=Path, metavar="DIR", help="folder of the source's files (or MOSHTARI_DATA)")
    command.add_argument("--as-of", type=_date, metavar="DATE", help="last day to look at (default: the last event's)")
    command.add_argument(
        "--seed", type=int, default=1, metavar="N", help="seed of the sample and of all chance (default: 1)"
    )


def _add_report_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", type=_folder, metavar="DIR", help="folder of the run (default: reports/<source>-<as of>)"
    )
    command.add_argument(
        "--only", nargs="+", default=[], metavar="CHAPTER", help="chapters to make, with what they need"
    )
    command.add_argument(
        "--lang", choices=LANGUAGES, default="en", help="language of the report: English or Persian (default: en)"
    )
    command.add_argument(
        "--previous", type=Path, metavar="DIR", help="earlier run to compare with (default: the last of this source)"
    )
    command.add_argument("--by", type=_field, metavar="FIELD", help="one report for each value of a customers' field")
    command.add_argument(
        "--jobs", type=_several, metavar="N", help="reports made at once with --by (default: by processors and memory)"
    )
    command.add_argument("--pdf", action="store_true", help="print the report to index.pdf too, by Chromium")
    command.add_argument("--before", default="", help=argparse.SUPPRESS)  # what a notebook opened on its own asks for
    command.add_argument("--force", action="store_true", help="run chapters even if nothing has changed")
    command.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NOTEBOOK.PARAMETER=VALUE",
        help="set a notebook's parameter (repeatable)",
    )


def _add_sample_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=_folder, required=True, metavar="DIR", help="folder to write into")
    command.add_argument("--customers", type=int, default=5000, metavar="N", help="customers (default: 5000)")
    command.add_argument("--years", type=int, default=3, metavar="Y", help="years of history (default: 3)")
    command.add_argument(
        "--seed", type=int, default=1, metavar="S", help="same seed, same bytes; another, another shop (default: 1)"
    )
    command.add_argument(
        "--language", choices=("en", "fa"), default="en", help="names and words in English or Persian (default: en)"
    )
    command.add_argument(
        "--defects",
        type=float,
        default=0.0,
        metavar="RATE",
        help="rate of planted defects, 0 to 0.2, listed in truth/defects.parquet (default: 0)",
    )
    command.add_argument("--csv", action="store_true", help="write every table as CSV too")
    command.add_argument("--export", choices=("crm",), help="the same base once more, as exported from a CRM in Iran")
    command.add_argument("--force", action="store_true", help="write even into a folder that holds something else")


def _report(options: argparse.Namespace) -> int:
    from analysis import pipeline  # here: `moshtari --help` answers at once

    overrides: dict[str, dict[str, str]] = {}
    for text in options.parameter:
        chapter, parameter, value = pipeline.parsed_override(text)
        overrides.setdefault(chapter, {})[parameter] = value
    if options.by:
        return _reports_by(options, overrides)
    run, outcomes = pipeline.make_report(
        options.source,
        as_of=options.as_of,
        data=options.data,
        seed=options.seed,
        out=options.out,
        only=options.only,
        before=options.before,
        force=options.force,
        overrides=overrides,
        language=options.lang,
        previous=options.previous,
    )
    failed = [o.reason for o in outcomes if o.status == "failed"]
    _print_pdfs(options, [run.folder])
    for reason in failed:
        print(reason, file=sys.stderr)
    for line in [] if options.before else _closing_lines(run, run):
        print(line)
    return 1 if failed else 0


def _reports_by(options: argparse.Namespace, overrides: dict[str, dict[str, str]]) -> int:
    from analysis import batch, pipeline

    whole, made = batch.make_reports(
        options.source,
        options.by,
        pipeline.planned(options.only, "", options.force, overrides, options.seed),
        as_of=options.as_of,
        data=options.data,
        out=options.out,
        language=options.lang,
        previous=options.previous,
        jobs=options.jobs,
    )
    failed = [m for m in made if m.reason]
    for m in failed:
        print(f"{_printable(m.part.value)}: {m.reason}", file=sys.stderr)
    _print_pdfs(options, [whole.folder, *(m.run.folder for m in made if (m.run.folder / "index.html").is_file())])
    told = next((m for m in made if not m.reason), None)
    for line in _closing_lines(whole, told and told.run, told and _printable(told.part.value)):
        print(line)
    return 1 if failed else 0


def _print_pdfs(options: argparse.Namespace, folders: list[Path]) -> None:
    """Print the reports; that it cannot be done is said and harms no report."""
    if not options.pdf:
        return
    from analysis.report import pdf

    said = {}
    for folder in folders:
        try:
            pdf.write(folder / "index.html")
        except Problem as e:
            said[str(e)] = None
    for reason in said:  # once, however many reports it keeps from being printed
        print(reason, file=sys.stderr)


def _closing_lines(run, told, part: str | None = None) -> list[str]:
    """Where the report is, the top finding (of `told`, a run or none, which is that of a part), what was set aside."""
    accounts = run.read("row_accounts").query("not derived")
    aside = int(accounts.loc[accounts["reason"] != "", "rows"].sum())
    return [
        f"Report: {run.folder / 'index.html'}",
        f"Top finding{f' ({part})' if part else ''}: {(told and _top_finding(told)) or 'none'}",
        f"Set aside: {aside:,} of {int(accounts['rows'].sum()):,} rows" + (" (see set_aside/)" if aside else ""),
    ]


def _top_finding(run) -> str:
    """The first of the run's findings, in the language of the book, without markup."""
    from analysis.phrases import speaking
    from analysis.report import summary

    with speaking(run.about["language"]):
        found = summary.findings(run)
    return re.sub(r"[*`]|<[^>]+>", "", str(found["sentence"].iloc[0])) if len(found) else ""


def _printable(value: str) -> str:
    """A value of the data as a terminal and a mail may get it: on one line, without control characters, not endless."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return plain if len(plain) <= _LONGEST_VALUE else f"{plain[: _LONGEST_VALUE - 1]}…"


def _check(options: argparse.Namespace) -> int:
    from analysis import pipeline, quality, sources

    before = _quality_of(options.against) if options.against else None
    base = sources.read(options.source, as_of=options.as_of, data=options.data, seed=options.seed)
    pipeline.checked_parameters(base.parameters)
    print(f"{base.title}, as of {base.as_of}\n")
    for table, rows in base.accounts.groupby("table", sort=False):
        kept = int(rows.loc[rows["reason"] == "", "rows"].sum())
        print(f"{table}: {int(rows['rows'].sum()):,} rows, {kept:,} kept")
        for row in rows.itertuples():
            if row.reason:
                print(f"  {row.rows:>12,} set aside: {row.reason}{'  (defect)' if row.defect else ''}")
    found = quality.assess(base)
    print("\n" + "\n".join(quality.page(found)))
    if before is not None:
        print("\n" + "\n".join(quality.changes_in_words(quality.changes(found, before), options.against)))
    above = quality.limits_in_words(quality.above_limits(found, base.limits))
    for line in above:
        print(line)
    return 3 if above else 0


def _quality_of(folder: Path):
    """The quality of the data as an earlier run found it."""
    from analysis import run

    if not (folder / "data" / "quality.parquet").is_file():
        raise Problem(
            f"--against {folder} has no data/quality.parquet. Name the folder of an earlier run, as `moshtari report` "
            f"made it, e.g. reports/bookshop-2026-03-20."
        )
    return run.Run(folder).read("quality")


def _sources(options: argparse.Namespace) -> int:
    from analysis import sources

    print("bookshop               The bookshop, a simulated company (needs nothing)")
    for name, file in sources.shipped().items():
        print(f"{name:<22} {sources.load(file).title}")
    print("\nTheir files are looked for in --data DIR or MOSHTARI_DATA; each mapping says where to get them:")
    print(f"{sources.mapping.SHIPPED}")
    return 0


def _sample(options: argparse.Namespace) -> int:
    from analysis import bookshop  # here: `moshtari --help` answers at once

    _check_free(options.out, options.force)
    try:
        mapping = bookshop.write(
            options.out,
            customers=options.customers,
            years=options.years,
            seed=options.seed,
            language=options.language,
            defects=options.defects,
            csv=options.csv,
            export=options.export,
        )
    except OSError as e:
        raise Problem(f"{options.out} cannot be written: {e.strerror or e}. Name another folder with --out.") from None
    for line in _contents(options.out):
        print(line)
    print("\nNext:")
    for file in (mapping, *mapping.parent.glob("crm/mapping.toml")):
        print(f"  moshtari report {shlex.quote(str(file))}")
    return 0


def _check_free(folder: Path, force: bool) -> None:
    """A folder that holds anything but a bookshop is not written into unasked."""
    from analysis import bookshop

    if force or not folder.is_dir() or bookshop.is_bookshop(folder):
        return
    found = sorted(path.name for path in folder.iterdir())
    if found:
        raise Problem(
            f"{folder} holds something else than a bookshop (found: {', '.join(found[:3])}). "
            f"Name another folder with --out, or write into it all the same with --force."
        )


def _contents(folder: Path) -> list[str]:
    """What was written, file by file."""
    from pyarrow.parquet import read_metadata

    files = [*sorted(folder.glob("*.parquet")), *sorted((folder / "truth").glob("*.parquet"))]
    lines = [f"{read_metadata(file).num_rows:>12,} rows  {file}" for file in files]
    lines += [f"{'':>12}       {file}" for file in (*sorted(folder.glob("*.csv")), folder / "truth" / "findings.toml")]
    return lines + [f"{'':>12}       {file}" for file in sorted(folder.glob("crm/*.csv"))]


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("it names no folder")
    return Path(text)


def _field(text: str) -> str:
    if not text.strip():  # an empty variable in a schedule's line is no wish for one report of everybody
        raise argparse.ArgumentTypeError("it names no field")
    return text


def _several(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of reports; write a whole number from 1 on')
    return int(text)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no date; write it as 2026-03-20') from None


if __name__ == "__main__":
    sys.exit(main())
