from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.config import GINConfig, OwnEncoderConfig, PretrainConfig, load_config
from gnn_nas.errors import UserError

CONFIGS = Path(__file__).parents[1] / "configs"
MULTISIM = CONFIGS / "gin_multisim.yaml"
PAPER_ROWS = ["angular", "contrastive", "genlifted", "lifted", "margin", "multisim", "npairs"]
PAPER_ROWS += ["triplet", "nometric"]


def refused(path: Path, *overrides: str) -> str:
    with pytest.raises(UserError) as caught:
        load_config(path, overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "config.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_config_loads(path):
    assert isinstance(load_config(path), PretrainConfig)


def test_a_shipped_config_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_config("gin_margin") == load_config(CONFIGS / "gin_margin.yaml")
    # The folder of its run changes nothing; a file of this name is the user's own.
    (tmp_path / "gin_margin").mkdir()
    assert load_config("gin_margin").metric.loss == "MarginLoss"
    (tmp_path / "gin_angular").write_bytes((CONFIGS / "gin_margin.yaml").read_bytes())
    assert load_config("gin_angular").metric.loss == "MarginLoss"
    with pytest.raises(
        UserError,
        match=r"^gin_margn: neither a file nor .*: function_multisim, gin_angular, .*sgd$",
    ):
        load_config("gin_margn")


def test_configs_of_all_losses_differ_only_where_the_paper_does():
    base = load_config(MULTISIM)
    for loss in PAPER_ROWS:
        config = load_config(CONFIGS / f"gin_{loss}.yaml")
        assert config.model == base.model
        assert config.data.positives == base.data.positives
        assert config.data.held_out == base.data.held_out
        for interval in ("steps", "log_every", "validate_every", "checkpoint_every"):
            samples = getattr(config.training, interval) * config.data.batch_size
            assert samples == getattr(base.training, interval) * base.data.batch_size
        assert (config.metric is None) == (loss == "nometric")


def test_paper_settings_differ_from_multisim_in_optimisation_and_function():
    paper, base = load_config(CONFIGS / "paper_sgd.yaml"), load_config(MULTISIM)
    assert paper.optimizer.name == "SGD"
    assert paper.optimizer.lr == 1.0
    assert paper.optimizer.schedule_args == {"at": [6000], "gamma": 0.2}
    assert paper.optimizer.clip == 0
    assert paper.training.embedding_noise == 0
    assert paper.training.structure_weight == 0
    assert paper.training.precision == "float32"
    # Without pretraining the predictor is as small as ever.
    model = paper.model.model_copy(update={"predictor_hidden": base.model.predictor_hidden})
    update = {"model": model, "optimizer": base.optimizer, "training": base.training}
    update["function"] = base.function
    assert paper.training.steps == 2 * 6619
    assert paper.model_copy(update=update) == base


def test_overrides_are_parsed_as_yaml_and_the_last_one_wins():
    config = load_config(
        MULTISIM,
        [
            "seed=3",
            "optimizer.lr=1e-4",
            "optimizer.schedule=step",
            "optimizer.schedule_args={at: [10, 20]}",
            "metric.loss_args.alpha=2.5",
            "model.encoder.hidden=8",
            "model.encoder.hidden=16",
            # As it was called in format 1.
            "model.layers=2",
        ],
    )
    assert config.seed == 3
    assert config.optimizer.lr == 1e-4
    assert config.optimizer.schedule_args == {"at": [10, 20]}
    assert config.metric.loss_args == {"alpha": 2.5, "beta": 30, "base": 1}
    assert config.model.encoder == GINConfig(hidden=16, layers=2)
    assert load_config(MULTISIM, ["metric=null"]).metric is None


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("model.encoder.hiden=3", ["unknown key model.encoder.hiden", "did you mean hidden?"]),
        ("modle.hidden=3", ["unknown key modle", "did you mean model?", "training"]),
        ("model.encoder.hidden=wide", ["model.encoder.hidden must be an integer", "'wide'"]),
        ("model.encoder.hidden=1.5", ["model.encoder.hidden must be an integer", "1.5"]),
        ("model.encoder.hidden=true", ["model.encoder.hidden must be an integer", "true"]),
        (
            "model.encoder.hidden=0",
            ["model.encoder.hidden must be greater than or equal to 1", "0"],
        ),
        ("model.encoder.name=gcn", ["model.encoder.name: gcn is neither gin nor module:object"]),
        ("model.encoder=gin", ["model.encoder must be a mapping"]),
        ("model.encoder={name: 'a:b', x: .nan}", ["an argument must be finite, not nan"]),
        ("format=2", ["unknown key format"]),
        ("optimizer.lr=.nan", ["optimizer.lr must be a finite number"]),
        ("optimizer.schedule=linear", ["'one-cycle'", "'linear'"]),
        ("metric.loss=null", ["metric.loss must be a string", "null"]),
        ("metric.loss_args.alpha=.inf", ["metric.loss_args", "finite"]),
        ("metric.loss_args.alpha=2020-01-01", ["metric.loss_args", "date"]),
        ("metric.miner=null", ["miner_args are given, but miner is null"]),
        ("training.structure_weight=-1", ["training.structure_weight must be greater than or"]),
        ("data.batch_size=500", ["batch_size 500", "1 + positives = 8"]),
        ("data=[1]", ["data must be a mapping"]),
        ("model", ["expected [section.]key=value"]),
        ("model.=3", ["expected [section.]key=value"]),
        ("seed=[1", ["not YAML"]),
        ("seed.deep=1", ["seed is 0", "no keys"]),
    ],
)
def test_a_wrong_override_is_one_line_that_says_what_is_right(override, expected):
    message = refused(MULTISIM, override)
    assert message.startswith("--set")
    for part in expected:
        assert part in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("- 1", "must be a mapping"),
        ("seed: 0\nmodel: [", "line 2: not YAML"),
        ("seed: 0\nseed: 1", "line 2: not YAML: the key seed is given twice"),
        ("seed: 0\x00", "not YAML"),
        ("1: 2", "not a string"),
        ("[" * 5000, "not YAML"),
        (b"\xff\xfe\xfa", "not a text file"),
        ("seed: 0", "model is missing"),
        ("model: 3", "model must be a mapping"),
    ],
)
def test_a_file_that_is_no_config_is_refused_in_one_line(write, text, expected):
    path = write(text)
    message = refused(path)
    assert message.startswith(f"{path}: ")
    assert expected in message


