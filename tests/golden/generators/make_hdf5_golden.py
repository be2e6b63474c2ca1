#!/usr/bin/env python3
"""Writes small HDF5 files that tf_model.h5 must not be, and a few that it may.

tests/golden/hdf5/NAME.h5; hdf5_test.cc says what becomes of each (and of
kills_hdf5_1_10.h5, which random changes to external_link.h5 gave). Needs h5py:

  python tests/golden/generators/make_hdf5_golden.py
"""

import argparse
import pathlib

import h5py
import numpy

GOLDEN = pathlib.Path(__file__).resolve().parents[1]
FLOATS = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)


def types(file):
    """Every type of number, the readable ones first."""
    file["a/m/a/f32:0"] = FLOATS
    file["a/m/a/f16:0"] = FLOATS.astype(numpy.float16)
    file["a/m/a/f64:0"] = FLOATS.astype(numpy.float64)
    file["a/m/a/scalar:0"] = numpy.float32(7)
    file["a/m/a/empty:0"] = FLOATS[:0]
    file["a/m/a/big_endian:0"] = FLOATS.astype(">f4")
    file["a/m/a/i64:0"] = FLOATS.astype(numpy.int64)
    file["a/m/a/text:0"] = numpy.bytes_("text")


def external_link(file):
    file["a"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file):
    file["a"] = FLOATS
    file["b"] = h5py.SoftLink("/a")


def soft_loop(file):
    file["a"] = h5py.SoftLink("/b")
    file["b"] = h5py.SoftLink("/a")


def group_loop(file):
    """A group that holds itself."""
    group = file.create_group("a")
    group["a"] = group


def many_paths(file):
    """13 groups and 3^12 ways through them."""
    inner = file.create_group("g12")
    for depth in reversed(range(12)):
        outer = file.create_group(f"g{depth}")
        for name in "xyz":
            outer[name] = inner
        inner = outer


def deep(file):
    file["/".join("d" * 30)] = FLOATS


def long_name(file):
    file["n" * 2000] = FLOATS


def strange_name(file):
    file['a":{"dtype":"F32'] = FLOATS


def twice(file):
    """One dataset under two names."""
    file["a"] = FLOATS
    file["b"] = file["a"]


def named_type(file):
    file["a"] = numpy.dtype(numpy.float32)


def external_storage(file):
    file.create_dataset("a", (2, 3), numpy.float32,
                        external=[("/etc/passwd", 0, 24)])


def chunked(file):
    file.create_dataset("a", data=FLOATS, chunks=(1, 3))


def compressed(file):
    file.create_dataset("a", data=FLOATS, compression="gzip")


def compact(file):
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(file.id, b"a", h5py.h5t.IEEE_F32LE,
                    h5py.h5s.create_simple((2, 3)), settings)


def virtual(file):
    layout = h5py.VirtualLayout((2, 3), numpy.float32)
    layout[:] = h5py.VirtualSource("/etc/passwd", "a", (2, 3))
    file.create_virtual_dataset("a", layout)


def never_written(file):
    """10 GB in a file of 1 kB."""
    file.create_dataset("a", (10, 1 << 28), numpy.float32)


def many_axes(file):
    file["a"] = FLOATS.reshape((2, 3) + (1,) * 7)


CASES = [types, external_link, soft_link, soft_loop, group_loop, many_paths,
         deep, long_name, strange_name, twice, named_type, external_storage,
         chunked, compressed, compact, virtual, never_written, many_axes]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path,
                        default=GOLDEN / "hdf5")
    out = parser.parse_args().out
    out.mkdir(exist_ok=True)
    for case in CASES:
        with h5py.File(out / f"{case.__name__}.h5", "w") as file:
            case(file)
        print(case.__name__)
    # A block before the file proper, as the library allows.
    with h5py.File(out / "user_block.h5", "w", userblock_size=512) as file:
        file["a"] = FLOATS


if __name__ == "__main__":
    main()
