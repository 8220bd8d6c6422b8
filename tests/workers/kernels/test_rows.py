from __future__ import annotations

import re
from importlib import import_module

import pytest

from workers import kernels

ROWS = re.findall(r"^K\d+ +`(\w+)\.(\w+)`", kernels.__doc__ or "", re.MULTILINE)


def test_there_are_ten_rows():
    assert len(ROWS) == 10


@pytest.mark.parametrize(("module", "name"), ROWS)
def test_each_row_is_to_be_had_from_the_package(module, name):
    assert getattr(kernels, name) is getattr(import_module(f"workers.kernels.{module}"), name)
    assert name in dir(kernels)


def test_a_name_that_is_none_of_them_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'fast_everything'"):
        _ = kernels.fast_everything
