"""`moshtari sample` writes a bookshop that can be read, says what it wrote, and keeps off other people's folders."""

import tomllib

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis import bookshop, cli, sources
from analysis.bookshop.folder import Folder
from analysis.errors import Problem


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small bookshop with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("whole") / "shop"
    arguments = ["--customers", "200", "--years", "2", "--seed", "4", "--language", "fa", "--defects", "0.04"]
    assert cli.main(["sample", "--out", str(folder), *arguments, "--csv", "--export", "crm"]) == 0
    return folder


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_says_what_it_wrote_and_what_to_type_next(tmp_path, capsys):
    folder = tmp_path / "my shop"
    assert cli.main(["sample", "--out", str(folder), "--customers", "50", "--export", "crm"]) == 0
    out = capsys.readouterr().out
    assert f"50 rows  {folder / 'customers.parquet'}" in out
    assert str(folder / "truth" / "findings.toml") in out
    assert f"moshtari report '{folder / 'bookshop.toml'}'" in out  # quoted, for the space in it
    assert f"moshtari report '{folder / 'crm' / 'mapping.toml'}'" in out


def test_the_same_arguments_write_the_same_bytes_on_one_core_as_on_many(whole, tmp_path):
    cores = pa.cpu_count()
    pa.set_cpu_count(1)
    try:
        bookshop.write(tmp_path, 200, 2, 4, language="fa", defects=0.04, csv=True, export="crm")
    finally:
        pa.set_cpu_count(cores)
    assert files(tmp_path) == files(whole)


def test_both_mappings_read_the_same_base(whole):
    one, other = (sources.read(str(whole / name)) for name in ("bookshop.toml", "crm/mapping.toml"))
    assert one.accounts.drop(columns="derived").equals(other.accounts.drop(columns="derived"))
    sums = [base["orders"].collect().to_pandas()["amount"].sum() for base in (one, other)]
    assert sums[0] == sums[1]
    assert tomllib.loads((whole / "bookshop.toml").read_text())["max_set_aside"] == 0.08


def test_defects_are_listed_in_the_truth_and_a_clean_shop_has_no_list(whole, tmp_path):
    told = pd.read_parquet(whole / "truth" / "defects.parquet")
    assert {"duplicate person", "currency slip", "future date"} <= set(told["kind"])
    assert len(pd.read_parquet(whole / "customers.parquet")) > 200
    mapping = bookshop.write(tmp_path, customers=20)
    assert not (tmp_path / "truth" / "defects.parquet").exists()
    assert "max_set_aside" not in mapping.read_text()


def test_csv_holds_what_parquet_holds(whole):
    for file in whole.glob("*.parquet"):
        table = pq.read_table(file).to_pandas()
        text = pd.read_csv(file.with_suffix(".csv"), dtype="str", keep_default_na=False)
        assert list(text) == list(table)
        assert len(text) == len(table)
    orders, text = pd.read_parquet(whole / "orders.parquet"), pd.read_csv(whole / "orders.csv")
    assert text["amount"].tolist() == orders["amount"].tolist()
    moments = pd.to_datetime(text["ordered_at"], utc=True, format="ISO8601")
    assert (moments.dropna() == orders["ordered_at"].dropna()).all()
    customers = pd.read_csv(whole / "customers.csv", keep_default_na=False)
    lists = pd.read_parquet(whole / "customers.parquet")["consents"]
    assert customers["consents"].tolist() == [";".join(consents) for consents in lists]


def test_a_new_bookshop_replaces_the_old_one_whole(tmp_path):
    arguments = ["sample", "--out", str(tmp_path), "--customers", "30"]
    assert cli.main([*arguments, "--defects", "0.1", "--csv", "--export", "crm"]) == 0
    assert cli.main(arguments) == 0
    world = bookshop.build(customers=30)
    assert set(files(tmp_path)) == {
        *(f"{name}.parquet" for name in world.tables),
        *(f"truth/{name}.parquet" for name in world.truth),
        *("bookshop.toml", "truth/findings.toml"),
    }


def test_writing_that_was_cut_short_leaves_nothing_and_can_be_repeated(tmp_path, monkeypatch):
    def fails(*arguments):
        raise KeyboardInterrupt

    arguments = ["sample", "--out", str(tmp_path), "--customers", "20"]
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "add", fails)
        assert cli.main(arguments) == 130
    assert list(tmp_path.iterdir()) == []
    assert cli.main(arguments) == 0
    assert (tmp_path / "bookshop.toml").exists()


def test_a_folder_of_something_else_is_left_alone_unless_forced(tmp_path, capsys):
    (tmp_path / "orders.csv").write_text("mine")
    arguments = ["sample", "--out", str(tmp_path), "--customers", "20"]
    assert cli.main(arguments) == 2
    assert "holds something else than a bookshop (found: orders.csv)" in capsys.readouterr().err
    assert list(files(tmp_path)) == ["orders.csv"]
    assert cli.main([*arguments, "--force"]) == 0
    assert (tmp_path / "orders.csv").read_text() == "mine"
    assert bookshop.is_bookshop(tmp_path)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (["--defects", "0.5"], "defects = 0.5: it is a share between 0 and 0.2"),
        (["--customers", "0"], "customers = 1 or more, not 0"),
        (["--years", "0"], "years = 1 or more, not 0"),
    ],
)
def test_a_wish_that_cannot_be_met_leaves_nothing_behind(tmp_path, capsys, wish, message):
    assert cli.main(["sample", "--out", str(tmp_path / "shop"), *wish]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "shop").exists()


def test_a_language_nobody_taught_it_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["sample", "--out", str(tmp_path), "--language", "de"])
    assert "invalid choice: 'de'" in capsys.readouterr().err
    with pytest.raises(Problem, match='language = "de"'):
        bookshop.write(tmp_path, customers=5, language="de")


def test_a_path_that_is_a_file_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert cli.main(["sample", "--out", str(tmp_path / "file"), "--customers", "5"]) == 2
    assert "cannot be written" in capsys.readouterr().err
