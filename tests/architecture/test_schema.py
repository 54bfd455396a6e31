"""schema.graphql is what the code exports, and reads like documentation."""

from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
)

from datastorage import errors
from datastorage.graphql import schema as api
from datastorage.graphql.errors import CODES, RESULTS

ROOT = Path(__file__).parents[2]


def exported() -> GraphQLSchema:
    return build_schema(api.build_schema().as_str())


def own_types() -> dict[str, object]:
    return {
        name: kind
        for name, kind in exported().type_map.items()
        if not name.startswith("__") and name not in ("String", "Int", "Float", "Boolean", "ID")
    }


def test_the_committed_schema_is_the_exported_one() -> None:
    assert (ROOT / "schema.graphql").read_text().strip() == api.build_schema().as_str().strip()


def test_every_type_field_and_argument_is_described() -> None:
    silent = []
    for name, kind in own_types().items():
        if not kind.description:
            silent.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                if not field.description:
                    silent.append(f"{name}.{field_name}")
                for argument_name, argument in getattr(field, "args", {}).items():
                    if not argument.description:
                        silent.append(f"{name}.{field_name}({argument_name})")
        if isinstance(kind, GraphQLEnumType):
            silent += [f"{name}.{value}" for value, member in kind.values.items() if not member.description]
    assert silent == []


def test_every_mutation_answers_with_a_union_of_its_payload_and_user_errors() -> None:
    for name, field in exported().mutation_type.fields.items():
        result = get_named_type(field.type)
        assert isinstance(result, GraphQLUnionType), name
        payload, *members = result.types
        assert payload.name.endswith("Payload")
        assert all("UserError" in [face.name for face in member.interfaces] for member in members)


def test_every_domain_error_reaches_clients_as_a_result_or_a_code() -> None:
    mapped = {
        *RESULTS,
        *(raised for raised, _ in CODES),
        errors.Unauthenticated,
    }  # answered before GraphQL: 401
    for kind in subclasses(errors.DataStorageError):
        if not issubclass(kind, errors.OperatorError):
            assert any(issubclass(kind, raised) for raised in mapped), kind


def subclasses(kind: type) -> set[type]:
    return {kind for child in kind.__subclasses__() for kind in {child, *subclasses(child)}}
