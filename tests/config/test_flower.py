from __future__ import annotations

from pathlib import Path

import pytest
from flower.options import default_options

from config.flower import FlowerRefused, flower_arguments, flower_environment
from config.settings import FlowerSettings, Settings


def settings(tmp_path: Path, **flower: object) -> Settings:
    return Settings(data_dir=tmp_path, flower=FlowerSettings(**flower))  # type: ignore[arg-type]


def test_every_argument_is_one_that_flower_knows(tmp_path: Path) -> None:
    names = {argument.removeprefix("--").partition("=")[0] for argument in flower_arguments(settings(tmp_path))}
    assert names <= set(default_options.as_dict())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.1"])
def test_on_loopback_no_password_is_needed_and_its_api_answers(tmp_path: Path, host: str) -> None:
    said = settings(tmp_path, host=host)
    assert f"--address={host}" in flower_arguments(said)
    assert flower_environment(said) == {"FLOWER_UNAUTHENTICATED_API": "true"}


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "10.0.0.7", "flower.example"])
def test_beyond_loopback_it_is_refused_without_a_password(tmp_path: Path, host: str) -> None:
    with pytest.raises(FlowerRefused, match="basic_auth"):
        flower_arguments(settings(tmp_path, host=host))
    assert flower_arguments(settings(tmp_path, host=host, basic_auth="name:hushhush"))


def test_the_password_is_in_the_environment_and_not_among_the_arguments(tmp_path: Path) -> None:
    said = settings(tmp_path, basic_auth="name:hushhush")
    assert flower_environment(said) == {"FLOWER_BASIC_AUTH": "name:hushhush"}
    assert "hushhush" not in " ".join(flower_arguments(said))


@pytest.mark.parametrize("secret", ["nocolon", "name:a,b"])
def test_a_password_that_flower_would_read_otherwise_is_refused(tmp_path: Path, secret: str) -> None:
    with pytest.raises(FlowerRefused):
        flower_environment(settings(tmp_path, basic_auth=secret))


def test_nothing_can_be_done_from_it(tmp_path: Path) -> None:
    assert "--read_only=true" in flower_arguments(settings(tmp_path))
