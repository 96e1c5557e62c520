"""Writes the small files that the format tests read: npy and npz by numpy itself (1.24), safetensors by hand.

Run: python3 packages/data/scripts/make-goldens.py   (needs only numpy)

The safetensors file follows the format's documentation: an unsigned 64-bit little-endian header length, a JSON header
padded with spaces to a multiple of 8, then the tensors, widest element type first and by name within a type.
bfloat16 is cut from float32 values that it holds exactly.
"""
import io
import json
import struct
from pathlib import Path

import numpy as np

folder = Path(__file__).resolve().parent.parent / "goldens"
folder.mkdir(exist_ok=True)
expected = {}


def plain(array):
    """Values as JSON: 64-bit integers as text, non-finite floats by name, booleans as 0 and 1."""
    def one(value):
        if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
            return str(int(value))
        if array.dtype.kind == "f":
            value = float(value)
            return value if np.isfinite(value) else str(value)
        return int(value)

    return [one(value) for value in array.flatten(order="C")]


def npy(name, array, version=None):
    with open(folder / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version)
    expected[f"{name}.npy"] = {"shape": list(array.shape), "values": plain(array)}


integers = {kind: np.array([[np.iinfo(kind).min, 0, 1], [2, 100, np.iinfo(kind).max]], dtype=kind)
            for kind in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]}
floats = {kind: np.array([[-0.0, 1.5, np.inf], [np.nan, np.finfo(kind).max, np.finfo(kind).smallest_subnormal]], dtype=kind)
          for kind in ["f2", "f4", "f8"]}
for kind, array in (integers | floats).items():
    npy(kind, array)
npy("b1", np.array([[True, False, True]]))
npy("fortran", np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4)))
npy("big-endian", np.array([[1, -2], [300, -400]], dtype=">i2"))
npy("big-endian-fortran", np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3)))
npy("scalar", np.array(7, dtype="i4"))
npy("empty", np.zeros((0, 3), dtype="f4"))
npy("vector", np.arange(5, dtype="u1"))
npy("version-2", np.arange(3, dtype="i4"), version=(2, 0))
npy("version-3", np.arange(3, dtype="i4"), version=(3, 0))

refused = {
    "text": np.array(["a", "bc"]),
    "complex": np.array([1j]),
    "record": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
    "object": np.array([{}], dtype=object),
}
for name, array in refused.items():
    with open(folder / f"refused-{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array)

arrays = {"weight": np.arange(6, dtype="f4").reshape(2, 3), "steps": np.array([1, 2, 3], dtype="i8")}
np.savez(folder / "stored.npz", **arrays)
np.savez_compressed(folder / "compressed.npz", **arrays)
for file in ["stored.npz", "compressed.npz"]:
    expected[file] = {name: {"shape": list(array.shape), "values": plain(array)} for name, array in arrays.items()}

tensors = {
    "doubles": ("F64", floats["f8"]),
    "singles": ("F32", floats["f4"]),
    "halves": ("F16", floats["f2"]),
    "longs": ("I64", integers["i8"]),
    "ints": ("I32", integers["i4"]),
    "unsigned": ("U32", integers["u4"]),
    "signed bytes": ("I8", integers["i1"]),
    "bytes": ("U8", integers["u1"]),
    "flags": ("BOOL", np.array([True, False])),
    "scalar": ("F32", np.array(2.5, dtype="f4")),
    "0": ("F32", np.array([1.0], dtype="f4")),
    "ü": ("F32", np.zeros((2, 0), dtype="f4")),
}
order = ["I64", "F64", "F32", "U32", "I32", "BF16", "F16", "I8", "U8", "BOOL"]
entries = [(name, kind, array.shape, array.astype(array.dtype.newbyteorder("<")).tobytes(), plain(array))
           for name, (kind, array) in tensors.items()]
brain = np.array([1.0, -2.5, 3.0e38, 2.0**-133, np.inf], dtype="f4")
cut = (brain.view("u4") >> 16).astype("<u2")
back = (cut.astype("u4") << 16).view("f4")
entries.append(("brain", "BF16", brain.shape, cut.tobytes(), plain(back)))
entries.sort(key=lambda entry: (order.index(entry[1]), entry[0].encode()))
header, offset, body = {"__metadata__": {"format": "pt", "note": "quotes \" and ü"}}, 0, io.BytesIO()
for name, kind, shape, data, _ in entries:
    header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [offset, offset + len(data)]}
    offset += len(data)
    body.write(data)
text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
text += b" " * (-len(text) % 8)
(folder / "all-types.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body.getvalue())
expected["all-types.safetensors"] = {name: {"shape": list(shape), "values": values} for name, _, shape, _, values in entries}

(folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
