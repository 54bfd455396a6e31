"""Has ariadne-codegen write enums, inputs and records, and brings them into the shape of this package."""

from __future__ import annotations

import ast
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from generator.api import Api
from generator.places import COMPAT, FRAGMENTS, HEADER, SCHEMA

_CONFIGURATION = """
[tool.ariadne-codegen]
schema_path = "{schema}"
queries_path = "{fragments}"
target_package_path = "."
target_package_name = "generated"
include_comments = "none"
use_alias_generator = true
[tool.ariadne-codegen.scalars]
DateTime = {{ type = "datetime.datetime" }}
BigInt = {{ type = "int" }}
JSON = {{ type = "typing.Any" }}
JSONObject = {{ type = "datastorage.client.model.JSONObject" }}
"""
_IMPORTS = """
from __future__ import annotations
from datetime import datetime
from typing import Any, Optional
from pydantic import Field
from datastorage.client.generated.enums import {enums}
from datastorage.client.model import Input, JSONObject, Record
from datastorage.client.open_enum import OpenEnum
"""
_ENUMS = '"""Values that fields can have; a newer service may have more of them."""'
_INPUTS = '"""What can be sent."""'
_RECORDS = '"""What is answered."""'


def fingerprint() -> str:
    """Of everything that decides what the models are: a change of it means that they are to be made again."""
    digest = sha256()
    for place in (SCHEMA, *sorted(FRAGMENTS.glob("*.graphql")), Path(__file__)):
        digest.update(place.read_bytes())
    return f"{digest.hexdigest()} ariadne-codegen {_locked('ariadne-codegen')}\n"


def models(api: Api) -> dict[str, str]:
    """The modules by name."""
    with tempfile.TemporaryDirectory(prefix="datastorage-client-") as folder:
        made = _generated(Path(folder))
    enums, inputs, records = (ast.parse(made[name]) for name in ("enums", "input_types", "fragments"))
    names = {name: _classes(module) for name, module in (("enums", enums), ("inputs", inputs))}
    whole = _collapsed(records)
    names["records"] = [kind for kind in dict.fromkeys(_classes(whole)) if kind in set(api.fragments)]
    imports = _IMPORTS.format(enums=", ".join(names["enums"]))
    without = imports.replace(next(line for line in imports.splitlines() if "generated.enums" in line), "")
    return {
        "enums": _module(_ENUMS, without, _describe(enums, api), "OpenEnum"),
        "inputs": _module(_INPUTS, imports, inputs, "Input"),
        "records": _module(_RECORDS, imports, _describe(whole, api), "Record"),
        "__init__": _exports(names),
    }


def exported(code: str) -> list[str]:
    """The names in `__all__` of the package."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            return [str(ast.literal_eval(item)) for item in node.value.elts]
    raise AssertionError(code)


def _generated(folder: Path) -> dict[str, str]:
    folder.joinpath("ariadne.toml").write_text(_CONFIGURATION.format(schema=SCHEMA, fragments=FRAGMENTS))
    subprocess.run(  # noqa: S603 -- the tool of an environment that is ours
        [COMPAT / ".venv" / "bin" / "ariadne-codegen", "--config", "ariadne.toml", "models_only"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {place.stem: place.read_text() for place in folder.joinpath("generated").glob("*.py")}


def _module(title: str, imports: str, module: ast.Module, base: str) -> str:
    # No imports, they come from above; and no `model_rebuild()`, pydantic builds a model when it is needed.
    body = [node for node in module.body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    for node in body:
        if isinstance(node, ast.ClassDef) and ast.unparse(node.bases[0]) in {"BaseModel", "str"}:
            node.bases = [ast.Name(base)]
    code = ast.unparse(ast.Module(body, []))
    # Type checkers take `alias` for the name of the parameter, which in Python is another.
    code = re.sub(r"Field\(alias='(\w+)', ", r"Field(validation_alias='\1', serialization_alias='\1', ", code)
    code = re.sub(r"\b([a-z])_(\d+)_", r"\1\2_", code)  # p_50_duration_ms
    return f"{HEADER}{title}\n{imports}\n{code}\n"


def _collapsed(module: ast.Module) -> ast.Module:
    """Without the classes that only give a fragment another name where it is spread."""
    names = {
        node.name: ast.unparse(node.bases[0])
        for node in module.body
        if isinstance(node, ast.ClassDef) and isinstance(node.body[0], ast.Pass)
    }
    kept = [
        node
        for node in module.body
        if not (isinstance(node, ast.ClassDef) and isinstance(node.body[0], ast.Pass))
    ]
    for node in ast.walk(ast.Module(kept, [])):
        if isinstance(node, ast.Constant) and node.value in names:
            node.value = names[node.value]
    return ast.Module(kept, [])


def _describe(module: ast.Module, api: Api) -> ast.Module:
    """Descriptions of the schema as docstrings, those of fields and values behind them."""
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            by_name = {_plain(name): text for name, text in api.descriptions(node.name).items()}
            whole = _docstring(api.schema.type_map[node.name].description)
            node.body = [whole, *_with_descriptions(node.body, by_name)]
    return module


def _with_descriptions(body: list[ast.stmt], by_name: Mapping[str, str | None]) -> list[ast.stmt]:
    described: list[ast.stmt] = []
    for statement in body:
        described.append(statement)
        target = (
            statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        )
        if isinstance(target, ast.Name):
            described.append(_docstring(by_name[_plain(target.id)]))
    return described


def _docstring(text: str | None) -> ast.Expr:
    return ast.Expr(ast.Constant(" ".join((text or "").split())))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _classes(module: ast.Module) -> list[str]:
    return [node.name for node in module.body if isinstance(node, ast.ClassDef)]


def _exports(names: Mapping[str, list[str]]) -> str:
    imports = [
        f"from datastorage.client.generated.{module} import {', '.join(sorted(set(kinds)))}"
        for module, kinds in names.items()
    ]
    everything = sorted({kind for kinds in names.values() for kind in kinds})
    title = '"""The types of the API."""\n'
    return "\n".join([HEADER + title, *imports, f"__all__ = {everything!r}", ""])


def _locked(package: str) -> str:
    lock = tomllib.loads(COMPAT.joinpath("uv.lock").read_text())
    return next(str(each["version"]) for each in lock["package"] if each["name"] == package)
