"""Write the part of data/README.md that lists the canonical tables, from `analysis.schema`."""

from pathlib import Path

from analysis import schema

README = Path(__file__).parents[1] / "data" / "README.md"
MARK = "<!-- the tables below are written by tests/write_data_readme.py from analysis.schema -->"


def tables_in_markdown() -> str:
    sections = []
    for table in schema.TABLES.values():
        lines = [
            f"### {table.name}\n",
            f"One row per {table.one_row_per}.\n",
            "| column | type | meaning |",
            "|---|---|---|",
        ]
        for c in table.columns:
            marks = "★" * (c.name == table.key) + "°" * c.personal
            meaning = c.meaning + (f"; {', '.join(c.values)}" if c.values and c.values[0] not in c.meaning else "")
            meaning += f" (empty: {c.empty})" if c.empty else ""
            needed = ", needed" if c.required else ""
            lines.append(f"| {c.name} | {c.type}{needed} {marks}".rstrip() + f" | {meaning} |")
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8").split(MARK)[0]
    README.write_text(before + MARK + "\n\n" + tables_in_markdown(), encoding="utf-8")
