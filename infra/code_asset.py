"""The Lambda functions' code as assets: a folder and the packages that it needs, for arm64."""

import functools
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
import jsii
from aws_cdk import aws_lambda as lambda_

from infra import service_data

ROOT = Path(__file__).parent.parent
FUNCTIONS = ROOT / "functions"
REQUIREMENTS = "requirements.txt"  # in each such folder
UV = Path(sys.executable).parent / "uv"  # a development dependency in the same environment

ARCHITECTURE = lambda_.Architecture.ARM_64
RUNTIME = lambda_.Runtime.PYTHON_3_13
# The same for uv. Lambda's Amazon Linux 2023 has a newer glibc than manylinux2014 needs.
PLATFORM = ["--python-platform", "aarch64-manylinux2014", "--python-version", "3.13"]

IGNORED = ("__pycache__", ".*")


class BundlingError(Exception):
    """The asset could not be built."""


def code_of(folder: Path) -> lambda_.Code:
    """The asset of all functions in `folder`, with the import paths of the repository.

    `cdk.App(context={"aws:cdk:bundling-stacks": []})` makes a template without building it.
    """
    return lambda_.Code.from_asset(
        str(folder),
        # CDK's own hashes need the finished asset or ignore how it was built.
        asset_hash_type=cdk.AssetHashType.CUSTOM,
        asset_hash=asset_hash(folder),
        bundling=cdk.BundlingOptions(
            image=cdk.DockerImage.from_registry("none"),  # required, and never used
            local=LocalBundling(folder),
        ),
    )


def asset_hash(folder: Path) -> str:
    """A hash of the files of `folder` with its requirements, of the build, and of the bytecode's version.

    Because of the bytecode, a deployment with Python 3.13 replaces an asset without bytecode.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(Path(service_data.__file__).read_bytes())
    digest.update(_compiler().magic_number.encode())
    for path in sorted(_files(folder)):
        digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def bundle(
    target: Path, folder: Path = FUNCTIONS, *, requirements: Path | None = None, uv: Path = UV
) -> None:
    """Fill `target` with `folder`, under its path in the repository, and with the packages that it requires.

    It needs no Docker, because every package has a wheel for arm64 or for any machine. Removed are the
    packages' commands and botocore's data about services that the functions do not call
    (`infra/service_data.py`). `*.dist-info` stays: OpenTelemetry, which an operator may add, reads versions
    from it.

    Raises BundlingError.
    """
    _install(requirements or folder / REQUIREMENTS, target, uv)
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)  # uv's own
    if (data := target / "botocore" / "data").is_dir():
        service_data.keep_only(service_data.services_called(folder), data)
    inside = target / folder.relative_to(ROOT)
    shutil.copytree(folder, inside, ignore=shutil.ignore_patterns(*IGNORED))
    _compile(target)
    _make_readable(target)


@jsii.implements(cdk.ILocalBundling)
class LocalBundling:
    """CDK's interface for bundling without Docker. If it returned False, CDK would start Docker."""

    def __init__(self, folder: Path = FUNCTIONS, *, uv: Path = UV) -> None:
        self._folder = folder
        self._uv = uv

    def try_bundle(self, output_dir: str, *_options: object, **_more: object) -> bool:
        try:
            bundle(Path(output_dir), self._folder, uv=self._uv)
        except BundlingError as error:
            # CDK would wrap any other exception in two tracebacks.
            sys.exit(str(error))
        return True


def _files(folder: Path) -> Iterator[Path]:
    ignored = shutil.ignore_patterns(*IGNORED)
    for entry in folder.iterdir():
        if ignored(str(folder), [entry.name]):
            continue
        if entry.is_dir():
            yield from _files(entry)
        else:
            yield entry


@dataclass(frozen=True)
class _Compiler:
    """The Python that compiles the asset's bytecode.

    Attributes:
        command: the command that starts it.
        magic_number: of its bytecode, in hexadecimal; "" if Lambda cannot read its bytecode.
        problem: why Lambda cannot; "" if it can.
    """

    command: str
    magic_number: str = ""
    problem: str = ""


def _compiler() -> _Compiler:
    return _probe(os.environ.get("PYTHON_OF_LAMBDA") or "python3.13")


@functools.cache
def _probe(command: str) -> _Compiler:
    """Ask `command` for its version, because only Python 3.13 writes bytecode that Python 3.13 reads."""
    program = (
        "import importlib.util, sys; "
        "print('python%d.%d' % sys.version_info[:2], importlib.util.MAGIC_NUMBER.hex())"
    )
    try:
        done = subprocess.run([command, "-c", program], check=True, capture_output=True, text=True)
        version, magic_number = done.stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return _Compiler(command, problem=f"{command} does not run here")
    if version != RUNTIME.name:
        return _Compiler(command, problem=f"{command} is {version}, and Lambda runs {RUNTIME.name}")
    return _Compiler(command, magic_number)


def _compile(target: Path) -> None:
    """Add the bytecode of every module, which Lambda would otherwise compile at each cold start.

    Without it a cold start takes twice as long. Python does not compare it with the sources at run time
    (unchecked-hash), because they do not change.
    """
    compiler = _compiler()
    if compiler.problem:
        print(
            f"{compiler.problem}: the functions are deployed without bytecode and start more slowly. "
            "Install Python 3.13, or name it in PYTHON_OF_LAMBDA.",
            file=sys.stderr,
        )
        return
    command = [
        compiler.command,
        "-m",
        "compileall",
        "-q",
        "--invalidation-mode",
        "unchecked-hash",
        str(target),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise BundlingError(
            f"Not every module could be compiled: {' '.join(command)}\n{error.stdout}{error.stderr}"
        ) from error


def _make_readable(target: Path) -> None:
    """Let all users read the asset, whatever the umask: in Lambda another user runs it."""
    for path in (target, *target.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)


def _install(requirements: Path, target: Path, uv: Path) -> None:
    command = [str(uv), "pip", "install", "--quiet", "--python", sys.executable, *PLATFORM]
    command += ["--only-binary", ":all:", "--require-hashes", "--target", str(target)]
    command += ["--link-mode", "copy"]  # links would let `bundle` change the modes in uv's cache
    command += ["--requirements", str(requirements)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BundlingError(
            f"{uv} is missing, and it installs what the functions need: "
            f"install requirements/dev.txt into the environment of {sys.executable}."
        ) from error
    except subprocess.CalledProcessError as error:
        raise BundlingError(
            f"The functions' packages could not be installed: {' '.join(command)}\n{error.stderr}"
            "If the package index was out of reach, try again; if a package has no wheel for arm64, or "
            f"another hash, compile {requirements.name} anew with the command in its head."
        ) from error
