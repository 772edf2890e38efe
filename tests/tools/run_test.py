# SPDX-License-Identifier: Apache-2.0
"""quern run: what goes in, what comes out, and what is said of wrong usage."""
import io
import json
import zipfile

import pytest

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

X = np.array([[1, -2, 3], [-4, 5, -6]], np.float32)


def check_run(quern, *arguments):
    done = quern("run", *arguments)
    assert done.returncode == 0, done.stderr
    return done


def save(path, array, how):
    if how == "npy":
        np.save(path, array)
    elif how == "fortran.npy":
        np.save(path, np.asfortranarray(array))
    elif how == "swapped.npy":
        np.save(path, array.astype(">f4"))
    elif how == "npz":
        np.savez(path, other=array * 0, x=array)
    elif how == "deflated.npz":
        np.savez_compressed(path, array)
    elif how == "pb":
        path.write_bytes(numpy_helper.from_array(array).SerializeToString())
    elif how == "bin":
        path.write_bytes(array.tobytes())
    elif how == "json":
        path.write_text(json.dumps(array.tolist()))


@pytest.mark.parametrize("how", ["npy", "fortran.npy", "swapped.npy", "npz", "deflated.npz", "pb", "bin", "json"])
def test_every_format_gives_the_same_input(quern, relu, tmp_path, how):
    file = tmp_path / f"x.{how}"
    save(file, X, how)
    check_run(quern, relu, "--input", f"x={file}", "--output-dir", tmp_path / "out")
    got = np.load(tmp_path / "out" / "y.npy")
    assert got.dtype == np.float32 and got.shape == X.shape
    assert (got == np.maximum(X, 0)).all()


def test_names_in_output_files_lose_slashes_and_colons(quern, make_model, tmp_path):
    model = make_model([helper.make_node("Relu", ["x"], ["a/b:0"])],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
                       [helper.make_tensor_value_info("a/b:0", TensorProto.FLOAT, [2])], name="slash")
    check_run(quern, model, "--output-dir", tmp_path)
    assert np.load(tmp_path / "a_b_0.npy").shape == (2,)


@pytest.mark.parametrize("element, dtype", [
    (TensorProto.DOUBLE, np.float64), (TensorProto.FLOAT16, np.float16), (TensorProto.INT8, np.int8),
    (TensorProto.UINT8, np.uint8), (TensorProto.INT16, np.int16), (TensorProto.INT32, np.int32),
    (TensorProto.INT64, np.int64), (TensorProto.UINT64, np.uint64), (TensorProto.BOOL, np.bool_)])
def test_types_survive_a_round_trip(quern, identity, tmp_path, element, dtype):
    x = (np.arange(6).reshape(2, 3) % 2 if dtype == np.bool_ else np.arange(6).reshape(2, 3) * 7).astype(dtype)
    np.save(tmp_path / "x.npy", x)
    check_run(quern, identity(element, [2, 3]), "-i", tmp_path / "x.npy", "-o", tmp_path)
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == x.dtype and (y == x).all()


def test_strings_are_fixed_width_unicode(quern, identity, tmp_path):
    x = np.array(["", "grün", "\U0001f600!"])
    np.save(tmp_path / "x.npy", x)
    check_run(quern, identity(TensorProto.STRING, [3]), "-i", tmp_path / "x.npy", "-o", tmp_path)
    y = np.load(tmp_path / "y.npy")
    assert y.dtype == x.dtype and (y == x).all()


def test_a_scalar_and_an_empty_tensor_pass(quern, identity, tmp_path):
    for shape in ([], [0, 3]):
        np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
        check_run(quern, identity(TensorProto.FLOAT, shape), "-i", tmp_path / "x.npy", "-o", tmp_path)
        assert np.load(tmp_path / "y.npy").shape == tuple(shape)


def test_open_dimensions_are_1_and_said(quern, relu):
    done = check_run(quern, relu, "--random")
    assert "input 'x', float[N,3]: dimension 0 is taken as 1" in done.stderr
    assert done.stdout.startswith("y: float[1,3]\n")


@pytest.mark.parametrize("shape", ["x=4x3", "4x3", "N=4"])
def test_shapes_by_input_alone_or_by_symbol(quern, relu, shape):
    done = check_run(quern, relu, "--random", "--shape", shape)
    assert done.stdout.startswith("y: float[4,3]\n") and not done.stderr


def test_a_seed_gives_the_same_values_again(quern, relu):
    texts = [check_run(quern, relu, f"--random={seed}").stdout for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def pnm(pixels):
    kind, (height, width) = ("P6" if pixels.ndim == 3 else "P5"), pixels.shape[:2]
    return f"{kind}\n# a comment\n{width} {height}\n255\n".encode() + pixels.tobytes()


def test_pictures_become_what_the_input_is(quern, identity, tmp_path):
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    (tmp_path / "p.ppm").write_bytes(pnm(pixels))
    for shape, want in (([1, 3, 4, 5], pixels.transpose(2, 0, 1)[None] / 255), ([1, 4, 5, 3], pixels[None] / 255),
                        ([4, 5], pixels @ [.299, .587, .114] / 255)):
        check_run(quern, identity(TensorProto.FLOAT, shape), "-i", tmp_path / "p.ppm", "-o", tmp_path)
        assert np.allclose(np.load(tmp_path / "y.npy"), want, atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "bmp", "jpg"])
