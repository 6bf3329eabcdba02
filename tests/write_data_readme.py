"""Write the part of data/README.md that lists the canonical tables and the columns of the profiles, from `schema`."""

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


def profiles_in_markdown() -> str:
    lines = [
        "## The profiles\n",
        "One row per customer as of a day: the attributes of `customers` as recorded, and these. A column that is "
        "never empty counts or sums, 0 where there is nothing.\n",
        "| column | family | unit | meaning | empty |",
        "|---|---|---|---|---|",
    ]
    columns = {**schema.PROFILE_COLUMNS, f"{schema.SCORE}…": schema.profile_column(schema.SCORE)}
    for name, c in columns.items():
        lines.append(f"| {name} | {c.family} | {c.unit} | {c.definition} | {c.empty or 'never'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    before = README.read_text(encoding="utf-8").split(MARK)[0]
    README.write_text(before + MARK + "\n\n" + tables_in_markdown() + "\n" + profiles_in_markdown(), encoding="utf-8")
