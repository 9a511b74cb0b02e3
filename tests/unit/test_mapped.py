"""What processes share comes back from a file as it was, whatever the size of its arrays."""

import numpy as np
import pytest

from analyzer.mapped import LARGE_BYTES, read_mapped, write_mapped


def test_arrays_of_all_sizes_come_back_as_they_were(tmp_path):
    large = np.arange(3 * LARGE_BYTES // 8 + 1, dtype=np.float64)
    given = {
        "large": large,
        "again": large,
        "odd": np.arange(LARGE_BYTES + 3, dtype=np.int8),
        "by column": np.asfortranarray(np.arange(LARGE_BYTES).reshape(-1, 2)),
        "every other": large[::2],
        "small": np.arange(3),
        "none": np.empty((0, 2)),
        "words": ["a", None],
    }
    write_mapped(given, tmp_path / "shared")
    found = read_mapped(tmp_path / "shared")
    for name, value in given.items():
        assert np.array_equal(found[name], value), name
    assert found["large"] is found["again"]
    assert not found["large"].flags.writeable
    assert found["small"].flags.writeable


def test_a_file_that_may_be_mapped_is_not_written_again(tmp_path):
    write_mapped(1, tmp_path / "shared")
    with pytest.raises(FileExistsError):
        write_mapped(2, tmp_path / "shared")