def test_libraries_read_the_same_picture(quern, identity, tmp_path, suffix):
    image = pytest.importorskip("PIL.Image")
    if suffix == "png" and "libpng" not in quern("--version").stdout:
        pytest.skip("this build has no libpng")
    if suffix == "jpg" and "jpeg" not in quern("--version").stdout:
        pytest.skip("this build has no libjpeg")
    pixels = np.full((6, 7, 3), [200, 100, 50], np.uint8)
    image.fromarray(pixels).save(tmp_path / f"p.{suffix}")
    check_run(quern, identity(TensorProto.UINT8, [1, 3, 3, 14]), "-i", tmp_path / f"p.{suffix}", "-o", tmp_path)
    y = np.load(tmp_path / "y.npy").astype(int)
    assert abs(y - np.array([200, 100, 50]).reshape(1, 3, 1, 1)).max() <= 3


def test_the_example_knows_its_digits(quern, root):
    model = root / "examples/digits/digits.onnx"
    if "libpng" not in quern("--version").stdout:
        pytest.skip("this build has no libpng")
    for digit in (0, 7):
        done = check_run(quern, model, "--input", f"image={root}/examples/digits/{digit}.png")
        assert f"best: class {digit} " in done.stdout


def damaged_npz(array):
    buffer = io.BytesIO()
    np.savez(buffer, x=array)
    data = bytearray(buffer.getvalue())
    data[data.index(b"\x93NUMPY") + 130] ^= 1
    return bytes(data)


def lying_npy(count):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 3), }" % count
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header


WRONG = [
    (2, ["--input", "z=f"], "--input: the model has no input 'z'; its only one is 'x'"),
    (2, ["--shape", "x=2xx3"], "--shape is '2xx3', expected sizes like 1x3x224x224"),
    (2, ["--shape", "x=2x4"], "--shape gives dimension 1 of input 'x' the size 4, but it is float[N,3]"),
    (2, ["--shape", "x=2"], "--shape gives input 'x' 1 dimensions, but it is float[N,3]"),
    (2, ["--random=many"], "--random is 'many', expected a whole number"),
    (2, ["--precision", "fp8"], "--precision is 'fp8', expected fp32"),
    (2, ["--device", "abacus"], "there is no device 'abacus'"),
    (2, ["--state", "a"], "--state is 'a', expected IN=OUT"),
    (2, ["--theads", "1"], "there is no option --theads; did you mean --threads?"),
    (1, ["--input", "x=/nowhere.npy"], "/nowhere.npy: No such file or directory"),
]


@pytest.mark.parametrize("code, arguments, message", WRONG)
def test_wrong_usage_is_one_sentence(quern, relu, code, arguments, message):
    done = quern("run", relu, *arguments)
    assert done.returncode == code
    assert message in done.stderr and done.stderr.count("\n") == 1 and not done.stdout


FILES = [
    ("x.npy", b"no array", "this is no .npy file"),
    ("x.npy", lying_npy(1 << 62), "the header has no shape"),
    ("x.npy", lying_npy(1 << 40), "elements of 4 bytes were announced, but 0 bytes follow"),
    ("x.ppm", b"P6 16000 16000 255 ", "19 bytes cannot hold the announced 16000 x 16000 pixels"),
    ("x.npz", b"PK\3\4 cut", "this is no archive"),
    ("x.npz", damaged_npz(X), "x.npy is damaged: its checksum differs"),
    ("x.json", b"[[1, 2, 3], [4]]", "lists side by side have different lengths"),
    ("x.json", b"[[1, 2, 3], 4]", "lists are nested to different depths"),
    ("x.json", b"[[1, 2", "line 1"),
    ("x.bin", bytes(10), "it has 10 bytes, but input 'x' of type float[N,3] takes multiples of 12"),
    ("x.ppm", b"P6 9 9 255 ", "the file ends before the last of 81 pixels"),
    ("x.xyz", b"what", "its format is not known"),
]


@pytest.mark.parametrize("name, data, message", FILES)
def test_wrong_files_are_one_sentence(quern, relu, tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    done = quern("run", relu, "--input", tmp_path / name)
    assert done.returncode == 1
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_help_fits_a_screen(quern):
    done = quern("run", "--help")
    assert done.returncode == 0 and "examples:" in done.stdout
    assert done.stdout.count("\n") <= 40 and max(map(len, done.stdout.splitlines())) <= 100


def test_two_models_are_too_many(quern, relu):
    done = quern("run", relu, relu)
    assert done.returncode == 2 and "2 models are given, expected one MODEL" in done.stderr


def test_a_zip_bomb_takes_no_memory(quern, relu, tmp_path):
    file = tmp_path / "x.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"x" * 1000)
    data = file.read_bytes()
    at = data.rindex(b"PK\1\2")
    file.write_bytes(data[:at + 24] + (1 << 31).to_bytes(4, "little") + data[at + 28:])
    done = quern("run", relu, "--input", f"x={file}")
    assert done.returncode == 1 and "cannot have 2147483648 bytes" in done.stderr


def test_json_holds_the_values(quern, relu, tmp_path):
    np.save(tmp_path / "x.npy", X)
    got = json.loads(check_run(quern, relu, "-i", tmp_path / "x.npy", "--json", "-").stdout)
    assert got["outputs"] == {"y": {"type": "float[2,3]", "value": [[1, 0, 3], [0, 5, 0]]}}
