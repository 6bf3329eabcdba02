"""A guard over the notebooks: nbval compares nothing where a checked cell has no stored output, and passes."""

import pytest

CHECKED = "nbval-check-output"


def pytest_runtest_setup(item):
    cell = getattr(item, "cell", None)
    if cell is None or CHECKED not in cell.get("metadata", {}).get("tags", ()):
        return
    if not cell.get("outputs") or cell.get("execution_count") is None:
        pytest.fail(
            f"{item.name} is tagged {CHECKED} and has no stored output, so that nothing would be compared. "
            "Store it: python tests/renew_key_figures.py",
            pytrace=False,
        )
