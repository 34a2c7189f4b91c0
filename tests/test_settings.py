"""Settings come from where the user put them, and every wrong word is named with what was meant."""

from datetime import date
from pathlib import Path

import pytest

from analyzer.errors import SettingsError, UsageError
from analyzer.settings import KnownNames, RoleSetting, Settings, Suppression, load_settings, parsed_role, with_words

KNOWN = KnownNames(
    {"overfitting": {"rise": 0.08, "gap": 0.5}, "loss-spike": {"height": 6.0}},
    ("loss", "metric", "learning-rate", "unknown"),
    ("train", "validation", "test"),
)


def load(tmp_path: Path, text: str, name: str = "posthoc.toml") -> Settings:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_settings(None, KNOWN, tmp_path)


def test_every_key_is_read(tmp_path):
    settings = load(
        tmp_path,
        """
        select = ["overfitting", "loss-spike"]
        ignore = ["loss-spike"]
        fail-on = "warning"
        stale-after = "90min"
        alpha = 0.05
        [roles]
        "a=b" = "loss:validation:lower"
        [limits.overfitting]
        rise = 0.2
        [[suppress]]
        symptom = "overfitting"
        run = "exp1/*"
        reason = "known"
        owner = "ada"
        expires = 2026-12-31
        """,
    )
    assert settings == Settings(
        frozenset({"overfitting", "loss-spike"}),
        frozenset({"loss-spike"}),
        {"a=b": RoleSetting("loss", "validation", "lower")},
        {"overfitting": {"rise": 0.2}},
        0.05,
        5400.0,
        "warning",
        (Suppression("overfitting", "known", "exp1/*", "*", "ada", date(2026, 12, 31)),),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("selct = []", "unknown key 'selct'; did you mean 'select'?"),
        ('ignore = ["overfiting"]', "unknown symptom 'overfiting'; did you mean 'overfitting'?"),
        ("[limits.overfiting]\nrise = 1", "unknown key 'overfiting'; did you mean 'overfitting'?"),
        ("[limits.overfitting]\nrize = 1", "unknown key 'rize'; did you mean 'rise'?"),
        ('[limits.overfitting]\nrise = "big"', "limits.overfitting.rise must be a number, not 'big'"),
        ("[limits.overfitting]\nrise = true", "must be a number, not True"),
        ("[limits.overfitting]\nrise = nan", "must be a number"),
        ("[limits]\noverfitting = 3", "limits.overfitting must be a table"),
        ("alpha = 2", "alpha is 2; it must lie between 0 and 1"),
        ('stale-after = "soon"', "stale-after is 'soon'; write it like \"6h\""),
        ("alpha = 1e400", "alpha is larger than any number"),
        ('fail-on = "fatal"', "fail-on is 'fatal'; it may be error, warning, info, never"),
        ('[roles]\nx = "los"', "roles.x: there is no role 'los'; did you mean 'loss'?"),
        ('[roles]\nx = "loss:trian"', "there is no split 'trian'; did you mean 'train'?"),
        ('[roles]\nx = "loss:train:up"', "there is no direction 'up'"),
        ('[roles]\nx = "loss:train:lower:no"', "is not ROLE[:SPLIT[:lower|higher]]"),
        ("[roles]\nx = 3", "must be a table of tags"),
        ("suppress = 3", "suppress must be a list"),
        ('[[suppress]]\nsymptom = "x"', "each entry needs a reason"),
        ('[[suppress]]\nsymptom = "overfitting"\nreason = "y"\nexpires = "later"', "write it like 2026-12-31"),
        (
            '[[suppress]]\nsymptom = "overfitting"\nreason = "y"\nruns = "z"',
            "unknown key 'runs'; did you mean 'run'?",
        ),
        (
            '[[suppress]]\nsymptom = "overfiting"\nreason = "y"',
            "unknown symptom 'overfiting'; did you mean 'overfitting'?",
        ),
        ("select = 3", "select must be a list"),
        (f"alpha = {'9' * 400}", "alpha is larger than any number"),
        (f"alpha = {'9' * 5000}", "is not valid TOML"),
        (f'run-memory = "{"9" * 400}GiB"', "run-memory is larger than any number"),
        (f"alpha = 0x{'f' * 5000}", "alpha is larger than any number"),
        (f"[limits.overfitting]\nrise = {'9' * 400}", "rise is larger than any number"),
        (f"x = {'[' * 3000}", "nested too deeply"),
        ("x = ", "is not valid TOML"),
    ],
)
def test_what_means_nothing_is_named(tmp_path, text, said):
    with pytest.raises(SettingsError) as error:
        load(tmp_path, text)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_files_are_looked_for_in_their_order(tmp_path):
    assert load_settings(None, KNOWN, tmp_path) == Settings()
    assert load(tmp_path, "[tool.other]\nalpha = 3", "pyproject.toml") == Settings()
    assert load(tmp_path, "[tool.posthoc]\nalpha = 0.2", "pyproject.toml").alpha == 0.2
    assert load(tmp_path, "alpha = 0.3").alpha == 0.3
    (tmp_path / "mine.toml").write_text("alpha = 0.4")
    assert load_settings(tmp_path / "mine.toml", KNOWN, tmp_path).alpha == 0.4
    assert load_settings(tmp_path / "pyproject.toml", KNOWN, tmp_path).alpha == 0.2
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path / "absent.toml", KNOWN, tmp_path)


def test_a_project_file_without_our_table_says_so(tmp_path):
    for text in ("[project]\nname = 'x'", "[tool.other]\nx = 1", "tool = 3"):
        (tmp_path / "pyproject.toml").write_text(text)
        with pytest.raises(SettingsError, match=r"has no table \[tool.posthoc\]"):
            load_settings(tmp_path / "pyproject.toml", KNOWN, Path())


def test_the_command_line_overrules():
    file = Settings(select=frozenset({"loss-spike"}), roles={"x": RoleSetting("metric")})
    both = with_words(file, KNOWN, select=["overfitting"], roles=["a=b=loss::higher", "x=loss"])
    assert both.select == {"overfitting"} and both.roles == {
        "a=b": RoleSetting("loss", None, "higher"),
        "x": RoleSetting("loss"),
    }
    assert with_words(file, KNOWN) == file


@pytest.mark.parametrize("text", ["x", "=loss", "x=", "x=los", "x=loss:a:b:c"])
def test_a_role_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="--role"):
        parsed_role(text, KNOWN)


def test_a_suppression_covers_what_it_names_until_it_expires():
    entry = Suppression("overfitting", "known", "exp[1]/*", "val/*", expires=date(2026, 1, 31))
    assert entry.covers("overfitting", "exp1/a", ["val/loss"], date(2026, 1, 31))
    assert not entry.covers("overfitting", "exp1/a", ["val/loss"], date(2026, 2, 1))
    assert not entry.covers("plateau", "exp1/a", ["val/loss"], date(2026, 1, 1))
    assert not entry.covers("overfitting", "exp1/a", ["loss"], date(2026, 1, 1))
    assert Suppression("plateau", "x", run="odd[name").covers("plateau", "odd[name", [], date(2026, 1, 1))