def test_a_config_that_contains_itself_is_refused(write):
    path = write(MULTISIM.read_text().replace("{alpha: 2,", "&args {alpha: *args,"))
    assert "anchors and aliases are not taken" in refused(path)


def test_missing_files_and_folders_are_refused(tmp_path):
    assert "No such file" in refused(tmp_path / "absent.yaml")
    assert "directory" in refused(tmp_path)


def test_a_key_missing_after_an_override_is_blamed_on_the_file():
    message = refused(MULTISIM, "model.encoder={hidden: 3}")
    assert message == f"{MULTISIM}: model.encoder.layers is missing (number of GIN layers)"


def test_configs_cannot_change():
    config = load_config(MULTISIM)
    with pytest.raises(ValueError, match="frozen"):
        config.seed = 1


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["1e-3", "1e3", "1.5E+7", ".5e1", "null", "~", "yes", "2020-01-01", "1_000"])
)
arguments = st.dictionaries(
    st.text("abc_1e-", min_size=1), scalars | st.lists(scalars, max_size=3), max_size=4
)


@given(arguments, st.floats(min_value=1e-300, max_value=1e300))
def test_to_yaml_and_back_is_the_same_config(tmp_path_factory, arguments, rate):
    base = load_config(MULTISIM)
    optimizer = base.optimizer.model_copy(update={"args": arguments, "lr": rate})
    config = base.model_copy(update={"optimizer": optimizer})
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(path) == config


def test_floats_without_a_point_are_numbers(write):
    text = MULTISIM.read_text()
    lr = yaml.safe_load(text)["optimizer"]["lr"]
    line = next(line for line in text.splitlines() if line.startswith("  lr:"))
    assert load_config(write(text.replace(line, f"  lr: {lr * 1e6:.0f}e-6"))).optimizer.lr == lr


FORMAT_1 = MULTISIM.read_text().replace("format: 2\n", "").replace("  noise_power: 1.5\n", "")
FORMAT_1 = FORMAT_1.replace(
    "encoder: {name: gin, hidden: 128, layers: 3}", "hidden: 128\n  layers: 3"
)


def test_a_file_of_the_first_format_is_read_as_what_it_was(write):
    base = load_config(MULTISIM)
    old = load_config(write(FORMAT_1), ["training.noise_power=1.5"])
    assert old == base
    assert load_config(write(FORMAT_1)).training.noise_power == 1
    assert load_config(write(FORMAT_1), ["model.layers=5"]).model.encoder.layers == 5
    assert load_config(write(FORMAT_1), ["model.encoder.layers=5"]).model.encoder.layers == 5


def test_what_is_wrong_in_a_file_of_the_first_format_is_one_line(write):
    path = write(FORMAT_1.replace("hidden: 128", "hidden: wide"))
    assert "model.encoder.hidden must be an integer, not the text 'wide'" in refused(path)
    assert "unknown key metric.alpha" in refused(write(FORMAT_1 + "metric.alpha: 3\n"))
    both = FORMAT_1.replace("model:", "model:\n  encoder: {hidden: 3, layers: 3}")
    assert "unknown key model.hidden" in refused(write(both))
    new = FORMAT_1 + "format: 2\n"
    assert "unknown key model.hidden" in refused(write(new))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (
            "3",
            " was written by a newer version of gnn_nas (format 3; this one reads up to 2):"
            " update it",
        ),
        ("0", ": format must be an integer from 1 to 2: 0"),
        ("two", ": format must be an integer from 1 to 2: the text 'two'"),
        ("true", ": format must be an integer from 1 to 2: true"),
    ],
)
def test_another_format_is_refused_before_any_key(write, number, expected):
    text = MULTISIM.read_text().replace("format: 2", f"format: {number}\nnew_key: 3")
    assert refused(write(text)).removeprefix(str(write(text))) == expected


def test_an_encoder_of_ones_own_takes_any_plain_arguments(write):
    own = "model.encoder={name: 'own.parts:MPNN', width: 7, more: {deep: [1, x]}}"
    config = load_config(MULTISIM, [own])
    assert isinstance(config.model.encoder, OwnEncoderConfig)
    assert config.model.encoder.name == "own.parts:MPNN"
    assert config.model.encoder.args == {"width": 7, "more": {"deep": [1, "x"]}}
    assert load_config(write(config.to_yaml())) == config
    assert config != load_config(MULTISIM, [own.replace("7", "8")])
