"""Makes the stubs from the proto when the package is built."""

import pathlib
import shutil
import tempfile

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
PROTO = "deberta/v1/deberta.proto"


def proto_root():
    """In the repository, or in a source distribution, which has a copy."""
    for root in (HERE / "proto", HERE.parents[1] / "proto"):
        if (root / PROTO).is_file():
            return root
    raise SystemExit(f"setup.py: no {PROTO} in proto/ or in the repository")


def write_stubs(target):
    from grpc_tools import protoc
    with tempfile.TemporaryDirectory() as out:
        arguments = ["protoc", f"-I{proto_root()}", f"--python_out={out}",
                     f"--pyi_out={out}", f"--grpc_python_out={out}", PROTO]
        if protoc.main(arguments) != 0:
            raise SystemExit("setup.py: protoc failed")
        target.mkdir(parents=True, exist_ok=True)
        (target / "__init__.py").write_text(
            '"""Messages and stubs of deberta/v1/deberta.proto."""\n')
        for path in pathlib.Path(out, "deberta/v1").iterdir():
            # A module "deberta" would be in the way of others of that name.
            text = path.read_text().replace("from deberta.v1 import",
                                            "from deberta_client.v1 import")
            (target / path.name).write_text(text)


class BuildWithStubs(build_py):
    def run(self):
        super().run()
        # An editable installation reads the sources.
        root = (HERE / "src" if self.editable_mode
                else pathlib.Path(self.build_lib))
        write_stubs(root / "deberta_client/v1")


class SdistWithProto(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        target = pathlib.Path(base_dir, "proto", PROTO)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(proto_root() / PROTO, target)


setup(cmdclass={"build_py": BuildWithStubs, "sdist": SdistWithProto})
