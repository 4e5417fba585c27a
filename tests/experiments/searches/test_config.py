import pytest
import yaml
from pydantic import Field

from gnn_nas.config import Section
from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig, begun_config
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.methods import METHODS, get_method


class Settings(Section):
    population: int = Field(default=50, ge=1, description="cells alive")
    step_size: float = Field(default=0.5, gt=0, description="length")


class NoSettings(Section):
    pass


def test_overrides_are_yaml_and_the_last_one_wins():
    settings = load(
        Settings, {}, ["population=3", "step_size = 1e-2", "population=4", "step_size=2"]
    )
    assert settings == Settings(population=4, step_size=2.0)
    assert load(Settings, {}) == Settings()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "populaton=3",
            r"unknown key populaton, did you mean population\? \(allowed: population, step_size\)",
        ),
        ("gamma=3", r"unknown key gamma \(allowed: population, step_size\)"),
        ("population=many", "population must be an integer, not the text 'many'"),
        ("population=1.5", "population must be an integer, not 1.5"),
        ("population=0", "population must be greater than or equal to 1, not 0"),
        ("step_size=.nan", "step_size must be a finite number"),
        ("population", r"--set population: expected \[section.\]key=value"),
        ("=3", r"--set =3: expected \[section.\]key=value"),
        ("population=[", r"--set population=\[: line 1: not YAML"),
    ],
)
def test_a_wrong_override_is_one_line_that_says_what_is_right(override, message):
    with pytest.raises(UserError, match=rf"\A--set[^\n]*{message.removeprefix('--set')}[^\n]*\Z"):
        load(Settings, {}, [override])


def test_a_method_without_settings_takes_none():
    with pytest.raises(UserError, match=r"unknown key x \(allowed: none\)"):
        load(NoSettings, {}, ["x=1"])


def test_a_setting_of_ones_own_may_be_needed_and_may_be_called_format():
    class Own(Section):
        format: str = Field(description="of pictures")

    assert load(Own, {}, ["format=png"]) == Own(format="png")
    message = r"\Asettings of own:Method: format is missing \(of pictures\)\Z"
    with pytest.raises(UserError, match=message):
        load(Own, {}, name="settings of own:Method")


@pytest.mark.parametrize("method", METHODS)
def test_the_config_of_every_method_is_written_and_read_back(method):
    settings = get_method(method).Settings()
    config = SearchConfig(
        method=method,
        protocol="oracle",
        queries=300,
        seeds=5,
        seed=2,
        checkpoint="none",
        weights=None,
        benchmark="a name",
        settings=settings.model_dump(),
    )
    assert load(SearchConfig, yaml.safe_load(config.to_yaml())) == config
    assert list(config.all_seeds) == [2, 3, 4, 5, 6]
    assert get_method(method).Settings.model_validate(config.settings) == settings


def test_the_folder_of_a_pretraining_is_no_search(pytestconfig, tmp_path):
    config = pytestconfig.rootpath / "configs" / "gin_multisim.yaml"
    (tmp_path / "config.yaml").write_bytes(config.read_bytes())
    with pytest.raises(UserError, match=r"holds a pretraining, no search: give another --out"):
        begun_config(RunFolder(tmp_path))
